"""From any world blue-green converges, breaks no invariant after any move, and survives any failing write."""

import os
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.ids import resource_name
from reconciler.kinds.balancer.steps import CreateRule, DeleteBalancer, DeleteTargetGroup, SetRule
from reconciler.kinds.group.steps import DeleteGroup, Detach, SetSizes
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.record.live import LiveZone
from reconciler.kinds.record.steps import ChangeRecords
from reconciler.kinds.register import Blocked, Move, Step, Wait, World
from reconciler.kinds.template.steps import DeleteTemplate
from reconciler.plan import settle
from reconciler.plan.simulate import do, follow_up, simulate
from reconciler.strategies import machine
from reconciler.strategies.floor import floor
from reconciler.strategies.retire import NOTHING
from reconciler.strategies.slice import Live
from reconciler.strategies.wanted import Allow, TrafficKind, Wanted
from tests.worlds import empty_world, revision, sliced, wanted

TRIED: Counter[str] = Counter()
DRAIN = timedelta(seconds=60)
TTL = timedelta(seconds=60)
MOST_MOVES = 120  # of a fleet with nothing in its way: four births and four retirements are under 100

CHAOS = st.sampled_from(
    [
        "move",
        "move",
        "move",
        "move",
        "lose-reply",
        "fail",
        "twice",
        "half",
        "launch",
        "launch",
        "check",
        "check",
        "sync",
        "provision",
        "gone",
        "end",
        "tick",
        "minutes",
        "long",
        "die",
        "commit",
        "back",
        "scale-out",
        "scale-in",
        "lose-tag",
    ]
)


@dataclass
class History:
    """What the test remembers that the product must not need to."""

    left: dict[str, datetime] = field(default_factory=dict)  # revision name -> when its weight went to 0
    wants: list[Wanted] = field(default_factory=list)


def weights_of(world: World) -> dict[str, int]:
    zone = next(z for z in world.zones if isinstance(z, LiveZone))
    found = {r.identifier.removeprefix("prod."): r.weight or 0 for r in zone.records}
    names = {t.arn: t.name for t in world.target_groups}
    for rule in world.rules:
        found |= {names.get(arn, arn): w for arn, w in rule.weights}
    return found


def live_of(world: World, want: Wanted, name: str) -> Live | None:
    return next((r for r in sliced(world, want).revisions if r.name == name), None)


def healthy_of(world: World, want: Wanted, live: Live) -> int:
    own = frozenset(i.id for i in live.group.instances if i.in_service) if live.group else frozenset()
    if want.kind is TrafficKind.NONE:
        return len(own)
    arn = live.target_group.arn if live.target_group else want.attach_groups[0]
    return sliced(world, want).healthy(arn, own)


def check_move(before: World, after: World, move: Step, want: Wanted, memory: History) -> None:
    was, now = weights_of(before), weights_of(after)
    if now:
        assert sum(now.values()) > 0, f"all weights are zero after {move}"
    for name, weight in now.items():
        if weight > was.get(name, 0) and not isinstance(move, CreateRule):
            live = live_of(before, want, name)
            assert live, f"{name} got traffic and does not exist"
            last = memory.left.get(name)
            need = 1 if last else max(1, min(want.capacity.min, want.capacity.desired))
            if not _going_back(memory, name):
                assert healthy_of(before, want, live) >= need, f"{name} got traffic before it was healthy"
    for name in [n for n, w in was.items() if w and not now.get(n)]:
        memory.left[name] = after.as_of
    _check_destruction(before, move, want, memory)


def _going_back(memory: History, name: str) -> bool:
    return name in memory.left or any(w.name == name for w in memory.wants[:-1])


