"""Through the whole planner, with two looks a pass: every kind of fleet is born, replaced and retired."""

from datetime import timedelta

import pytest

from reconciler.plan.needs import needs, nothing
from reconciler.plan.planner import plan_target
from reconciler.strategies.slice import parse_stage
from tests.plan.house import (
    IMAGE,
    KEEPER,
    TARGET,
    TRAFFIC,
    House,
    actions,
    fleet,
    group,
    item,
    quiet,
    zone,
)

KINDS = tuple(TRAFFIC)
SCALED = """\
  scaling:
    - {metric: cpu, target: 60}
    - {cron: "0 7 * * 1-5", min: 4, max: 20}
"""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("more", ["", SCALED], ids=["fixed", "scaled"])
def test_a_first_birth_ends_in_a_world_for_which_the_plan_is_empty(kind: str, more: str) -> None:
    house = House().merge(TARGET, IMAGE, zone(), fleet("web", kind, more)).converge()
    plan = house.plan(ahead=True)
    assert set(actions(plan).values()) == {"none"}
    assert quiet(plan)
    assert not plan.drift
    assert all(not i.steps for i in plan.items)
    live = group(house.world)
    assert live.in_service == 3
    assert len(live.policies) == (1 if more else 0)
    assert len(live.schedules) == (1 if more else 0)
    assert parse_stage(live.tag("reconciler:stage")).change == ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("more", ["", SCALED], ids=["fixed", "scaled"])
def test_a_replacement_ends_with_the_new_revision_alone_and_the_sizes_that_git_says(
    kind: str, more: str
) -> None:
    house = House().merge(TARGET, IMAGE, zone(), fleet("web", kind, more)).converge()
    old = group(house.world).name
    house.merge(TARGET, IMAGE, zone(), fleet("web", kind, more, generation="2"))
    assert item(house.plan()).action == "replace"
    house.converge()
    live = group(house.world)
    assert live.name != old
    assert not live.tag("reconciler:lease")
    assert (live.sizes.min, live.sizes.max) == (2, 6)
    plan = house.plan()
    assert set(actions(plan).values()) == {"none"}
    assert not plan.drift


@pytest.mark.parametrize("kind", KINDS)
def test_the_digest_of_a_replacement_stays_the_same_until_the_old_one_is_gone(kind: str) -> None:
    house = House().merge(TARGET, IMAGE, zone(), fleet("web", kind)).converge()
    old = group(house.world).name
    house.merge(TARGET, IMAGE, zone(), fleet("web", kind, generation="2"))
    digests = set()
    while any(g.name == old for g in house.world.groups):
        plan = house.apply()
        digests.add((plan.digest, item(plan).action))
        waits = [i.wait.until for i in plan.items if i.wait and i.wait.until]
        house.wait(min(waits, default=None))
    assert len(digests) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_fleet_that_leaves_git_is_drained_and_leaves_nothing(kind: str) -> None:
    house = House().merge(TARGET, IMAGE, zone(), fleet("web", kind), fleet("other")).converge()
    house.merge(TARGET, IMAGE, zone(), fleet("other"))
    assert item(house.plan()).action == "retire"
    house.converge()
    assert {g.tag("reconciler:fleet") for g in house.world.groups} == {"other"}
    assert not house.world.balancers
    assert not house.world.target_groups
    assert not house.world.rules
    assert len(house.world.templates) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_fleet_goes_back_to_a_kept_revision_and_gets_its_sizes_and_schedules_again(kind: str) -> None:
    first, second = fleet("web", kind, SCALED), fleet("web", kind, SCALED, generation="2")
    house = House().merge(TARGET, IMAGE, zone(), first).converge()
    old = group(house.world).name
    house.merge(TARGET, IMAGE, zone(), second)
    for _ in range(30):
        plan = house.apply()
        if any(g.name == old and g.tag("reconciler:idle") for g in house.world.groups):
            break
        waits = [i.wait.until for i in plan.items if i.wait and i.wait.until]
        house.wait(min(waits, default=None))
    house.apply()
    house.merge(TARGET, IMAGE, zone(), first).converge()
    live = group(house.world)
    assert live.name == old
    assert (live.sizes.min, live.sizes.max) in ((2, 6), (4, 20))
    assert len(live.schedules) == 1
    assert not house.plan().drift


def test_a_converged_fleet_needs_no_look_beside_the_bulk_reads() -> None:
    documents = [fleet(f"f-{k}", TRAFFIC[k].replace("name: web", f"name: f-{k}")) for k in KINDS]
    house = House().merge(TARGET, IMAGE, zone(), *documents).converge()
    house.told.clear()
    bulk = house.bulk()
    plan = plan_target(house.goal(), bulk, ahead=False)
    assert nothing(needs(plan, bulk, KEEPER))


@pytest.mark.parametrize("kind", KINDS)
def test_a_failed_rollout_gives_the_serving_revision_its_own_floor_back(kind: str) -> None:
    more = "  scaling: [{metric: cpu, target: 60}]\n"
    house = House().merge(TARGET, IMAGE, zone(), fleet("web", kind, more)).converge()
    old = group(house.world).name
    house.merge(TARGET, IMAGE, zone(), fleet("web", kind, more, generation="2"))
    house.apply()
    house.pass_time(timedelta(hours=2))  # not one instance came up
    for _ in range(20):
        plan = house.apply()
        if item(plan).action == "blocked" and not item(plan).now:
            break
        waits = [i.wait.until for i in plan.items if i.wait and i.wait.until]
        house.wait(min(waits, default=None))
    live = group(house.world)
    assert live.name == old
    assert item(plan).blocked.code == "failed"
    assert live.sizes.min == 2
    assert not live.tag("reconciler:lease")
