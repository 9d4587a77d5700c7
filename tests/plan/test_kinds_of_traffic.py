"""A fleet whose traffic becomes of another kind: the old way in stays until the new one carries."""

from datetime import timedelta

import pytest

from reconciler.plan import settle
from tests.plan.house import IMAGE, TARGET, TRAFFIC, House, fleet, group, item, live_zone, zone

PAIRS = [(a, b) for a in TRAFFIC for b in TRAFFIC if a != b]


@pytest.mark.parametrize(("before", "after"), PAIRS, ids=lambda k: k)
def test_a_fleet_changes_its_kind_of_traffic_and_leaves_nothing_of_the_old_one(
    before: str, after: str
) -> None:
    house = House().merge(TARGET, IMAGE, zone(), fleet("web", before)).converge()
    old = group(house.world).name
    house.merge(TARGET, IMAGE, zone(), fleet("web", after)).converge()
    live = group(house.world)
    assert live.name != old
    assert item(house.plan()).action == "none"
    assert not house.plan().drift
    assert len(house.world.balancers) == (after == "balancer")
    assert len(house.world.target_groups) == (after in ("balancer", "listener"))
    assert len(house.world.rules) == (after == "listener")


MOVED = {
    "a dns name": ("balancer", "name: web}", "name: shop}"),
    "a priority": ("listener", "priority: 10", "priority: 20"),
    "a listener": ("listener", "app/shared/1/2", "app/other/3/4"),
}


@pytest.mark.parametrize("what", MOVED)
@pytest.mark.parametrize("rolls", [False, True], ids=["in place", "with a new revision"])
def test_another_place_for_the_same_kind_is_open_before_the_old_one_closes(what: str, rolls: bool) -> None:
    kind, old, new = MOVED[what]
    house = House().merge(TARGET, IMAGE, zone(), fleet("web", kind)).converge()
    moved = TRAFFIC[kind].replace(old, new)
    assert moved != TRAFFIC[kind]
    house.merge(TARGET, IMAGE, zone(), fleet("web", moved, generation="2" if rolls else "1"))
    for _ in range(20):
        plan = house.apply()
        assert live_zone(house.world).records if kind == "balancer" else house.world.rules, "clients find it"
        waits = [i.wait.until for i in plan.items if i.wait and i.wait.until]
        house.wait(min(waits, default=None))
    house.converge()
    assert len(house.world.rules) == (kind == "listener")
    assert {r.name for r in live_zone(house.world).records} <= {"shop.example.com."}
    assert item(house.plan()).action == "none"
    assert not house.plan().drift


def test_an_old_revision_keeps_its_capacity_until_the_clients_of_another_kind_have_left() -> None:
    more = "  rollout: {keepOld: 0s}\n"
    house = House().merge(TARGET, IMAGE, zone(), fleet("web", "balancer", more)).converge()
    old = group(house.world).name
    house.merge(TARGET, IMAGE, zone(), fleet("web", "none", more))
    closed = None
    for _ in range(40):
        house.apply()
        if not live_zone(house.world).records and closed is None:
            closed = house.world.as_of
        kept = next((g for g in house.world.groups if g.name == old), None)
        if kept is None or not kept.sizes.desired:
            break
        house.pass_time(timedelta(seconds=20))
        for transition in (settle.launched, settle.checked, settle.synced):
            house.world = transition(house.world)
    assert closed
    assert house.world.as_of - closed >= timedelta(seconds=120), "TTL and drain"
