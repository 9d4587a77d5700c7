"""Stages: which share a revision has at each, how long it stays there, and who lets it go on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.kinds.register import Blocked
from reconciler.plan import settle
from reconciler.strategies.hand import Verb
from reconciler.strategies.traffic import FULL_DNS, FULL_RULE, Share
from reconciler.strategies.wanted import ALIAS_TTL, TrafficKind
from tests.strategies.invariants import check_converged, reweighed, weights_of
from tests.strategies.rolls import (
    NEW,
    OLD,
    at_rest,
    blocked,
    done,
    holding,
    rolling_out,
    share,
    stands,
    waits,
)
from tests.strategies.shapes import CANARY
from tests.worlds import BLUE_GREEN, canary_of, sliced, wanted

WEIGHTED = pytest.mark.parametrize(
    "kind", [TrafficKind.DNS, TrafficKind.LISTENER], ids=lambda k: k.name.lower()
)
PARTS = [
    (1, FULL_DNS, 3),
    (10, FULL_DNS, 26),
    (50, FULL_DNS, 128),
    (99, FULL_DNS, 252),
    (100, FULL_DNS, 255),
    (1, FULL_RULE, 1),
    (10, FULL_RULE, 10),
    (99, FULL_RULE, 99),
    (100, FULL_RULE, 100),
]


@pytest.mark.parametrize(("percent", "total", "own"), PARTS)
def test_a_percent_is_so_many_whole_parts_and_the_rest_is_the_other_one_s(
    percent: int, total: int, own: int
) -> None:
    life = at_rest(TrafficKind.DNS, BLUE_GREEN)
    live = sliced(life.world, wanted(1)).revisions[0]
    other = replace(live, name=live.name.replace("1", "0"))
    shares = Share(to=live, percent=percent, rest=other).of(total)
    assert shares[live.name] == own
    assert sum(shares.values()) == total


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        (TrafficKind.DNS, [(255, 0), (229, 26), (127, 128), (0, 255)]),
        (TrafficKind.LISTENER, [(100, 0), (90, 10), (50, 50), (0, 100)]),
    ],
    ids=["of 255 in dns", "of 100 in a rule"],
)
def test_a_canary_has_the_weights_of_each_stage_in_their_order(
    kind: TrafficKind, seen: list[tuple[int, int]]
) -> None:
    life, found = rolling_out(at_rest(kind, CANARY)), list[tuple[int, int]]()
    for _ in range(80):
        plan = life.run()
        now = share(life, OLD), share(life, NEW)
        if now not in found[-1:]:
            found.append(now)
        if blocked(plan) == "pause":
            life.say(Verb.PROMOTE)
        life.wait(plan)
    assert found[: len(seen)] == seen
    check_converged(life.world, life.want)


def test_a_hold_in_dns_begins_once_the_change_is_in_sync_and_a_ttl_is_over() -> None:
    life = rolling_out(at_rest(TrafficKind.DNS, CANARY))
    life.until(lambda x: any("change-records" in line for line in done(x.plan())))
    life.run()
    life.happened(settle.pass_time(life.world, timedelta(minutes=20)))
    assert waits(life.run()) == f"Route 53 change {life.world.changes[-1].id} is PENDING"
    life.happened(settle.synced(life.world))
    plan = life.run()
    assert plan.wait
    assert plan.wait.why == f"{NEW} holds 10% for 5m"
    assert plan.wait.until == life.world.as_of + ALIAS_TTL + timedelta(minutes=5)


def test_a_hold_behind_a_listener_begins_with_the_weights() -> None:
    life = holding(TrafficKind.LISTENER)
    plan, new = life.plan(), life.newest()
    assert plan.wait
    assert new
    assert new.stage
    assert plan.wait.until == new.stage.since + timedelta(minutes=5)


@WEIGHTED
def test_a_pause_blocks_until_somebody_promotes_the_stage_that_it_is_at(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, canary_of((10, 0), None, (50, 0), None)))
    stands(life, "pause")
    first = share(life)
    life.say(Verb.PROMOTE)
    life.until(lambda x: share(x) > first)
    stands(life, "pause")
    assert isinstance(life.plan().blocked, Blocked), "the word was for the first pause"
    life.say(Verb.PROMOTE)
    life.until(lambda x: not share(x, OLD))


@WEIGHTED
def test_a_first_pause_stops_a_revision_that_is_ready_before_it_has_traffic(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, canary_of((10, 0), pause_first=True)))
    stands(life, "pause")
    assert not share(life)
    life.happened(settle.pass_time(life.world, timedelta(days=2)))
    plan = life.run()
    assert plan.blocked
    assert plan.blocked.why.startswith(f"{NEW} is ready, and has no traffic yet, and pauses there")
    life.say(Verb.PROMOTE)
    life.until(lambda x: share(x) > 0)


@WEIGHTED
def test_promote_full_skips_holds_and_pauses(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, canary_of((10, 600), None, (50, 600), None)))
    life.until(lambda x: share(x) > 0)
    began = life.world.as_of
    life.say(Verb.FULL)
    life.until(lambda x: not share(x, OLD))
    assert life.world.as_of - began < timedelta(minutes=5)


@WEIGHTED
def test_promote_full_does_not_skip_a_gate(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, canary_of((10, 600), pause_first=True)))
    stands(life, "pause")
    life.signs.alarm = "ALARM"
    life.say(Verb.FULL)
    assert waits(life.run()) == "gate: alarm errors is in ALARM"
    assert not share(life)


@WEIGHTED
@pytest.mark.parametrize("moved", [1, 80])
def test_weights_that_somebody_moved_are_put_back_to_the_stage(kind: TrafficKind, moved: int) -> None:
    life = holding(kind)
    have = weights_of(life.world)
    total = sum(have.values())
    life.happened(reweighed(life.world, {NEW: moved, OLD: total - moved}))
    life.run()
    assert weights_of(life.world) == have


@WEIGHTED
@pytest.mark.parametrize("first", [5, 20], ids=["below what it has", "above what it has"])
def test_of_other_stages_in_git_a_revision_is_at_the_one_that_it_has_reached(
    kind: TrafficKind, first: int
) -> None:
    life = holding(kind)
    life.rollout = canary_of((first, 5), (60, 60))
    life.commit(2)
    stands(life, f"holds {first}%")
    total = FULL_DNS if kind is TrafficKind.DNS else FULL_RULE
    assert share(life) == round(total * first / 100)
    stands(life, "holds 60%")
    life.calm()
    check_converged(life.world, life.want)


@WEIGHTED
def test_a_canary_that_becomes_blue_green_takes_all_traffic_next(kind: TrafficKind) -> None:
    life = holding(kind)
    life.rollout = BLUE_GREEN
    life.commit(2)
    life.run()
    assert not share(life, OLD)


@WEIGHTED
def test_git_back_at_the_revision_that_serves_ends_a_canary_at_once_and_makes_nothing(
    kind: TrafficKind,
) -> None:
    life = holding(kind)
    life.commit(1)
    plan = life.run()
    assert weights_of(life.world)[NEW] == 0
    assert not any("create-" in line for line in done(plan))
    life.calm()
    check_converged(life.world, life.want)


@WEIGHTED
def test_the_last_hold_keeps_the_old_one_at_work_while_gates_watch(kind: TrafficKind) -> None:
    life = rolling_out(at_rest(kind, canary_of((50, 0), (100, 30))))
    stands(life, "holds all traffic for 30m")
    life.signs.alarm = "ALARM"
    life.run()
    assert not share(life)
    assert share(life, OLD)
