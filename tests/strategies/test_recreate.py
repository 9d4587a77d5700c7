"""Recreate: for what may never run twice. One is gone before the other one starts, forwards and backwards."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.facts import IDLE
from reconciler.kinds.group.steps import CreateGroup, SetSizes
from reconciler.plan import settle
from reconciler.plan.fleet import Ask, way
from reconciler.strategies.hand import Verb
from reconciler.strategies.retire import VISIBLE
from reconciler.strategies.slice import NOTHING
from reconciler.strategies.wanted import NO_GATES, Allow, TrafficKind
from tests.strategies.invariants import check_converged
from tests.strategies.life import Life
from tests.strategies.rolls import NEW, OLD, at_rest, blocked, failed, group, rolling_out, running, share
from tests.strategies.shapes import Shape
from tests.worlds import KEEPER, RECREATE

KINDS = pytest.mark.parametrize("kind", list(TrafficKind), ids=lambda k: k.name.lower())
WEIGHTED = (TrafficKind.DNS, TrafficKind.LISTENER)


def apart(life: Life, passes: int = 40) -> list[str]:
    """Go on, and see that never two of them run. Return who ran, in turns."""
    turns = list[str]()
    for _ in range(passes):
        life.wait(life.run())
        run = [g.name for g in life.world.groups if g.instances]
        assert len(run) <= 1, life.told()
        turns += [n for n in run if n not in turns[-1:]]
    return turns


@KINDS
def test_the_old_one_is_gone_before_the_new_one_is_born(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, RECREATE))
    for _ in range(20):
        plan = life.plan()
        if any(isinstance(step, CreateGroup) for step in plan.now):
            assert running(life, OLD) == 0
            break
        assert not group(life, NEW)
        life.wait(life.run())
    else:
        raise AssertionError("never born")
    assert apart(life) == [NEW]
    life.calm()
    check_converged(life.world, life.want)


@KINDS
def test_the_old_one_is_stopped_only_once_all_but_the_new_group_is_there(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, RECREATE))
    life.until(lambda x: any(isinstance(s, SetSizes) and s.sizes == NOTHING for s in x.plan().now))
    life.run()
    new = life.want
    assert new
    assert {t.name for t in life.world.templates} == {OLD, NEW}
    assert ({b.name for b in life.world.balancers} == {OLD, NEW}) is bool(new.balancer)
    assert all(b.state == "active" for b in life.world.balancers)


@KINDS
def test_what_the_old_one_had_is_what_the_new_one_is_born_with(kind: TrafficKind) -> None:
    life = at_rest(kind, RECREATE)
    grown = next(g for g in life.world.groups if g.name == OLD)
    life.happened(settle.resized(life.world, OLD, type(grown.sizes)(min=2, max=6, desired=5)))
    life.happened(settle.checked(settle.launched(life.world)))
    rolling_out(life)
    life.until(lambda x: running(x, NEW) > 0)
    assert running(life, NEW) == 5


@KINDS
@pytest.mark.parametrize("late", [True, False], ids=["late", "aborted"])
def test_backwards_the_new_one_is_gone_before_the_old_one_starts_again(kind: TrafficKind, late: bool) -> None:
    life = rolling_out(at_rest(kind, RECREATE))
    life.until(lambda x: group(x, NEW) is not None)
    if late:
        life.signs.few[NEW] = 1
        life.wait(life.run())
        life.happened(settle.pass_time(life.world, timedelta(minutes=16)))
    else:
        life.wait(life.run())
        life.say(Verb.ABORT)
    assert apart(life)[-1:] == [OLD]
    assert blocked(life.calm()) == "failed"
    assert failed(life).startswith("not ready in time" if late else "aborted")
    assert running(life, OLD) == 3
    if kind in WEIGHTED:
        assert share(life, OLD)


@KINDS
def test_abort_while_the_old_one_is_kept_at_rest_starts_it_again(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, RECREATE))
    life.until(lambda x: bool((old := group(x, OLD)) and old.tag("reconciler:idle")))
    life.say(Verb.ABORT)
    assert apart(life)[-1:] == [OLD]
    life.calm()
    assert running(life, OLD) == 3


@KINDS
def test_an_alarm_blocks_before_the_old_one_goes_and_no_more_after(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, RECREATE))
    life.signs.alarm = "ALARM"
    assert blocked(life.run()) == "gate"
    assert running(life, OLD) == 3
    life.signs.good()
    life.until(lambda x: not running(x, OLD))
    life.signs.alarm = "ALARM"  # nobody serves: no wonder
    life.until(lambda x: group(x, NEW) is not None)


@KINDS
def test_a_newer_commit_stops_a_first_revision_that_is_not_ready_yet(kind: TrafficKind) -> None:
    life = Life(Shape(kind=kind, rollout=RECREATE))
    life.until(lambda x: running(x, OLD) > 0)
    rolling_out(life)
    assert apart(life)[-1:] == [NEW]
    life.calm()
    check_converged(life.world, life.want)


@KINDS
def test_no_group_is_born_while_one_of_another_revision_may_be_there_unseen(kind: TrafficKind) -> None:
    """Reads of Auto Scaling lag: the newest group may be there, and only its template is seen."""
    life = rolling_out(at_rest(kind, RECREATE, gates=NO_GATES))
    life.until(lambda x: group(x, NEW) is not None)
    unseen = replace(life.world, groups=tuple(g for g in life.world.groups if g.name != NEW))
    life.commit(3)
    assert life.want
    stands = way(unseen, Ask(fleet=life.want.fleet, want=life.want, keeper=KEEPER, allow=Allow()))
    wrote = {(step.op, str(step.name)) for step in stands.now}
    assert not [step for step in stands.now if isinstance(step, CreateGroup)]
    assert ("delete-template", NEW) not in wrote
    assert stands.wait
    if kind is not TrafficKind.DNS:  # its balancer takes longer to come
        assert stands.wait.why == f"a group {NEW} would not be visible yet"
        assert stands.wait.until == unseen.as_of + VISIBLE


@KINDS
def test_an_abort_when_keep_old_is_over_still_finds_the_old_one(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, RECREATE, gates=NO_GATES))
    old = life.until(lambda x: bool((g := group(x, OLD)) and g.tag(IDLE)))
    life.happened(settle.pass_time(old.world, timedelta(hours=1)))
    assert life.say(Verb.ABORT)
    assert apart(life)[-1:] == [OLD]
    assert blocked(life.calm()) == "failed"
    assert running(life, OLD) == 3
