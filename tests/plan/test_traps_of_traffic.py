"""What AWS does that one does not expect: each test walks into one such trap, in a simulated world.

Those of groups stand in `test_traps`, those that need AWS's own answers in `tests/wire/test_traps.py`.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.ids import Arn, InstanceId
from reconciler.kinds.balancer.live import TargetHealth
from reconciler.kinds.register import World
from reconciler.strategies.slice import NOTHING
from tests.plan.house import (
    BALANCED,
    IMAGE,
    SHARED,
    TARGET,
    House,
    fleet,
    group,
    item,
    live_zone,
    ops,
    with_records,
    zone,
)
from tests.plan.trapped import HEAL, KEPT, both, changed, forward, house, of, roll, until, until_it_is_gone
from tests.strategies.invariants import weights_of

# Health and capacity


SICK = ("initial", "unhealthy", "unhealthy.draining", "unused", "draining", "unavailable", "")


@pytest.mark.parametrize("state", SICK)
@pytest.mark.parametrize("kind", ["balancer", "attach"])
def test_only_healthy_targets_pass_though_the_group_calls_every_instance_healthy(
    kind: str, state: str
) -> None:
    """HealthStatus stays Healthy during the grace period; of a target's states `healthy` alone counts."""
    one = house(kind)
    new = roll(one, kind)
    for live in until_it_is_gone(one, new.name):
        assert all(i.healthy for i in live.instances)
        assert not weights_of(one.world).get(new.name)
        own = {i.id for i in live.instances}
        one.world = replace(one.world, health=tuple(sick(h, own, state) for h in one.world.health))
    assert item(one.converge().plan()).blocked.code == "failed"


def sick(health: TargetHealth, own: set[InstanceId], state: str) -> TargetHealth:
    """Some targets in a state; in none: they are not registered."""
    states = ((i, state if i in own else s) for i, s in health.states)
    return replace(health, states=tuple((i, s) for i, s in states if s))


def test_ill_targets_of_others_in_a_shared_target_group_hold_no_rollout() -> None:
    """A gate over a whole target group fails on what the rollout does not own."""
    one = house("attach")
    new = roll(one, "attach")
    for _ in range(60):
        plan = one.apply()
        forward(one, plan)
        one.world = replace(
            one.world,
            health=tuple(
                replace(h, states=(*h.states, (InstanceId("i-theirs"), "unhealthy")))
                if h.group == SHARED and "i-theirs" not in dict(h.states)
                else h
                for h in one.world.health
            ),
        )
        if item(plan).shifted:
            break
    assert SHARED in of(one, new.name).target_groups
    assert item(one.plan()).shifted


@pytest.mark.parametrize("there", [0, 1])
@pytest.mark.parametrize("kind", ["balancer", "listener", "attach", "none"])
def test_a_group_of_the_right_revision_without_its_instances_is_not_deployed(kind: str, there: int) -> None:
    """In a shortage a group exists, is of the right version, and has nothing."""
    one = house(kind)
    old = group(one.world).name
    new = roll(one, kind)
    for live in until_it_is_gone(one, new.name):
        changed(one, new.name, instances=live.instances[:there])
        assert not item(one.plan()).shifted
        assert of(one, old).in_service == 3
    assert item(one.converge().plan()).blocked.code == "failed"
    assert "not ready in time" in item(one.plan()).blocked.why


# Traffic


def test_weights_that_are_all_zero_are_drift_and_heal_to_the_one_that_serves() -> None:
    """All weights zero are equal shares: a kept revision, or one half made, would get traffic by accident."""
    one = house("balancer", KEPT + HEAL)
    live = live_zone(one.world)
    one.world = with_records(one.world, *(replace(r, weight=0) for r in live.records))
    assert {(r.field, r.want, r.live) for r in one.plan().drift} == {("dns.weight", "255", "0")}
    one.converge()
    assert weights_of(one.world) == {group(one.world).name: 255}


