"""What passes tell: each change once, whatever the number of passes. Whole rollouts are driven by simulate."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.core.ids import Commit, Revision, TargetName
from reconciler.kinds.group.steps import SetSizes
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.register import Blocked, World
from reconciler.plan.model import ActionKind, Drift, Item, Refusal, TargetPlan
from reconciler.plan.planner import plan_target
from reconciler.plan.settle import USUAL, pass_time, settle
from reconciler.plan.simulate import follow_up, simulate
from reconciler.report.document_events import RolloutWaiting
from reconciler.report.event import Event
from reconciler.report.outcome import Outcome, step_event
from reconciler.report.story import NOTHING_TOLD, Memory, tell
from reconciler.spec.desired import Desired
from tests.report import drive
from tests.worlds import NOON

PROD = TargetName("prod")
COMMIT = "c" * 40
WEB = ("Fleet", "web")


def item(action: ActionKind = ActionKind.NONE, name: str = "web", **more: object) -> Item:
    return replace(Item(kind="Fleet", name=name, target=PROD, action=action, to="v1.aa", was="v1.aa"), **more)


def row(live: str = "12", *, heals: bool = False, resource: str = "group/web-1", field: str = "max") -> Drift:
    return Drift(
        kind="Fleet",
        name="web",
        target=PROD,
        resource=resource,
        field=field,
        want="10",
        live=live,
        heals=heals,
    )


def plan(*rows: Drift, items: tuple[Item, ...] = (item(),), minutes: int = 0, **more: object) -> TargetPlan:
    made = TargetPlan(
        target=PROD,
        as_of=NOON + timedelta(minutes=minutes),
        digest="d1",
        complete=True,
        items=items,
        drift=rows,
    )
    return replace(made, **more)


WRITE = Outcome(
    kind="Fleet",
    name="web",
    revision="v1.aa",
    step=SetSizes(name="web-1", expect=Sizes(min=1, max=2, desired=1), sizes=Sizes(min=1, max=2, desired=1)),
)

Pass = tuple[TargetPlan, tuple[Outcome, ...]]
UNREAD: Pass = (plan(unread=("groups could not be read: no",), complete=False), ())


def told(passes: list[Pass], looked: frozenset[str] = frozenset()) -> list[list[str]]:
    memory, found = NOTHING_TOLD, []
    for made, outcomes in passes:
        memory, events = tell(memory, COMMIT, made, outcomes, looked)
        found.append([e.event for e in events])
    return found


busy = (item(ActionKind.REPLACE, to="v1.bb", begun=True),)
unread = (item(ActionKind.UNREAD, blocked=Blocked(code="unread", why="groups")),)
conflict = (item(ActionKind.BLOCKED, blocked=Blocked(code="conflict", why="group web-1 is not ours")),)
frozen = (item(ActionKind.BLOCKED, blocked=Blocked(code="freeze", why="peak season")),)
stopped = (item(ActionKind.BLOCKED, blocked=Blocked(code="limit", why="over")),)
refusal = Refusal(target=PROD, limit="retire", count=3, of=5, allowed=1, why="3 of 5 go, 1 may")

STORIES: list[tuple[str, list[Pass], list[list[str]]]] = [
    ("nothing happens", [(plan(), ()), (plan(), ())], [[], []]),
    (
        "drift stays",
        [(plan(row()), ()), (plan(row()), ()), (plan(row()), ())],
        [["drift.found"], [], []],
    ),
    (
        "drift changes, and is taken back by hand",
        [(plan(row("12")), ()), (plan(row("14")), ()), (plan(), ()), (plan(), ())],
        [["drift.found"], ["drift.changed"], ["drift.gone"], []],
    ),
    (
        "drift is healed",
        [(plan(row(heals=True)), (WRITE,)), (plan(), ()), (plan(), ())],
        [["drift.found"], ["drift.healed"], []],
    ),
    (
        "drift is healed after some passes",
        [(plan(row(heals=True)), ()), (plan(row(heals=True)), (WRITE,)), (plan(), ())],
        [["drift.found"], [], ["drift.healed"]],
    ),
    (
        "drift that would be healed goes before we write",
        [(plan(row(heals=True)), ()), (plan(), ())],
        [["drift.found"], ["drift.gone"]],
    ),
    (
        "somebody sets it again and again",
        [(plan(row(heals=True)), (WRITE,)), (plan(), ())] * 4,
        [["drift.found"], ["drift.healed"]] * 3 + [["drift.contested"], ["drift.healed"]],
    ),
    (
        "a day of calm ends a quarrel",
        [(plan(row(heals=True)), (WRITE,)), (plan(), ())] * 3 + [(plan(row(heals=True), minutes=1441), ())],
        [["drift.found"], ["drift.healed"]] * 3 + [["drift.found"]],
    ),
    (
        "while nobody compares, a difference is not gone",
        [(plan(row()), ()), (plan(items=unread), ()), (plan(items=busy), ()), (plan(row()), ())],
        [["drift.found"], [], ["rollout.started"], ["rollout.rolled_back"]],
    ),
    (
        "what only an audit reads is not gone between audits",
        [(plan(row(resource="balancer/web-1")), ()), (plan(), ())],
        [["drift.found"], []],
    ),
    (
        "drift of a fleet that leaves is nobody's business",
        [(plan(row()), ()), (plan(items=(item(ActionKind.RETIRE),)), ()), (plan(items=()), ())],
        [["drift.found"], [], ["fleet.retired"]],
    ),
    (
        "a conflict is told once, and its end",
        [(plan(items=conflict), ()), (plan(items=conflict), ()), (plan(), ())],
        [["conflict.found"], [], ["conflict.gone"]],
    ),
    (
        "a freeze is told once, and its end",
        [(plan(items=frozen), ()), (plan(items=frozen), ()), (plan(), ())],
        [["blocked.found"], [], ["blocked.gone"]],
    ),
    (
        "what is unread ends no conflict",
        [(plan(items=conflict), ()), (plan(items=unread), ()), (plan(items=conflict), ())],
        [["conflict.found"], [], []],
    ),
    (
        "a limit is told once for its target, and again when the plan is another",
        [
            (plan(items=stopped, refusals=(refusal,)), ()),
            (plan(items=stopped, refusals=(refusal,)), ()),
            (plan(items=stopped, refusals=(refusal,), digest="d2"), ()),
        ],
        [["limit.refused"], [], ["limit.refused"]],
    ),
    (
        "an approved plan over a limit is not refused",
        [(plan(refusals=(refusal,), approved=True), ())],
        [[]],
    ),
    (
        "a read fails for a while",
        [UNREAD, UNREAD, (plan(), ())],
        [["read.failed"], [], ["read.recovered"]],
    ),
    (
        "while something is unread, a fleet that leaves is not gone",
        [
            (plan(items=(item(ActionKind.RETIRE),)), ()),
            (plan(items=(), complete=False), ()),
            (plan(items=()), ()),
        ],
        [[], [], ["fleet.retired"]],
    ),
    (
        "a fleet that comes back did not leave",
        [(plan(items=(item(ActionKind.RETIRE),)), ()), (plan(), ()), (plan(items=()), ())],
        [[], [], []],
    ),
    (
        "a warning is told once",
        [(plan(warnings=("start: frozen",)), ()), (plan(warnings=("start: frozen",)), ())],
        [["warning.found"], []],
    ),
    (
        "a rollout that was under way before this process is resumed",
        [(plan(items=busy), ()), (plan(items=busy), ())],
        [["rollout.resumed"], []],
    ),
    (
        "a rollout pauses, and is promoted",
        [
            (plan(items=busy), ()),
            (plan(items=(replace(busy[0], action=ActionKind.BLOCKED, blocked=Blocked(code="pause", why="")),)), ()),
            (plan(items=busy), ()),
        ],
        [["rollout.resumed"], ["rollout.paused", "blocked.found"], ["rollout.promoted", "blocked.gone"]],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("passes", "events"), [s[1:] for s in STORIES], ids=[s[0] for s in STORIES])
def test_what_passes_tell(passes: list[Pass], events: list[list[str]]) -> None:
    assert [sorted(e) for e in told(passes)] == [sorted(e) for e in events]


def test_an_audit_that_finds_no_difference_ends_it() -> None:
    passes: list[Pass] = [(plan(row(resource="balancer/web-1")), ()), (plan(), ())]
    assert told(passes, frozenset({"web"})) == [["drift.found"], ["drift.gone"]]


def test_a_step_is_told_with_what_it_did_or_why_it_failed() -> None:
    done = step_event(COMMIT, "prod", WRITE)
    failed = step_event(COMMIT, "prod", replace(WRITE, failure="busy", why="UpdateAutoScalingGroup: busy"))
    assert (done.event, done.op, done.resource) == ("step.applied", "set-sizes", "web-1")
    assert (failed.event, failed.op, failed.resource) == ("step.failed", "set-sizes", "web-1")


# -- whole rollouts -----------------------------------------------------------------------------

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
    assert events[1].code.startswith("not ready in time: ")  # type: ignore[attr-defined]
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
