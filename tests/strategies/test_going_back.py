"""A newer commit in the middle of a rollout, a fleet that comes back, and marks of traffic that were lost."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.kinds.group.steps import SetSizes
from reconciler.kinds.register import Wait
from reconciler.plan import settle
from reconciler.strategies.slice import NOTHING
from reconciler.strategies.wanted import TrafficKind
from tests.strategies.chaos import peace
from tests.strategies.invariants import check_converged, weights_of
from tests.strategies.life import Life
from tests.strategies.rolls import stands
from tests.strategies.shapes import Shape

WEIGHTED = pytest.mark.parametrize(
    "kind", [TrafficKind.DNS, TrafficKind.LISTENER], ids=lambda k: k.name.lower()
)
KINDS = pytest.mark.parametrize("kind", list(TrafficKind), ids=lambda k: k.name.lower())


def begun(kind: TrafficKind) -> Life:
    """A fleet at rest at its first revision."""
    life = Life(Shape(kind=kind))
    life.calm()
    return life


def in_flight(kind: TrafficKind, fate: str = "whole") -> Life:
    """The second revision has just got the traffic, and no client had the time to follow."""
    life = begun(kind)
    life.commit(2)
    for _ in range(20):
        plan = life.plan()
        shifts = [
            n for n, s in enumerate(plan.now) if "all traffic to web-0000000002" in getattr(s, "because", "")
        ]
        if shifts:
            life.run(fate, shifts[0])
            return life
        life.run()
        life.wait(plan)
    raise AssertionError("no shift")


@WEIGHTED
@pytest.mark.parametrize("fate", ["whole", "lost reply", "tag lost", "killed"])
def test_a_newer_commit_sends_traffic_back_once_and_not_back_and_forth(kind: TrafficKind, fate: str) -> None:
    life = in_flight(kind, fate)
    assert weights_of(life.world)["web-0000000002"] > 0
    life.commit(3)
    shifts = [weights_of(life.world)]
    for _ in range(60):
        plan = life.run()
        now = {n: w for n, w in weights_of(life.world).items() if w}
        if now != {n: w for n, w in shifts[-1].items() if w}:
            shifts.append(now)
        life.wait(plan)
    assert [next(iter(n for n, w in s.items() if w)) for s in shifts] == [
        "web-0000000002",
        "web-0000000001",
        "web-0000000003",
    ]
    check_converged(life.world, life.want)


@WEIGHTED
def test_traffic_waits_with_its_return_until_the_one_that_takes_it_is_as_well_as_who_has_it(
    kind: TrafficKind,
) -> None:
    life = in_flight(kind)
    life.happened(settle.checked(life.world, frozenset({"web-0000000001"})))
    life.commit(3)
    plan = life.plan()
    assert isinstance(plan.wait, Wait)
    assert "before traffic returns to it" in plan.wait.why
    life.happened(settle.checked(life.world))
    life.calm()
    check_converged(life.world, life.want)


@KINDS
def test_a_fleet_that_left_git_and_is_back_serves_again(kind: TrafficKind) -> None:
    for passes in range(6):
        for fate in ("whole", "tag lost", "killed"):
            life = in_flight(kind) if kind is TrafficKind.LISTENER else begun(kind)
            life.commit(None)
            for _ in range(passes):
                life.run(fate)
            life.commit(1)
            peace(life)
            life.calm()
            check_converged(life.world, life.want)


@KINDS
def test_a_fourth_revision_does_not_wait_for_the_oldest_kept_one(kind: TrafficKind) -> None:
    life = begun(kind)
    for n in (2, 3, 4):
        life.commit(n)
        for _ in range(40):
            life.run()
            life.happened(settle.pass_time(life.world, timedelta(seconds=20)))
            life.happened(
                settle.checked(settle.launched(settle.provisioned(settle.synced(settle.ended(life.world)))))
            )
            life.happened(settle.gone(life.world))
    assert {g.name for g in life.world.groups} >= {"web-0000000004", "web-0000000003"}
    life.calm()
    check_converged(life.world, life.want)


def test_without_traffic_to_move_the_old_one_works_on_while_the_new_one_falls_short() -> None:
    life = begun(TrafficKind.NONE)
    life.commit(2)
    for _ in range(30):
        plan = life.plan()
        ends = [n for n, s in enumerate(plan.now) if isinstance(s, SetSizes) and s.sizes == NOTHING]
        life.run("killed", ends[0] - 1 if ends else len(plan.now))
        if ends:
            break
        life.wait(plan)
    died = (replace(g, instances=()) if g.name == "web-0000000002" else g for g in life.world.groups)
    life.happened(replace(life.world, groups=tuple(died)))
    plan = life.plan()
    assert not any(isinstance(s, SetSizes) for s in plan.now)
    assert isinstance(plan.wait, Wait)
    assert plan.wait.why == "web-0000000002: 0 of 2 instances in service, before web-0000000001 goes"


def test_a_fourth_revision_waits_until_the_third_has_settled_where_commits_come_one_upon_the_other() -> None:
    """Attached, each takes its targets before clients of the one before have left: none of them has settled yet."""
    life = begun(TrafficKind.ATTACH)
    for commit in (2, 3):
        life.commit(commit)
        while not ((new := life.newest()) and new.stage and new.stage.full):
            life.run()
            life.happened(settle.checked(settle.launched(life.world)))
    life.commit(4)
    stands(life, "3 revisions exist")
    plan = life.plan()
    assert plan.wait
    assert plan.wait.until
    life.calm()
    check_converged(life.world, life.want)
