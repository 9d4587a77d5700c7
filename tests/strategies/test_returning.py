"""A reverted commit: the kept revision takes all traffic back at once, whatever rings and whatever the stages are."""

import pytest

from reconciler.strategies.hand import Verb
from reconciler.strategies.wanted import Rollout, TrafficKind
from tests.strategies.life import Life
from tests.strategies.rolls import (
    NEW,
    OLD,
    at_rest,
    done,
    failed,
    group,
    rolling_out,
    running,
    share,
    shifts,
    stands,
)
from tests.strategies.shapes import CANARY
from tests.worlds import BLUE_GREEN, RECREATE, canary_of, rolling_by

WAYS = {
    "blue-green, dns": (TrafficKind.DNS, BLUE_GREEN),
    "blue-green, listener": (TrafficKind.LISTENER, BLUE_GREEN),
    "canary, dns": (TrafficKind.DNS, CANARY),
    "canary that pauses first, listener": (TrafficKind.LISTENER, canary_of((10, 5), pause_first=True)),
    "rolling, attach": (TrafficKind.ATTACH, rolling_by(25)),
    "rolling, none": (TrafficKind.NONE, rolling_by(50)),
    "blue-green, attach": (TrafficKind.ATTACH, BLUE_GREEN),
    "recreate, none": (TrafficKind.NONE, RECREATE),
}


def taken_over(kind: TrafficKind, rollout: Rollout) -> Life:
    """The second revision has all traffic, and the first one is kept."""
    life = rolling_out(at_rest(kind, rollout))
    life.until(lambda x: x.newest() is not None)
    life.say(Verb.FULL)
    return stands(life, f"{OLD} is kept")


WEIGHTED = [way for way, (kind, _) in WAYS.items() if kind in (TrafficKind.DNS, TrafficKind.LISTENER)]


@pytest.mark.parametrize("way", WEIGHTED)
def test_a_revert_gives_all_traffic_back_in_one_write_without_a_launch_while_the_alarm_rings(
    way: str,
) -> None:
    kind, rollout = WAYS[way]
    life = taken_over(kind, rollout)
    life.signs.alarm = "ALARM"
    life.commit(1)
    plan = life.run()
    assert len(shifts(plan)) == 1
    assert not any("create-group" in line for line in done(plan))
    assert share(life, OLD) > 0
    assert share(life, NEW) == 0
    stands(life, f"{NEW} is kept")
    assert not failed(life, OLD)


@pytest.mark.parametrize("way", WAYS)
def test_a_revert_serves_again_and_the_bad_one_goes(way: str) -> None:
    kind, rollout = WAYS[way]
    life = taken_over(kind, rollout)
    life.signs.alarm = "OK" if rollout is RECREATE else "ALARM"
    life.commit(1)
    life.calm()
    assert {g.name for g in life.world.groups} == {OLD}
    assert running(life, OLD) == 3
    assert not failed(life, OLD)


def test_the_newer_one_passes_its_stages_again_when_the_revert_is_reverted() -> None:
    life = taken_over(TrafficKind.DNS, CANARY)
    life.commit(1)
    stands(life, f"{NEW} is kept")
    life.commit(2)
    stands(life, "holds 10%")
    assert group(life, NEW)
    assert share(life) == 26
