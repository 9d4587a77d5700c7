"""Going back: traffic first and in one batch, then what is remembered, then capacity; or a stop where it stands."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.facts import STAGE
from reconciler.kinds.group.steps import TagGroup
from reconciler.kinds.record.steps import Action, ChangeRecords
from reconciler.plan import settle
from reconciler.plan.fleet import Ask, way
from reconciler.strategies.hand import Verb
from reconciler.strategies.retire import INSYNC_USUAL, LEFT
from reconciler.strategies.slice import parse_stage
from reconciler.strategies.wanted import NO_GATES, Allow, Gates, TrafficKind
from tests.strategies.facts import ERRORS as METRIC
from tests.strategies.facts import LOST, PROBE
from tests.strategies.invariants import check_converged, reweighed, weights_of
from tests.strategies.life import SUSPENDED, Life
from tests.strategies.rolls import (
    ERRORS,
    NEW,
    OLD,
    at_rest,
    blocked,
    done,
    failed,
    group,
    holding,
    rolling_out,
    running,
    share,
    shifts,
    stands,
    waits,
)
from tests.strategies.shapes import CANARY
from tests.worlds import BLUE_GREEN, KEEPER

WEIGHTED = pytest.mark.parametrize(
    "kind", [TrafficKind.DNS, TrafficKind.LISTENER], ids=lambda k: k.name.lower()
)
KINDS = pytest.mark.parametrize("kind", list(TrafficKind), ids=lambda k: k.name.lower())
BAD = {
    "an alarm in ALARM": (ERRORS, ("alarm", "ALARM"), "alarm errors is in ALARM"),
    "an alarm without data": (ERRORS, ("alarm", "INSUFFICIENT_DATA"), "alarm errors has no data"),
    "alarms that can't be read": (ERRORS, ("alarm", LOST), "alarm errors can't be read: AccessDenied"),
    "a metric": (Gates(metrics=(METRIC,)), ("value", 9.0), "target5xxPercent is 9, above 1, over 5m"),
    "a probe": (Gates(probe=PROBE), ("answers", 0), "probe /healthz: 503 after 0 of 3"),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_gate_at_ten_percent_sends_all_traffic_back_in_one_batch_then_remembers_it(bad: str) -> None:
    gates, (sign, value), why = BAD[bad]
    life = holding(TrafficKind.DNS, gates=gates)
    setattr(life.signs, sign, value)
    plan = life.run()
    (batch,) = shifts(plan)
    assert isinstance(batch, ChangeRecords)
    assert [c.action for c in batch.changes].count(Action.DELETE) == 2
    assert weights_of(life.world) == {OLD: 255, NEW: 0}
    writes = done(plan)
    assert writes.index("change-records web.example.com.") < writes.index(f"tag-template {NEW}")
    assert running(life, NEW) == 3, "its clients have their time"
    assert failed(life).startswith(why)
    life.calm()
    assert not group(life, NEW)
    assert blocked(life.plan()) == "failed"


@WEIGHTED
def test_a_sick_gate_that_may_be_missing_does_not_send_traffic_back(kind: TrafficKind) -> None:
    life = holding(kind, gates=Gates(alarms=("errors",), missing="pass"))
    life.signs.alarm = "INSUFFICIENT_DATA"
    assert not shifts(life.run())


@WEIGHTED
def test_traffic_goes_back_before_weights_are_put_right(kind: TrafficKind) -> None:
    life = holding(kind)
    life.happened(reweighed(life.world, {NEW: 1}))
    life.signs.alarm = "ALARM"
    (write,) = shifts(life.run())
    assert getattr(write, "because", "") == f"all traffic to {OLD}"
    assert not share(life)


@WEIGHTED
def test_who_takes_traffic_back_is_brought_to_size_first_and_waited_for(kind: TrafficKind) -> None:
    life = holding(kind)
    life.happened(settle.checked(life.world, frozenset({OLD})))
    life.signs.alarm = "ALARM"
    plan = life.run()
    assert "before traffic returns to it" in waits(plan)
    assert share(life)
    assert failed(life), "a mark first where traffic has to wait: a good alarm would not take that back"
    life.happened(settle.checked(life.world))
    life.signs.good()
    life.run()
    assert not share(life)


@WEIGHTED
def test_what_failed_is_not_tried_again_until_git_changes_or_somebody_says_retry(kind: TrafficKind) -> None:
    life = holding(kind)
    life.signs.alarm = "ALARM"
    life.calm()
    life.signs.good()
    assert life.plan().now == ()
    life.retry()
    life.calm()
    check_converged(life.world, life.want)


@KINDS
def test_an_alarm_before_the_start_blocks_and_nothing_is_made(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, BLUE_GREEN))
    life.signs.alarm = "ALARM"
    plan = life.run()
    assert (blocked(plan), done(plan)) == ("gate", [])
    assert plan.blocked
    assert plan.blocked.why == "it does not start: alarm errors is in ALARM"
    life.signs.good()
    life.calm()
    check_converged(life.world, life.want)


@KINDS
def test_an_alarm_before_the_first_traffic_is_waited_out_until_it_is_late(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, BLUE_GREEN))
    life.run()
    life.signs.alarm = "ALARM"
    stands(life, "gate: alarm errors is in ALARM")
    assert not failed(life)
    life.happened(settle.pass_time(life.world, timedelta(minutes=15)))
    life.run()
    assert failed(life) == "not ready in time: gate: alarm errors is in ALARM"
    assert blocked(life.calm()) == "failed"


@KINDS
@pytest.mark.parametrize("final", [True, False], ids=["final", "for now"])
def test_launches_that_fail_for_good_fail_at_once_and_others_are_told_and_waited_for(
    kind: TrafficKind, final: bool
) -> None:
    life = rolling_out(at_rest(kind, BLUE_GREEN))
    life.run()
    life.signs.few[NEW], life.signs.final = 1, final
    life.wait(life.run())
    plan = life.run()
    assert bool(failed(life)) is final
    if final:
        assert "there is no capacity in the zone" in failed(life)
    else:
        assert "1 of 3 instances in service; " in waits(plan)
        assert "there is no capacity in the zone" in waits(plan)
        life.signs.good()
        life.calm()
        check_converged(life.world, life.want)


@KINDS
def test_abort_after_all_traffic_has_moved_goes_back_to_the_kept_one(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, BLUE_GREEN))
    stands(life, f"{OLD} is kept")
    kept = running(life, OLD)
    life.say(Verb.ABORT)
    plan = life.run()
    assert not any("create-" in line for line in done(plan))
    if kind in (TrafficKind.DNS, TrafficKind.LISTENER):
        assert kept == 3
        assert (share(life, OLD) > 0, share(life, NEW)) == (True, 0), "at once, without a launch"
    life.calm()
    assert {g.name for g in life.world.groups} == {OLD}
    assert running(life, OLD) == 3
    assert failed(life) == "aborted: why"


@KINDS
def test_abort_before_any_traffic_takes_the_new_one_away(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, BLUE_GREEN))
    life.run()
    life.say(Verb.ABORT)
    assert blocked(life.calm()) == "failed"
    assert {g.name for g in life.world.groups} == {OLD}


def held(kind: TrafficKind) -> Life:
    """A canary that failed at its first stage and stands there."""
    life = holding(kind, hold=True)
    life.signs.alarm = "ALARM"
    life.run()
    return life


@WEIGHTED
def test_hold_stands_still_where_it_failed_whatever_time_and_alarms_do(kind: TrafficKind) -> None:
    life = held(kind)
    have = weights_of(life.world)
    assert have[NEW] > 0
    assert failed(life) == "alarm errors is in ALARM"
    life.signs.good()
    for _ in range(5):
        life.happened(settle.pass_time(life.world, timedelta(hours=1)))
        plan = life.run()
        assert blocked(plan) == "held"
        assert not [line for line in done(plan) if not line.startswith("tag-")]
    assert weights_of(life.world) == have


@WEIGHTED
def test_retry_gives_what_is_held_its_time_anew_from_where_it_stands(kind: TrafficKind) -> None:
    life = held(kind)
    have = weights_of(life.world)
    life.signs.good()
    life.happened(settle.pass_time(life.world, timedelta(hours=1)))
    life.retry()
    life.run("fails")
    assert weights_of(life.world) == have
    assert not failed(life)
    life.calm()
    check_converged(life.world, life.want)


@WEIGHTED
def test_retry_of_what_is_held_while_its_gate_is_still_bad_is_held_again(kind: TrafficKind) -> None:
    life = held(kind)
    life.retry()
    assert not shifts(life.run())
    assert failed(life)
    assert blocked(life.run()) == "held"


@WEIGHTED
def test_abort_of_what_is_held_goes_back(kind: TrafficKind) -> None:
    life = held(kind)
    life.say(Verb.ABORT)
    assert len(shifts(life.run())) == 1
    assert not share(life)
    assert blocked(life.calm()) == "failed"
    assert {g.name for g in life.world.groups} == {OLD}


@WEIGHTED
def test_a_newer_commit_takes_the_place_of_what_is_held(kind: TrafficKind) -> None:
    life = held(kind)
    life.signs.good()
    life.commit(3)
    life.calm()
    check_converged(life.world, life.want)


@WEIGHTED
def test_under_suspension_nothing_is_written_but_the_way_back(kind: TrafficKind) -> None:
    life = holding(kind)
    life.suspended = SUSPENDED
    life.happened(settle.pass_time(life.world, timedelta(hours=1)))
    assert (blocked(life.run()), done(life.plan())) == ("suspended", [])
    life.signs.alarm = "ALARM"
    assert len(shifts(life.run())) == 1
    assert not share(life)
    life.suspended = None
    assert blocked(life.calm()) == "failed"


def test_a_canary_is_gone_back_from_within_one_pass_and_its_old_one_was_never_smaller() -> None:
    life = rolling_out(at_rest(TrafficKind.DNS, CANARY))
    sizes = []
    for _ in range(40):
        life.wait(life.run())
        old = group(life, OLD)
        sizes.append(old.sizes.min if old else 0)
        if share(life):
            break
    assert set(sizes) == {3}


def test_a_batch_of_another_process_is_given_the_usual_minute_where_its_change_is_not_known() -> None:
    """One that dies, or is slow, between the batch and its mark leaves nothing to ask Route 53 about."""
    life = holding(TrafficKind.DNS)
    life.say(Verb.ABORT)
    life.happened(reweighed(life.world, {OLD: 255, NEW: 0}))
    plan = life.run()
    (left,) = [s for s in plan.now if isinstance(s, TagGroup) and s.name == NEW and STAGE in dict(s.put)]
    stage = parse_stage(dict(left.put)[STAGE])
    assert stage
    assert (stage.stages, stage.since) == (LEFT, life.world.as_of + INSYNC_USUAL)


def test_a_fourth_group_is_not_born_while_a_third_may_be_there_unseen() -> None:
    life = at_rest(TrafficKind.NONE, BLUE_GREEN, gates=NO_GATES)
    for commit in (2, 3):
        life.commit(commit)
        life.run()
    assert len(life.world.groups) == 3
    seen = replace(life.world, groups=tuple(g for g in life.world.groups if g.name != "web-0000000003"))
    life.commit(4)
    assert life.want
    stands = way(seen, Ask(fleet=life.want.fleet, want=life.want, keeper=KEEPER, allow=Allow()))
    assert "create-group" not in [step.op for step in stands.now]
    assert stands.wait
    assert stands.wait.why.startswith("3 revisions exist")
