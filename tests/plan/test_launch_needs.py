"""What launches cost to look at: a call for each group of a rollout that is short of instances, and no other."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.facts import Unread
from reconciler.kinds.activity.live import LaunchFailure
from reconciler.plan.fleet import Ask, view
from reconciler.plan.needs import needs
from reconciler.plan.planner import plan_target
from reconciler.strategies.slice import at
from reconciler.strategies.wanted import Allow
from tests.plan.house import IMAGE, KEEPER, TARGET, TRAFFIC, House, fleet, zone

PLAIN = [fleet("job")]


def rolling(kind: str) -> House:
    """A house whose fleet web has just had its second group made, without instances."""
    at_rest = House().merge(TARGET, IMAGE, zone(), fleet("web", kind), *PLAIN).converge()
    at_rest.merge(TARGET, IMAGE, zone(), fleet("web", kind, generation="2"), *PLAIN)
    for _ in range(10):
        at_rest.apply()
        if len(groups(at_rest)) == 2:
            return at_rest
        at_rest.wait()
    raise AssertionError("no second group")


def groups(house: House) -> list[str]:
    return [str(g.name) for g in house.world.groups if g.tag("reconciler:fleet") == "web"]


def short(house: House) -> set[tuple[str, str]]:
    """The groups that a pass asks for, each with its birth as its tag has it."""
    bulk = house.bulk()
    found = needs(plan_target(house.goal(), bulk, ahead=False), bulk, KEEPER).launches
    born = {str(g.name): g.tag("reconciler:born") for g in house.world.groups}
    assert all(x.born == at(born[x.group]) for x in found)
    return {(str(x.group), born[x.group]) for x in found}


@pytest.mark.parametrize("kind", TRAFFIC)
def test_the_new_group_is_asked_for_until_it_has_its_instances(kind: str) -> None:
    house = rolling(kind)
    new = groups(house)
    ((name, _),) = short(house)
    assert name in new
    house.wait()
    assert not short(house)
    house.converge()
    assert not short(house)


@pytest.mark.parametrize("kind", TRAFFIC)
def test_a_fleet_at_rest_that_is_short_is_not_asked_for(kind: str) -> None:
    house = House().merge(TARGET, IMAGE, zone(), fleet("web", kind), *PLAIN).converge()
    one = next(g for g in house.world.groups if g.tag("reconciler:fleet") == "web")
    fewer = replace(one, instances=one.instances[1:])
    house.world = replace(house.world, groups=tuple(fewer if g is one else g for g in house.world.groups))
    assert not short(house)


def test_the_strategy_sees_the_failures_of_this_pass_alone() -> None:
    house = rolling("none")
    ((new, _),) = short(house)
    failure = LaunchFailure(
        group=new, code="image", why="gone", since=house.world.as_of - timedelta(minutes=1), final=True
    )
    ask = Ask(fleet="web", want=None, keeper=KEEPER, allow=Allow())
    assert view(replace(house.world, launches=(failure,)), ask).launches == (failure,)
    assert view(house.world, ask).launches == ()


def test_launches_that_could_not_be_read_are_said() -> None:
    house = rolling("none")
    house.world = replace(house.world, launches=Unread(what="launches", why="AccessDenied"))
    plan = house.plan()
    assert not plan.complete
    assert plan.unread == ("launches could not be read: AccessDenied",)
