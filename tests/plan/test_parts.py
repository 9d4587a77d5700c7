"""What changes beside the revision, written by the commit that changed it and by no other."""

from dataclasses import replace

import pytest

from reconciler.kinds.balancer.steps import CreateRule, DeleteRule
from reconciler.kinds.group.steps import Attach, SetSizes, UpdateGroup
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.register import World
from tests.plan.house import (
    IMAGE,
    LISTENER,
    SHARED,
    SHARED_TOO,
    TARGET,
    TRAFFIC,
    House,
    altered,
    fleet,
    group,
    item,
    live_zone,
    ops,
    zone,
)

SCALED = """\
  scaling:
    - {metric: cpu, target: 60}
    - {cron: "0 7 * * 1-5", min: 4, max: 20}
"""
HEALTH = "  health: {check: ec2, grace: %s}\n  group: {warmup: 2m, capacityRebalance: %s}\n"


def house(kind: str = "none", more: str = "") -> House:
    return House(audited=frozenset({"web"})).merge(TARGET, IMAGE, zone(), fleet("web", kind, more)).converge()


def again(one: House, kind: str = "none", more: str = "") -> House:
    return one.merge(TARGET, IMAGE, zone(), fleet("web", kind, more))


def drift(one: House) -> set[tuple[str, str, str, bool]]:
    """Fields, want, live and whether it heals; by an audit, so that all was looked at."""
    return {(r.field, r.want, r.live, r.heals) for r in one.plan().drift}


def resized(world: World, **sizes: int) -> World:
    return altered(world, sizes=replace(group(world).sizes, **sizes))


# A commit writes what it changed


def test_a_commit_writes_one_size_and_sends_the_drifted_ones_with_their_live_values() -> None:
    one = house()
    one.world = resized(one.world, max=12)
    again(one, more="  capacity: {min: 1, max: 6, desired: 3}\n")
    steps = [s for s in item(one.plan()).now if isinstance(s, SetSizes)]
    assert [s.sizes for s in steps] == [Sizes(min=1, max=12, desired=3)]
    one.converge()
    assert drift(one) == {("max", "6", "12", False)}


@pytest.mark.parametrize(
    ("capacity", "live", "written", "why"),
    [
        ("min: 4, max: 12, desired: 8", {}, (4, 12, 8), "capacity.min is 4, capacity.max is 12, capacity.desired is 8"),
        ("min: 1, max: 2, desired: 1", {}, (1, 2, 1), "capacity.min is 1, capacity.max is 2, capacity.desired is 1"),
        ("min: 4, max: 6, desired: 4", {}, (4, 6, 4), "capacity.min is 4, capacity.desired is 4"),
        ("min: 5, max: 6, desired: 5", {"max": 3}, (5, 5, 5), "capacity.min is 5, capacity.desired is 5"),
        ("min: 2, max: 6, desired: 5", {"max": 4}, (2, 5, 5), "capacity.desired is 5"),
        ("min: 2, max: 6, desired: 2", {"min": 3}, (2, 6, 2), "capacity.desired is 2"),
        ("min: 2, max: 4, desired: 3", {"min": 5, "desired": 5}, (4, 4, 4), "capacity.max is 4"),
    ],
)  # fmt: skip
def test_all_sizes_that_a_commit_changed_go_in_one_write_and_drifted_ones_make_room(
    capacity, live, written, why
):
    one = house()
    assert group(one.world).sizes == Sizes(min=2, max=6, desired=3)
    one.world = resized(one.world, **live)
    again(one, more=f"  capacity: {{{capacity}}}\n")
    (step,) = (s for s in item(one.plan()).now if isinstance(s, SetSizes))
    low, high, desired = written
    assert (step.sizes, step.because) == (Sizes(min=low, max=high, desired=desired), why)
    one.converge()
    assert not [s for s in item(one.plan()).now if isinstance(s, SetSizes)]


def test_a_commit_writes_one_setting_and_leaves_the_drifted_one_beside_it() -> None:
    one = house(more=HEALTH % ("1m", "false"))
    one.world = altered(
        one.world,
        settings=tuple(
            (k, "600" if k == "DefaultInstanceWarmup" else v) for k, v in group(one.world).settings
        ),
    )
    again(one, more=HEALTH % ("3m", "true"))
    steps = [s for s in item(one.plan()).now if isinstance(s, UpdateGroup)]
    assert {m for s in steps for m, _ in s.members} == {"HealthCheckGracePeriod", "CapacityRebalance"}
    one.converge()
    assert drift(one) == {("group.warmup", "2m", "10m", False)}