def _check_destruction(before: World, move: Step, want: Wanted, memory: History) -> None:
    weights = weights_of(before)
    match move:
        case SetSizes() if move.sizes == NOTHING:
            assert not weights.get(move.name), f"{move.name} goes to 0 with weight"
            left = memory.left.get(move.name)
            settle_time = {TrafficKind.DNS: TTL + DRAIN, TrafficKind.LISTENER: DRAIN}.get(
                want.kind, timedelta()
            )
            if left:
                assert before.as_of >= left + settle_time, f"{move.name} goes before its clients are gone"
        case SetSizes() if weights.get(move.name):
            assert move.sizes.desired >= min(want.capacity.min, move.expect.desired), "serving capacity fell"
        case DeleteGroup():
            live = live_of(before, want, move.name)
            assert live
            assert live.group
            assert live.group.sizes == NOTHING
            assert not live.group.instances
        case DeleteBalancer() | DeleteTargetGroup():
            live = live_of(before, want, move.name)
            assert live
            assert live.group is None, f"{move.op} while its group is there"
            assert not live.records
            assert not weights.get(move.name)
        case DeleteTemplate():
            live = live_of(before, want, move.name)
            assert live
            assert live.group is None
            assert live.balancer is None
            assert live.target_group is None
        case Detach() if want.kind is TrafficKind.ATTACH:
            others = [r for r in sliced(before, want).revisions if r.name != move.name and r.up]
            carrying = [r for r in others if r.up and set(want.attach_groups) <= set(r.up.target_groups)]
            live = live_of(before, want, move.name)
            failed = live and live.template and live.template.failed
            assert carrying or failed, "the last attached revision was detached"
        case _:
            pass


def check_floor(world: World, want: Wanted) -> None:
    """Held whenever the machine has nothing more to write."""
    s = sliced(world, want)
    serving = machine.serving_of(want, s)
    new = s.live(want.revision)
    if serving is None or not serving.up or new is None or not new.up:
        return
    if new.revision != serving.revision and new.stage and new.stage.step == 0 and not new.template.failed:
        least = floor(want, serving) or 0
        assert new.up.sizes.min >= least, "the new revision is below its floor"
        assert serving.up.sizes.min >= least, "the serving revision is below its floor"


def one_move(world: World, want: Wanted, memory: History, how: str) -> World:
    s = sliced(world, want)
    move = machine.next_move(want, s, Allow())
    assert move == machine.next_move(want, s, Allow()), "planned twice, planned two things"
    TRIED["moves"] += 1
    if move is None or isinstance(move, Wait | Blocked):
        check_floor(world, want)
        return world
    if how == "fail":
        return world
    after, change = do(world, move)
    check_move(world, after, move, want, memory)
    if how == "lose-reply":
        return after  # the effect is there, its tag is not
    follow = follow_up(move, change, int(world.as_of.timestamp()))
    if follow:
        after, _ = do(after, follow)
    if how == "twice" and not isinstance(move, ChangeRecords):
        again, _ = do(after, move)
        assert again == after or isinstance(move, SetRule | SetSizes), (
            f"{move.op} done twice is not as done once"
        )
    return after


def happen(world: World, want: Wanted, event: str, draw: st.DataObject) -> World:
    groups = list(world.groups)
    match event:
        case "launch":
            return settle.launched(world)
        case "check":
            bad = frozenset(g.name for g in groups if draw.draw(st.integers(0, 9)) == 0)
            return settle.checked(world, bad)
        case "sync":
            return settle.synced(world)
        case "provision":
            return settle.provisioned(world)
        case "gone":
            return settle.gone(world)
        case "end":
            return settle.ended(world)
        case "tick" | "minutes" | "long":
            span = {"tick": 5, "minutes": 240, "long": 2400}[event]
            return settle.pass_time(world, timedelta(seconds=span))
        case "die" if groups:
            victim = draw.draw(st.sampled_from(groups))
            left = victim.instances[1:]
            return replace(
                world, groups=tuple(replace(g, instances=left) if g is victim else g for g in groups)
            )
        case "scale-out" | "scale-in" if groups:
            victim = draw.draw(st.sampled_from(groups))
            step = 1 if event == "scale-out" else -1
            desired = min(max(victim.sizes.desired + step, victim.sizes.min), victim.sizes.max)
            return settle.resized(world, victim.name, replace(victim.sizes, desired=desired))
        case "lose-tag" if groups:
            victim = draw.draw(st.sampled_from(groups))
            left = tuple(t for t in victim.tags if t[0] != "reconciler:stage")
            return replace(world, groups=tuple(replace(g, tags=left) if g is victim else g for g in groups))
        case _:
            return world


