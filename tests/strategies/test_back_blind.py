"""Going back, and on, where little is known: marks that were lost or not read yet, what left its place already."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.facts import STAGE, retagged
from reconciler.plan import settle
from reconciler.strategies.hand import Verb
from reconciler.strategies.slice import NOTHING
from reconciler.strategies.wanted import NO_GATES, TrafficKind
from tests.strategies.invariants import check_converged, reweighed, weights_of
from tests.strategies.life import Life
from tests.strategies.rolls import (
    NEW,
    OLD,
    at_rest,
    blocked,
    failed,
    group,
    rolling_out,
    running,
    share,
    shifts,
    waits,
)
from tests.strategies.shapes import CANARY, Shape
from tests.worlds import BLUE_GREEN

WEIGHTED = pytest.mark.parametrize(
    "kind", [TrafficKind.DNS, TrafficKind.LISTENER], ids=lambda k: k.name.lower()
)
KINDS = pytest.mark.parametrize("kind", list(TrafficKind), ids=lambda k: k.name.lower())


@WEIGHTED
def test_one_that_is_on_its_way_out_takes_traffic_back_once_its_targets_are_checked_again(
    kind: TrafficKind,
) -> None:
    """Its time as the kept one is over, and no rule names it any more: AWS checks no target of it."""
    life = rolling_out(at_rest(kind, BLUE_GREEN, gates=NO_GATES))
    life.until(lambda x: bool(g := group(x, OLD)) and g.sizes == NOTHING)
    life.happened(settle.ended(life.world))
    assert OLD not in weights_of(life.world)
    life.say(Verb.ABORT)
    assert blocked(life.calm()) == "failed"
    assert {g.name for g in life.world.groups} == {OLD}
    assert set(weights_of(life.world)) == {OLD}


@pytest.mark.parametrize("lost", ["its mark is not read yet", "its mark was never written"])
def test_workers_work_on_until_a_newer_revision_does_whatever_is_known_of_them(lost: str) -> None:
    life = Life(Shape(kind=TrafficKind.NONE, rollout=BLUE_GREEN))
    life.until(lambda x: bool(g := group(x, OLD)) and g.in_service == g.sizes.desired)
    if lost == "its mark is not read yet":
        life.run()
    life.commit(2)
    life.run(stale=("groups", 4))
    assert running(life, OLD) == 3
    life.until(lambda x: (bool(g := group(x, NEW)) and g.in_service == 3) or running(x, OLD) < 3)
    assert running(life, OLD) == 3, "it goes when the other one works"
    life.calm()
    check_converged(life.world, life.want)


@WEIGHTED
def test_clients_have_their_time_though_somebody_says_retry_and_abort_again(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, BLUE_GREEN, gates=NO_GATES))
    life.until(lambda x: share(x) > 0)
    life.happened(settle.pass_time(life.world, timedelta(minutes=4)))
    life.say(Verb.ABORT)
    life.run("tag lost")  # so that the one which serves now does not know since when
    life.run()
    life.happened(settle.checked(life.world, frozenset({NEW})))
    life.retry()
    life.run()
    assert not share(life), "it is not ready"
    life.say(Verb.ABORT)
    life.run()
    assert running(life, NEW) == 3, "who still has a connection to it keeps it"
    assert blocked(life.calm()) == "failed"


@KINDS
def test_what_failed_and_serves_is_not_taken_away_where_nothing_is_left_to_go_back_to(
    kind: TrafficKind,
) -> None:
    """It was aborted, and before the old one could take over somebody deleted that."""
    life = rolling_out(at_rest(kind, BLUE_GREEN, gates=NO_GATES))
    life.until(lambda x: bool((g := group(x, OLD)) and g.sizes == NOTHING))
    life.happened(settle.ended(life.world))
    life.say(Verb.ABORT)
    life.run()
    assert failed(life)
    life.happened(replace(life.world, groups=tuple(g for g in life.world.groups if g.name != OLD)))
    assert blocked(life.calm()) == "failed"
    assert running(life, NEW) == 3
    assert {g.name for g in life.world.groups} == {NEW}
    life.retry()
    life.calm()
    check_converged(life.world, life.want)


@WEIGHTED
def test_what_a_canary_has_too_much_goes_back_once_the_other_one_can_carry_it(kind: TrafficKind) -> None:
    """The mark of its stage was lost, and somebody moved the weights by hand."""
    life = rolling_out(at_rest(kind, CANARY, gates=NO_GATES))
    life.until(lambda x: share(x) > 0)
    stage = {STAGE: dict(life.world.groups[1].tags)[STAGE].replace("1/", "0/", 1)}
    groups = tuple(
        replace(g, tags=retagged(g.tags, stage)) if g.name == NEW else g for g in life.world.groups
    )
    life.happened(replace(life.world, groups=groups))
    full = share(life) + share(life, OLD)
    life.happened(reweighed(life.world, {OLD: 1, NEW: full - 1}))
    life.happened(settle.checked(life.world, frozenset({OLD})))
    plan = life.run()
    assert not shifts(plan)
    assert "before traffic returns to it" in waits(plan)


@WEIGHTED
def test_clients_have_their_time_though_both_marks_of_its_traffic_were_lost(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, CANARY, gates=NO_GATES))
    while not share(life):
        life.wait(life.plan())
        life.run("tag lost")
    life.say(Verb.ABORT)
    life.run("tag lost")
    assert not share(life)
    life.run()
    assert running(life, NEW) == 3
    assert blocked(life.calm()) == "failed"
