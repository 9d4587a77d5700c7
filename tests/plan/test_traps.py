"""What AWS does that one does not expect: each test walks into one such trap, in a simulated world.

Those that need AWS's own answers stand in `tests/wire/test_traps.py`.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.ids import InstanceId
from reconciler.kinds.balancer.live import TargetHealth
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import CreateGroup, DeleteGroup, ResumeProcesses, SetSizes
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.register import World
from reconciler.plan.limits import Limits
from reconciler.plan.model import TargetPlan
from reconciler.strategies.slice import NOTHING
from tests.plan.house import (
    IMAGE,
    SHARED,
    TARGET,
    House,
    altered,
    fleet,
    group,
    item,
    live_zone,
    ops,
    with_records,
    zone,
)
from tests.strategies.invariants import weights_of

KEPT = "  rollout: {keepOld: 10m, readyWithin: 15m}\n"
HEAL = "  drift: heal\n"
BY_AWS = "Process suspended by Auto Scaling: it failed to launch instances for more than 24 hours"


def house(kind: str = "none", more: str = KEPT) -> House:
    """A fleet that serves."""
    return House(limits=Limits(retire=100)).merge(TARGET, IMAGE, zone(), *both(kind, more)).converge()


def both(kind: str, more: str = KEPT, generation: str = "1") -> tuple[str, str]:
    """The fleet, and one beside it, so that it is never the last."""
    return fleet("web", kind, more, generation=generation), fleet("stays")


def roll(one: House, kind: str, more: str = KEPT, generation: str = "2") -> LiveGroup:
    """Begin a replacement, up to where its new group is there; return that one."""
    one.merge(TARGET, IMAGE, zone(), *both(kind, more, generation))
    before = {g.name for g in one.world.groups}
    until(one, lambda: {g.name for g in one.world.groups} != before)
    (new,) = (g for g in one.world.groups if g.name not in before)
    return new


def until(one: House, done: Callable[[], bool]) -> TargetPlan:
    """Make passes until something is so."""
    for _ in range(60):
        plan = one.apply()
        if done():
            return plan
        forward(one, plan)
    raise AssertionError([(i.name, i.action, i.wait, i.blocked) for i in plan.items])


def forward(one: House, plan: TargetPlan) -> None:
    """Let the world settle, and time pass to where an answer can change."""
    waits = [i.wait.until for i in plan.items if i.wait and i.wait.until]
    one.wait(min(waits, default=one.world.as_of + timedelta(minutes=1)))


def changed(one: House, name: str, **changes: object) -> None:
    """Somebody, or AWS, changes a group."""
    groups = tuple(replace(g, **changes) if g.name == name else g for g in one.world.groups)
    one.world = replace(one.world, groups=groups)


def of(one: House, name: str) -> LiveGroup:
    """One group."""
    return next(g for g in one.world.groups if g.name == name)


# Groups


def test_a_group_whose_deletion_is_under_way_is_gone_but_its_name_is_not_free() -> None:
    """A `Status` on a group means that it is being deleted: what is written to it fails, its name is taken."""
    one = house()
    name = group(one.world).name
    one.merge(TARGET, IMAGE, zone(), fleet("stays"))
    until(one, lambda: of(one, name).deleting)
    one.merge(TARGET, IMAGE, zone(), *both("none"))
    plan = one.apply()
    assert ops(plan) == []
    assert item(plan).wait.why == f"{name} is still being deleted; another launch.generation would not wait"
    born = of(one, name).tag("reconciler:born")
    one.pass_time(timedelta(minutes=1))
    one.converge()
    assert group(one.world).sizes.desired == 3
    assert group(one.world).tag("reconciler:born") > born, "its tags are not those of the deleted one"


def protect(live: LiveGroup) -> dict[str, object]:
    return {"instances": (replace(live.instances[0], protected=True), *live.instances[1:])}


def stand_by(live: LiveGroup) -> dict[str, object]:
    return {"instances": (replace(live.instances[0], lifecycle="Standby"), *live.instances[1:])}


def suspend(live: LiveGroup) -> dict[str, object]:
    return {"suspended": (("Terminate", "by hand"),)}


HINDERS = {
    "protected from scale-in": (protect, "protected-instance"),
    "in standby": (stand_by, "protected-instance"),
    "Terminate is suspended": (suspend, "suspended-process"),
}


@pytest.mark.parametrize("hinder", HINDERS)
def test_what_would_hang_a_graceful_deletion_is_named_and_not_waited_for(hinder: str) -> None:
    """Protected or standby instances, or a suspended Terminate, keep a group from ever getting empty."""
    change, code = HINDERS[hinder]
    one = house()
    live = group(one.world)
    one.world = altered(one.world, **change(live))
    one.merge(TARGET, IMAGE, zone(), fleet("stays"))
    plan = until(one, lambda: item(one.plan()).blocked is not None)
    plan = one.plan()
    assert item(plan).blocked.code == code
    assert live.name in item(plan).blocked.why
    if code == "protected-instance":
        assert live.instances[0].id in item(plan).blocked.why
    assert of(one, live.name).sizes == NOTHING
    assert not any(isinstance(s, DeleteGroup) for s in one.told)


@pytest.mark.parametrize("surplus", [1, 2])
def test_more_instances_than_asked_for_pass_a_gate(surplus: int) -> None:
    """Rebalancing zones may exceed the size for a while: counted is at least, never exactly."""
    one = house("balancer")
    new = roll(one, "balancer")
    until(one, lambda: of(one, new.name).in_service >= 3)
    more = tuple(
        replace(of(one, new.name).instances[0], id=InstanceId(f"i-more-{n}")) for n in range(surplus)
    )
    changed(one, new.name, instances=(*of(one, new.name).instances, *more))
    one.world = no_endings(one.world)
    until(one, lambda: weights_of(one.world).get(new.name) == 255)


def no_endings(world: World) -> World:
    """A world in which nothing ends by itself."""
    groups = tuple(replace(g, suspended=(("Terminate", "AZRebalance"),)) for g in world.groups)
    return replace(world, groups=groups)


@pytest.mark.parametrize(
    "purchase", ["{onDemandBase: 1}", "{onDemandPercent: 50, spotAllocation: lowest-price}"]
)
def test_other_purchase_options_are_another_revision(purchase: str) -> None:
    """Written to a group that exists they may replace its instances at once."""
    one = house()
    old = group(one.world).name
    more = f"  overrides: {{prod: {{launch: {{purchase: {purchase}}}}}}}\n"
    one.merge(TARGET, IMAGE, zone(), *both("none", KEPT + more))
    assert item(one.plan()).action == "replace"
    one.converge()
    assert group(one.world).name != old
    assert {s.name for s in one.told if s.op == "update-group"} == set()


def test_processes_that_aws_suspended_after_a_day_of_failed_launches_are_drift_with_its_reason() -> None:
    """After 24 h of failed launches AWS suspends processes by itself: never to be counted as our own."""
    one = house()
    one.world = altered(one.world, suspended=(("Launch", BY_AWS), ("AZRebalance", "by hand")))
    rows = {(r.field, r.want, r.live) for r in one.plan().drift}
    assert rows == {
        ("suspended.Launch", "running", BY_AWS),
        ("suspended.AZRebalance", "running", "by hand"),
    }
    assert not item(one.plan()).now


def test_only_the_processes_that_are_not_left_to_others_are_resumed_each_by_its_name() -> None:
    """ResumeProcesses without a list resumes what a person suspended on purpose as well."""
    left = '  drift: {mode: heal, ignore: ["suspended.AZRebalance"]}\n'
    one = house("none", KEPT + left)
    one.world = altered(one.world, suspended=(("Launch", BY_AWS), ("AZRebalance", "by hand")))
    one.converge()
    assert [s.processes for s in one.told if isinstance(s, ResumeProcesses)] == [("Launch",)]
    assert group(one.world).suspended == (("AZRebalance", "by hand"),)


def test_an_instance_that_its_group_retains_after_its_end_is_told_for_it_is_billed() -> None:
    """A lifecycle policy can keep instances in Terminating:Retained: outside the size, and still paid for."""
    one = house("none", KEPT + HEAL)
    live = group(one.world)
    kept = replace(live.instances[0], id=InstanceId("i-kept"), lifecycle="Terminating:Retained")
    one.world = altered(one.world, instances=(*live.instances, kept))
    rows = [(r.resource, r.field, r.want, r.live, r.heals) for r in one.plan().drift]
    assert rows == [
        ("instance/i-kept", "instances.lifecycle", "ended", "Terminating:Retained, still billed", False)
    ]
    assert not item(one.plan()).now


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


def until_it_is_gone(one: House, name: str) -> Iterator[LiveGroup]:
    """Make passes; give a group after each of them, until it is there no more."""
    for _ in range(60):
        forward(one, one.apply())
        live = next((g for g in one.world.groups if g.name == name), None)
        if live is None:
            return
        yield live
    raise AssertionError(f"{name} is still there")


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
    changed(one, first, **protect(of(one, first)))
    until(one, lambda: of(one, first).sizes == NOTHING)
    third = roll(one, "balancer", generation="3").name
    until(one, lambda: weights_of(one.world).get(third) == 255)
    assert of(one, first).instances, "it never gets empty"
    one.merge(TARGET, IMAGE, zone(), *both("balancer", generation="2"))
    plan = one.apply()
    assert ops(plan)[0] == "change-records"
    assert weights_of(one.world)[second] == 255
    assert weights_of(one.world)[third] == 0


def test_what_the_autoscaler_set_since_is_what_a_new_revision_is_born_with() -> None:
    """While a new revision gets its traffic the old one's live size is what it must carry, not git's."""
    one = house("balancer", KEPT + "  scaling: [{metric: cpu, target: 60}]\n")
    old = group(one.world)
    changed(one, old.name, sizes=replace(old.sizes, desired=5))
    one.wait()
    new = roll(one, "balancer", KEPT + "  scaling: [{metric: cpu, target: 60}]\n")
    (birth,) = (s for s in one.told if isinstance(s, CreateGroup) and s.name == new.name)
    assert birth.sizes.min == birth.sizes.desired == 5
    assert of(one, old.name).sizes.min == 5, "its scale-in is held, its scale-out is not"
    changed(one, old.name, sizes=replace(of(one, old.name).sizes, desired=6))
    one.wait()
    until(one, lambda: weights_of(one.world).get(new.name) == 255)
    assert of(one, new.name).in_service >= 6, "it grew with what serves, before it took all traffic"


@pytest.mark.parametrize(
    ("small", "large"),
    [((5, 8, 6), (2, 6, 3)), ((1, 2, 1), (2, 6, 3)), ((4, 4, 4), (2, 6, 3)), ((8, 9, 9), (0, 1, 1))],
)
def test_no_write_of_sizes_lets_aws_move_the_ones_beside_it(
    small: tuple[int, int, int], large: tuple[int, int, int]
) -> None:
    """Raising min above the size raises the size too, and lowering max lowers it: all three are written."""
    for before, after in ((small, large), (large, small)):
        one = house("none", KEPT + capacity(*before))
        done = len(one.told)
        one.merge(TARGET, IMAGE, zone(), *both("none", KEPT + capacity(*after))).converge()
        wrote = [s for s in one.told[done:] if isinstance(s, SetSizes)]
        least, most = sorted((before[2], after[2]))
        assert all(s.sizes.min <= s.sizes.desired <= s.sizes.max for s in wrote)
        assert all(least <= s.sizes.desired <= most for s in wrote), "no instance comes and goes on the way"
        assert group(one.world).sizes == Sizes(min=after[0], max=after[1], desired=after[2])


def capacity(low: int, high: int, desired: int) -> str:
    return f"  capacity: {{min: {low}, max: {high}, desired: {desired}}}\n"
