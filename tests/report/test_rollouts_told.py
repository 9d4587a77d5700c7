"""What whole rollouts tell, driven by simulate: each once, from start to end."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.core.ids import Commit, Revision
from reconciler.kinds.register import World
from reconciler.plan.planner import plan_target
from reconciler.plan.settle import USUAL, pass_time, settle
from reconciler.plan.simulate import follow_up, simulate
from reconciler.report.document_events import RolloutRolledBack, RolloutWaiting
from reconciler.report.event import Event
from reconciler.report.outcome import Outcome
from reconciler.report.story import NOTHING_TOLD, Memory, tell
from reconciler.spec.desired import Desired
from tests.report import drive

TARGET = """
apiVersion: reconciler/v1
kind: Target
metadata: {name: prod-ireland}
spec: {account: "123456789012", region: eu-west-1, owner: shop-fleets}
---
apiVersion: reconciler/v1
kind: Image
metadata: {name: base}
spec: {targets: [prod-ireland], architecture: arm64, ami: ami-0b1000000000001}
---
apiVersion: reconciler/v1
kind: Zone
metadata: {name: example-com}
spec: {target: prod-ireland, domain: example.com, records: []}
"""

FLEET = """
---
apiVersion: reconciler/v1
kind: Fleet
metadata: {name: %s}
spec:
  targets: [prod-ireland]
  image: base
  launch: {generation: "%s", instanceTypes: [t4g.small], securityGroups: [{name: web}]}
  placement: {subnets: [{tag: {tier: app}}]}
  capacity: {min: 2, max: 4, desired: 2}
  rollout: {keepOld: 5m}
"""

SERVED = """  traffic:
    balancer: {type: application, scheme: internal, securityGroups: [{name: lb}], listeners: [{port: 80, protocol: HTTP}], targetGroup: {port: 8080, protocol: HTTP, health: {path: /}}}
    dns: {zone: example-com, name: web}
