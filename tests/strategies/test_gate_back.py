"""An alarm that sends a revision back: why is remembered, whatever the alarm says a moment later."""

from dataclasses import replace

import pytest

from reconciler.kinds.alarm.live import LiveAlarm
from reconciler.kinds.register import Wait, World
from reconciler.plan import settle
from reconciler.plan.fleet import Ask, Index, Way, small, way
from reconciler.plan.simulate import do, follow_up, simulate
from reconciler.strategies.slice import fleets_of
from reconciler.strategies.wanted import Allow, Gates, Rollout, TrafficKind, Wanted
from tests.strategies.invariants import weights_of
from tests.worlds import BLUE_GREEN, KEEPER, canary_of, empty_world, wanted

ALARM, OLD, NEW = "web-5xx", "web-0000000001", "web-0000000002"
WEIGHTED = pytest.mark.parametrize(
    "kind", [TrafficKind.DNS, TrafficKind.LISTENER], ids=lambda k: k.name.lower()
)


def said(world: World, state: str) -> World:
    return replace(world, alarms=(LiveAlarm(name=ALARM, state=state),))


def passed(world: World, want: Wanted) -> tuple[World, Way]:
    """Make a pass."""
    ask = Ask(fleet=want.fleet, want=want, keeper=KEEPER, allow=Allow())
    cut = small(world, fleets_of(world, KEEPER).get(want.fleet, ()), want, Index.of(world))
    found = way(cut, ask, ahead=False)
    for step in found.now:
        world, change = do(world, step)
        if mark := follow_up(step, change, int(world.as_of.timestamp())):
            world, _ = do(world, mark)
    return world, found


def ended(world: World, want: Wanted) -> tuple[World, Way]:
    """Make passes until nothing moves and nothing is waited for."""
    for _ in range(60):
        world, found = passed(world, want)
        if not found.now and found.wait is None:
            return world, found
        world = simulate(world, found.wait or Wait(why="the next pass"), settle.USUAL)
    raise AssertionError(f"did not end: {found.wait}")


@WEIGHTED
@pytest.mark.parametrize(
    ("rollout", "parts"),
    [(canary_of((10, 5), (50, 5)), 10), (canary_of((10, 5), (100, 30)), 100), (BLUE_GREEN, 100)],
    ids=["at a tenth", "at the last hold", "blue-green, while clients follow"],
)
def test_an_alarm_that_falls_silent_once_traffic_is_back_has_the_revision_fail_all_the_same(
    kind: TrafficKind, rollout: Rollout, parts: int
) -> None:
    gated = replace(rollout, gates=Gates(alarms=(ALARM,)))
    world, _ = ended(said(empty_world(), "OK"), wanted(1, kind, rollout=gated))
    want = wanted(2, kind, rollout=gated)
    while weights_of(world).get(NEW, 0) < parts:
        world, found = passed(world, want)
        if weights_of(world).get(NEW, 0) < parts:
            world = simulate(world, found.wait or Wait(why="the next pass"), settle.USUAL)
    world, _ = passed(said(world, "ALARM"), want)
    assert not weights_of(world)[NEW]
    world, found = ended(said(world, "OK"), want)
    assert found.blocked is not None
    assert found.blocked.code == "failed"
    assert [t.failed.partition(";")[2].partition(";")[2] for t in world.templates if t.name == NEW] == [
        f"alarm {ALARM} is in ALARM"
    ]
    assert [g.name for g in world.groups] == [OLD]
