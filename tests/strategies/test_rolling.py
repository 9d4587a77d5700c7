"""Rolling: capacity moves in batches, and no batch leaves less at work than there was."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.kinds.group.want import Sizes
from reconciler.plan import settle
from reconciler.strategies.hand import Verb
from reconciler.strategies.wanted import Rollout, TrafficKind
from tests.strategies.invariants import check_converged
from tests.strategies.life import Life
from tests.strategies.rolls import NEW, OLD, at_rest, blocked, failed, group, rolling_out, running
from tests.worlds import BLUE_GREEN, RECREATE, rolling_by

KINDS = pytest.mark.parametrize(
    "kind", [TrafficKind.ATTACH, TrafficKind.NONE], ids=["attached", "without traffic"]
)
EIGHT = Sizes(min=4, max=12, desired=8)


def batches(life: Life) -> list[tuple[int, int]]:
    """Desired sizes of both, old one first, as they change from pass to pass."""
    found = list[tuple[int, int]]()
    for _ in range(60):
        life.wait(life.run())
        old, new = group(life, OLD), group(life, NEW)
        now = (old.sizes.desired if old else 0), (new.sizes.desired if new else 0)
        found += [now] if now not in found[-1:] else []
    return found


@KINDS
@pytest.mark.parametrize(
    ("surge", "sizes"),
    [
        (25, [(8, 2), (6, 4), (4, 6), (2, 8), (0, 8)]),
        (50, [(8, 4), (4, 8), (0, 8)]),
        (100, [(8, 8), (0, 8)]),
    ],
)
def test_each_batch_comes_up_before_as_much_of_the_old_one_goes(
    kind: TrafficKind, surge: int, sizes: list[tuple[int, int]]
) -> None:
    life = rolling_out(at_rest(kind, rolling_by(surge), sizes=EIGHT))
    assert batches(life) == sizes
    check_converged(life.world, life.want)


@KINDS
@pytest.mark.parametrize("surge", [1, 10, 34])
def test_both_together_are_never_below_the_total(kind: TrafficKind, surge: int) -> None:
    life = rolling_out(at_rest(kind, rolling_by(surge), sizes=EIGHT))
    for _ in range(80):
        plan = life.run()
        works = [g for g in life.world.groups if not g.deleting]
        assert sum(min(g.in_service, g.sizes.desired) for g in works) >= 8
        life.wait(plan)
    life.calm()
    check_converged(life.world, life.want)


@KINDS
def test_each_batch_has_its_own_time_to_get_ready(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, rolling_by(25), sizes=EIGHT))
    began, seen = life.world.as_of, set[int]()
    while running(life, OLD) > 2:
        seen.add(running(life, OLD))
        life.happened(settle.pass_time(life.world, timedelta(minutes=13)))
        life.wait(life.run())
    assert life.world.as_of - began > timedelta(minutes=40)
    assert not failed(life)
    life.calm()
    check_converged(life.world, life.want)


@KINDS
def test_where_a_later_batch_is_late_the_old_one_grows_back_before_the_new_one_goes(
    kind: TrafficKind,
) -> None:
    life = rolling_out(at_rest(kind, rolling_by(25), sizes=EIGHT))
    life.until(lambda x: running(x, OLD) == 6)
    life.signs.few[NEW] = 4
    life.happened(settle.pass_time(life.world, timedelta(minutes=20)))
    for _ in range(40):
        plan = life.run()
        works = [g for g in life.world.groups if not g.deleting]
        assert sum(min(g.in_service, g.sizes.desired) for g in works) >= 8
        life.wait(plan)
    assert failed(life).startswith("not ready in time: 4 of 6 instances in service")
    assert blocked(life.calm()) == "failed"
    assert (running(life, OLD), running(life, NEW)) == (8, 0)


@KINDS
@pytest.mark.parametrize("other", [BLUE_GREEN, rolling_by(50)], ids=["blue-green", "other batches"])
def test_another_strategy_in_the_middle_keeps_the_total(kind: TrafficKind, other: Rollout) -> None:
    life = rolling_out(at_rest(kind, rolling_by(25), sizes=EIGHT))
    life.until(lambda x: running(x, OLD) == 4)
    life.rollout = other
    life.commit(2)
    for _ in range(40):
        plan = life.run()
        works = [g for g in life.world.groups if not g.deleting]
        assert sum(min(g.in_service, g.sizes.desired) for g in works) >= 8, life.told()
        life.wait(plan)
    life.calm()
    check_converged(life.world, life.want)


@KINDS
def test_rolling_that_becomes_recreate_goes_on_with_one_of_them_at_work(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, rolling_by(25), sizes=EIGHT))
    life.until(lambda x: running(x, OLD) == 4)
    life.rollout = RECREATE
    life.commit(2)
    life.calm()
    check_converged(life.world, life.want)
    assert running(life, NEW) == 8


def test_a_first_batch_that_works_goes_back_only_once_the_old_one_is_whole_again() -> None:
    life = rolling_out(at_rest(TrafficKind.NONE, rolling_by(25), sizes=EIGHT))
    life.until(lambda x: running(x, NEW) == 2)
    smaller = replace(group(life, OLD).sizes, desired=6, min=4)  # by hand, or by a daemon that was slow
    life.happened(settle.ended(settle.resized(life.world, OLD, smaller)))
    assert life.say(Verb.ABORT)
    for _ in range(20):
        plan = life.run()
        works = [g for g in life.world.groups if not g.deleting]
        assert sum(min(g.in_service, g.sizes.desired) for g in works) >= 8, life.told()
        life.wait(plan)
    assert failed(life) == "aborted: why"
    assert (running(life, OLD), running(life, NEW)) == (8, 0)