def next_want(want: Wanted, memory: History, event: str, draw: st.DataObject) -> Wanted:
    seen = sorted({w.revision for w in memory.wants})
    n = len(seen) + 1
    if event == "back":
        n = draw.draw(st.integers(1, len(seen)))
    changed = wanted(n, want.kind, sizes=want.capacity, keep_old=want.rollout.keep_old)
    memory.wants.append(changed)
    return changed


def converge(world: World, want: Wanted, memory: History) -> tuple[World, Move]:
    move: Move = None
    for _ in range(MOST_MOVES):
        move = machine.next_move(want, sliced(world, want), Allow())
        TRIED["moves"] += 1
        if move is None:
            return settle.checked(settle.launched(world)), None
        if isinstance(move, Blocked):
            return world, move
        if not isinstance(move, Wait):
            after, _ = do(world, move)
            check_move(world, after, move, want, memory)
        moved = simulate(world, move, settle.USUAL)
        assert moved != world, f"stuck at {move}"
        world = moved
    pytest.fail(f"did not converge; last move {move}")


def converged_is_right(world: World, want: Wanted) -> None:
    s = sliced(world, want)
    names = {g.name for g in world.groups}
    assert names == {want.name}
    assert {b.name for b in world.balancers} <= {want.name}
    assert {t.name for t in world.target_groups} <= {want.name}
    live = s.live(want.revision)
    assert live
    assert live.up
    assert live.up.in_service >= want.capacity.min
    assert live.lease is None
    if want.kind in (TrafficKind.DNS, TrafficKind.LISTENER):
        assert weights_of(world)[want.name] > 0
        assert set(weights_of(world)) == {want.name}
    assert all(t.name == want.name or t.failed for t in world.templates)


def run_any(kind: TrafficKind, events: list[str], draw: st.DataObject, keep: timedelta) -> None:
    world, memory = empty_world(), History()
    want = wanted(1, kind, sizes=Sizes(min=2, max=6, desired=3), keep_old=keep)
    memory.wants.append(want)
    TRIED["worlds"] += 1
    for event in events:
        if event in ("commit", "back"):
            want = next_want(want, memory, event, draw)
        elif event in ("move", "lose-reply", "fail", "twice"):
            world = one_move(world, want, memory, event)
        elif event == "half":
            for _ in range(12):  # a pass: writes until it has to wait
                world = one_move(world, want, memory, "move")
        else:
            world = happen(world, want, event, draw)
    world, end = converge(world, want, memory)
    if end is None:
        converged_is_right(world, want)
    else:
        assert end.code == "failed", end


@pytest.mark.parametrize("kind", list(TrafficKind), ids=lambda k: k.name.lower())
@settings(
    deadline=None,
    max_examples=int(os.environ.get("N") or (400 if os.environ.get("CI") else 100)),
    suppress_health_check=list(HealthCheck),
)
@given(events=st.lists(CHAOS, max_size=150), keep=st.sampled_from([0, 10, 30]), draw=st.data())
def test_any_world_converges_and_no_move_breaks_an_invariant(
    kind: TrafficKind, events: list[str], keep: int, draw: st.DataObject
) -> None:
    run_any(kind, events, draw, timedelta(minutes=keep))


def test_names_are_made_of_fleet_and_digits() -> None:
    assert resource_name("web", revision(1)) == "web-0000000001"