def test_an_unknown_identifier_in_our_set_stops_a_rollout_before_any_traffic_moves() -> None:
    """Records have no tags: what stands in our weighted set and is not ours takes a share of it."""
    one = house("balancer")
    mine = live_zone(one.world).records[0]
    theirs = replace(mine, identifier="theirs", weight=1)
    one.world = with_records(one.world, theirs)
    before = live_zone(one.world).records
    roll(one, "balancer")
    until(one, lambda: item(one.plan()).blocked is not None)
    assert item(one.plan()).blocked.code == "conflict"
    assert "theirs" in item(one.plan()).blocked.why
    assert live_zone(one.world).records == before


@pytest.mark.parametrize("kind", ["balancer", "listener"])
def test_a_revision_that_somebody_gave_traffic_is_not_deleted(kind: str) -> None:
    """Deleting what still has a weight sends its share of the clients to nothing."""
    one = house(kind)
    old = group(one.world).name
    roll(one, kind)
    until(one, lambda: item(one.plan()).shifted)
    one.pass_time(timedelta(hours=2))
    one.world = weighed(one.world, old)
    for _ in range(5):
        plan = one.apply()
        assert of(one, old).sizes.desired == 3
        forward(one, plan)
        one.pass_time(timedelta(hours=1))
    assert any(r.field.endswith("weight") and r.resource == f"weight/{old}" for r in one.plan().drift)


def weighed(world: World, name: str) -> World:
    """Somebody gives a revision a share."""
    live = live_zone(world)
    records = tuple(replace(r, weight=100) if name in r.identifier else r for r in live.records)
    arns = {t.arn: t.name for t in world.target_groups}
    rules = tuple(
        replace(r, weights=tuple((a, 40 if arns.get(a) == name else w) for a, w in r.weights))
        for r in world.rules
    )
    return replace(world, zones=(replace(live, records=records),), rules=rules)


def test_a_deletion_that_hangs_in_the_background_keeps_no_traffic_from_going_back() -> None:
    """A version that was being deleted once blocked an urgent switch back to another one."""
    one = house("balancer")
    first = group(one.world).name
    second = roll(one, "balancer").name
    until(one, lambda: item(one.plan()).shifted)
    stays = of(one, first).instances
    changed(one, first, instances=(replace(stays[0], protected=True), *stays[1:]))
    until(one, lambda: of(one, first).sizes == NOTHING)
    third = roll(one, "balancer", generation="3").name
    until(one, lambda: weights_of(one.world).get(third) == 255)
    assert of(one, first).instances, "it never gets empty"
    one.merge(TARGET, IMAGE, zone(), *both("balancer", generation="2"))
    plan = one.apply()
    assert ops(plan)[0] == "change-records"
    assert weights_of(one.world)[second] == 255
    assert weights_of(one.world)[third] == 0


def test_a_target_group_of_others_in_our_rule_stops_a_rollout_and_is_not_lost() -> None:
    """A change of a rule replaces its whole list of targets: what is left out is gone."""
    one = house("listener")
    (rule,) = one.world.rules
    theirs = (*rule.weights, (Arn(SHARED), 1))
    one.world = replace(one.world, rules=(replace(rule, weights=theirs),))
    roll(one, "listener")
    until(one, lambda: item(one.plan()).blocked is not None)
    assert item(one.plan()).blocked.code == "conflict"
    assert SHARED in item(one.plan()).blocked.why
    (rule,) = one.world.rules
    assert rule.weights == theirs


def test_the_time_foreseen_is_no_less_than_the_checks_that_git_asks_for_take() -> None:
    """ELB's own five checks, half a minute apart, are two and a half minutes before any traffic."""
    earliest = []
    for health in ("{interval: 10s, healthy: 2}", "{interval: 60s, healthy: 5}"):
        one = House()
        one.merge(TARGET, IMAGE, zone(), fleet("web", checked(health), KEPT)).converge()
        one.merge(TARGET, IMAGE, zone(), fleet("web", checked(health), KEPT, generation="2"))
        begins = one.world.as_of
        ahead = item(one.plan(ahead=True)).steps
        earliest.append(next(s.at for s in ahead if s.op == "change-records" and s.at) - begins)
    assert earliest[0] < timedelta(minutes=5) <= earliest[1]


def checked(health: str) -> str:
    return (BALANCED % "web").replace("drain: 60s", f"drain: 60s, health: {health}")