"""

SERVES = pytest.mark.parametrize(
    "traffic", ["", SERVED], ids=["by capacity alone", "behind a balancer with dns"]
)


def folder(tmp_path: Path, *documents: str) -> Desired:
    (tmp_path / "all.yaml").write_text("".join(documents))
    return drive.desired_of(tmp_path)


def passes(
    desired: Desired,
    commit: Commit,
    world: World,
    memory: Memory,
    time: Callable[[World], World] | None = None,
    waits: list[RolloutWaiting] | None = None,
) -> tuple[World, Memory, list[Event]]:
    """Let passes go by until nothing moves; return what they told of fleets, waits apart."""
    found: list[Event] = []
    waits = [] if waits is None else waits
    for _ in range(drive.MOST):
        made = plan_target(drive.goal(desired, commit, world), world, ahead=False)
        outcomes: list[Outcome] = []
        for one in made.items:
            for step in one.now:
                after = simulate(world, step, USUAL)
                world = after
                steps = [step, *filter(None, [follow_up(step, "", 0)])]
                outcomes += [
                    Outcome(kind=one.kind, name=one.name, revision=one.to or one.was, step=s) for s in steps
                ]
        world = drive.known(desired, commit, world)
        memory, events = tell(memory, commit, made, outcomes)
        waits += [e for e in events if isinstance(e, RolloutWaiting)]
        found += [e for e in events if not isinstance(e, RolloutWaiting)]
        moves = [i for i in made.items if i.now or i.wait]
        if not moves:
            return world, memory, found
        ends = [i.wait.until for i in moves if i.wait and i.wait.until]
        settled = time(world) if time else settle(world, USUAL, min(ends, default=None))
        world = settled if settled != world else pass_time(world, timedelta(minutes=1))
    raise AssertionError(f"not converged after {drive.MOST} passes: {[e.event for e in found]}")


def names(events: list[Event]) -> list[str]:
    return [e.event for e in events if not isinstance(e, RolloutWaiting)]


@SERVES
def test_a_birth_and_a_rollout_are_told_from_start_to_end(tmp_path: Path, traffic: str) -> None:
    first = folder(tmp_path, TARGET, FLEET % ("web", "1") + traffic)
    world, memory, events = passes(first, drive.BEFORE, drive.empty(), NOTHING_TOLD)
    assert names(events) == ["rollout.started", "rollout.shifted", "rollout.finished"]
    second = folder(tmp_path, TARGET, FLEET % ("web", "2") + traffic)
    world, memory, events = passes(second, drive.NOW, world, memory)
    assert names(events) == ["rollout.started", "rollout.shifted", "rollout.finished"]
    started, _, finished = events
    assert started.before == finished.before != ""  # type: ignore[attr-defined]
    assert Revision(started.revision) == finished.revision != started.before  # type: ignore[attr-defined]
    assert names(passes(second, drive.NOW, world, memory)[2]) == []


def test_what_a_rollout_waits_for_is_told_once_whatever_its_numbers(tmp_path: Path) -> None:
    first = folder(tmp_path, TARGET, FLEET % ("web", "1") + SERVED)
    world, memory, _ = passes(first, drive.BEFORE, drive.empty(), NOTHING_TOLD)
    second = folder(tmp_path, TARGET, FLEET % ("web", "2") + SERVED)
    waits: list[RolloutWaiting] = []
    passes(second, drive.NOW, world, memory, waits=waits)
    told = [re.sub(r"web-[0-9a-f]{10}|C\d+", "*", w.why) for w in waits]
    assert told == [
        "*: 0 of 2 instances in service",
        "Route 53 spreads the records",
        "clients move to *: TTL and drain",
        "* is kept",
        "2 instances of * are ending",
        "* is being deleted",
    ]
    assert waits[0].deadline
    assert waits[2].until


@SERVES
def test_a_revision_that_never_gets_ready_is_told_as_rolled_back(tmp_path: Path, traffic: str) -> None:
    first = folder(tmp_path, TARGET, FLEET % ("web", "1") + traffic)
    world, memory, _ = passes(first, drive.BEFORE, drive.empty(), NOTHING_TOLD)
    second = folder(tmp_path, TARGET, FLEET % ("web", "2") + traffic)

    def nothing_boots(world: World) -> World:
        groups = world.groups if isinstance(world.groups, tuple) else ()
        return pass_time(replace(world, groups=groups), timedelta(minutes=4))

    world, memory, events = passes_until_failed(second, world, memory, nothing_boots)
    assert names(events) == ["rollout.started", "rollout.rolled_back", "blocked.found"]
    assert isinstance(events[1], RolloutRolledBack)
    assert events[1].code.startswith("not ready in time: ")
    third = folder(tmp_path, TARGET, FLEET % ("web", "3") + traffic)
    world, memory, events = passes(third, drive.NOW, world, memory)
    assert names(events) == ["blocked.gone", "rollout.started", "rollout.shifted", "rollout.finished"]


def passes_until_failed(
    desired: Desired, world: World, memory: Memory, time: Callable[[World], World]
) -> tuple[World, Memory, list[Event]]:
    """First nothing boots until the rollout fails; then the world goes on as usual."""
    found: list[Event] = []
    for _ in range(drive.MOST):
        made = plan_target(drive.goal(desired, drive.NOW, world), world, ahead=False)
        outcomes = []
        for one in made.items:
            for step in one.now:
                world = simulate(world, step, USUAL)
                outcomes.append(Outcome(kind=one.kind, name=one.name, revision=one.to, step=step))
        memory, events = tell(memory, drive.NOW, made, outcomes)
        found += [e for e in events if not isinstance(e, RolloutWaiting)]
        world = time(world)
        if "rollout.rolled_back" in names(found):
            break
    world, memory, last = passes(desired, drive.NOW, world, memory)
    return world, memory, [*found, *last]


@SERVES
def test_a_newer_commit_in_mid_rollout_supersedes_it(tmp_path: Path, traffic: str) -> None:
    first = folder(tmp_path, TARGET, FLEET % ("web", "1") + traffic)
    world, memory, _ = passes(first, drive.BEFORE, drive.empty(), NOTHING_TOLD)
    second = folder(tmp_path, TARGET, FLEET % ("web", "2") + traffic)
    world, memory, events = one_pass(second, world, memory)
    assert names(events) == ["rollout.started"]
    third = folder(tmp_path, TARGET, FLEET % ("web", "3") + traffic)
    world, memory, events = passes(third, drive.NOW, world, memory)
    assert names(events) == ["rollout.rolled_back", "rollout.started", "rollout.shifted", "rollout.finished"]
    assert events[0].code == "superseded"  # type: ignore[attr-defined]


def one_pass(desired: Desired, world: World, memory: Memory) -> tuple[World, Memory, list[Event]]:
    made = plan_target(drive.goal(desired, drive.NOW, world), world, ahead=False)
    outcomes = [
        Outcome(kind=i.kind, name=i.name, revision=i.to, step=step) for i in made.items for step in i.now
    ]
    for outcome in outcomes:
        world = simulate(world, outcome.step, USUAL)
    memory, told_now = tell(memory, drive.NOW, made, outcomes)
    return world, memory, list(told_now)


@SERVES
def test_a_fleet_taken_out_of_git_is_told_as_retired_once_it_is_gone(tmp_path: Path, traffic: str) -> None:
    both = folder(tmp_path, TARGET, FLEET % ("web", "1") + traffic, FLEET % ("worker", "1"))
    world, memory, _ = passes(both, drive.BEFORE, drive.empty(), NOTHING_TOLD)
    one = folder(tmp_path, TARGET, FLEET % ("worker", "1"))
    _, _, events = passes(one, drive.NOW, world, memory)
    assert [(e.event, e.name) for e in events] == [("fleet.retired", "web")]  # type: ignore[attr-defined]