def test_with_scaling_the_desired_size_is_the_autoscalers_and_never_drift() -> None:
    one = house(more=SCALED)
    one.world = resized(one.world, desired=6)
    assert drift(one) == set()


@pytest.mark.parametrize("pair", [(2, 6), (4, 20)], ids=["that of capacity", "that of a schedule"])
def test_with_schedules_a_pair_that_git_names_is_in_sync(pair: tuple[int, int]) -> None:
    one = house(more=SCALED)
    one.world = resized(one.world, min=pair[0], max=pair[1], desired=5)
    assert drift(one) == set()
    one.world = resized(one.world, min=3, max=7)
    assert {f for f, *_ in drift(one)} == {"min", "max"}


def test_a_changed_capacity_is_written_at_once_only_where_no_schedule_holds() -> None:
    more = SCALED + "  capacity: {min: 1, max: 9, desired: 3}\n"
    one = house(more=SCALED)
    again(one, more=more)
    assert "set-sizes" in ops(one.plan())
    two = house(more=SCALED)
    two.world = resized(two.world, min=4, max=20, desired=5)
    again(two, more=more)
    assert "set-sizes" not in ops(two.plan())
    two.converge()
    assert group(two.world).sizes == Sizes(min=4, max=20, desired=5)


def test_the_applied_tag_holds_every_part_in_256_characters() -> None:
    more = "  group: {warmup: 2m, maxInstanceLifetime: 48h, extra: {DefaultCooldown: 60}}\n" + SCALED
    for kind in TRAFFIC:
        value = group(house(kind, more).world).tag("reconciler:applied")
        assert len(value) <= 256
        assert len(value.split(";")) >= 13


def test_another_place_to_attach_to_is_entered_and_healthy_before_the_old_one_is_left() -> None:
    one = house("attach")
    again(one, TRAFFIC["attach"].replace(SHARED, SHARED_TOO))
    one.told.clear()
    one.apply()
    assert [s.target_groups for s in one.told if isinstance(s, Attach)] == [(SHARED_TOO,)]
    assert set(group(one.world).target_groups) == {SHARED, SHARED_TOO}
    assert "is not healthy in other" in item(one.plan()).wait.why
    one.converge()
    assert group(one.world).target_groups == (SHARED_TOO,)
    assert item(one.plan()).action == "none"


def test_a_rule_is_made_at_its_new_place_before_the_old_one_goes() -> None:
    one = house("listener")
    again(one, TRAFFIC["listener"].replace("priority: 10", "priority: 20")).converge()
    moved = [type(s) for s in one.told if isinstance(s, CreateRule | DeleteRule)]
    assert moved[-2:] == [CreateRule, DeleteRule]
    assert [(r.listener, r.priority) for r in one.world.rules] == [(LISTENER, 20)]
    assert drift(one) == set()


def test_another_dns_name_is_written_in_one_batch() -> None:
    one = house("balancer")
    again(one, TRAFFIC["balancer"].replace("name: web", "name: shop"))
    assert ops(one.plan())[0] == "change-records"
    one.converge()
    assert [r.name for r in live_zone(one.world).records] == ["shop.example.com."]
    assert drift(one) == set()


def test_a_dns_name_in_another_zone_is_written_there_before_it_goes_here() -> None:
    other = zone().replace("example-com", "example-net").replace("example.com", "example.net")
    one = House().merge(TARGET, IMAGE, zone(), other, fleet("web", "balancer"))
    second = replace(live_zone(one.world), zone="example-net", id="Z2", domain="example.net.")
    one.world = replace(one.world, zones=(*one.world.zones, second))
    one.converge()
    one.merge(
        TARGET, IMAGE, zone(), other, fleet("web", TRAFFIC["balancer"].replace("example-com", "example-net"))
    )
    one.converge()
    assert [len(z.records) for z in one.world.zones] == [0, 1]
    assert item(one.plan()).action == "none"
