"""What AWS does that one does not expect: each test walks into one such trap, in a simulated world.

Those that need AWS's own answers stand in `tests/wire/test_traps.py`.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.ids import InstanceId
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import CreateGroup, DeleteGroup, ResumeProcesses, SetSizes
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.register import World
from reconciler.strategies.slice import NOTHING
from tests.plan.house import (
    IMAGE,
    TARGET,
    altered,
    fleet,
    group,
    item,
    ops,
    zone,
)
from tests.plan.trapped import HEAL, KEPT, both, changed, house, of, roll, until
from tests.strategies.invariants import weights_of

BY_AWS = "Process suspended by Auto Scaling: it failed to launch instances for more than 24 hours"


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


def retain(live: LiveGroup) -> dict[str, object]:
    kept = replace(live.instances[0], lifecycle="Terminating:Retained")
    return {"instances": (kept, *live.instances[1:])}


def suspend(live: LiveGroup) -> dict[str, object]:
    return {"suspended": (("Terminate", "by hand"),)}


HINDERS = {
    "protected from scale-in": (protect, "protected-instance"),
    "in standby": (stand_by, "protected-instance"),
    "retained by a lifecycle policy": (retain, "protected-instance"),
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


@pytest.mark.parametrize("version", ["$Latest", "$Default", "2"])
def test_a_group_that_launches_another_version_is_drift_and_is_not_healed_from_it(version: str) -> None:
    """`$Latest` moves every later launch, in old groups too: a replaced instance would be another one."""
    one = house("none", KEPT + HEAL)
    live = group(one.world)
    odd = (replace(live.instances[0], version="7"), *live.instances[1:])
    one.world = altered(one.world, template_version=version, instances=odd)
    rows = {(r.field, r.live) for r in one.plan().drift}
    assert ("launchTemplate", f"{live.name} version {version}") in rows
    assert not item(one.plan()).now


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
