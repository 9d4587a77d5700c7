"""A rewritten history is taken up by tags alone."""

from dataclasses import replace

import pytest

from reconciler.core.facts import SOURCE, Keeper
from reconciler.kinds.balancer.steps import TagBalancing
from reconciler.kinds.group.steps import TagGroup
from reconciler.kinds.record.steps import TagZone
from reconciler.kinds.register import World
from reconciler.kinds.template.steps import TagTemplate
from reconciler.plan.accept import accept, looked_at
from reconciler.plan.model import ActionKind
from reconciler.plan.planner import Goal, plan_target
from reconciler.plan.simulate import do
from tests.plan.house import IMAGE, KEEPER, PROD, TARGET, House, bulk_of, commit, fleet, looked, zone

NEW = Keeper(owner=KEEPER.owner, source="000000000000", target=PROD)
RECORD = '[{name: www, type: A, ttl: 60, values: ["192.0.2.1"]}]'


def rewritten(house: House) -> Goal:
    """The same documents in a repository whose history begins anew."""
    return replace(house.goal(), keeper=NEW, commit=commit(99), ancestors=frozenset())


def history_is_lost(house: House) -> World:
    """No commit that AWS names can be read any more."""
    house.lost = frozenset(commit(n + 1) for n in range(len(house.history)))
    return house.whole()


@pytest.mark.parametrize("traffic", ["balancer", "listener", "attach", "none"])
def test_after_it_was_accepted_nothing_is_blocked_and_nothing_rolls(traffic: str) -> None:
    house = House().merge(TARGET, IMAGE, fleet("web", traffic), zone(RECORD)).converge()
    goal, world = rewritten(house), history_is_lost(house)
    assert ActionKind.BLOCKED in {i.action for i in plan_target(goal, world).items}
    for step in accept(goal, world):
        assert isinstance(step, TagGroup | TagTemplate | TagBalancing | TagZone), "only tags are written"
        world, _ = do(world, step)
    after = plan_target(goal, world)
    assert {i.action for i in after.items if i.kind == "Fleet"} == {ActionKind.NONE}
    assert not any(i.blocked for i in after.items)
    assert accept(goal, world) == (), "a second time there is nothing left to take up"


def test_what_the_new_history_does_not_have_keeps_its_tags_and_is_not_pruned() -> None:
    house = House().merge(TARGET, IMAGE, fleet("web"), fleet("old"), zone()).converge()
    house.merge(TARGET, IMAGE, fleet("web"), zone())
    goal, world = rewritten(house), history_is_lost(house)
    for step in accept(goal, world):
        world, _ = do(world, step)
    sources = {g.name.partition("-")[0]: g.tag(SOURCE) for g in world.groups}
    assert sources == {"web": NEW.source, "old": KEEPER.source}
    after = plan_target(goal, world)
    assert not any(i.action is ActionKind.RETIRE for i in after.items)
    assert {g.name for g in world.groups} == {g.name for g in house.world.groups}


def test_what_must_be_looked_at_is_enough_to_take_everything_up() -> None:
    house = House().merge(TARGET, IMAGE, fleet("web", "balancer"), zone(RECORD)).converge()
    goal, whole = rewritten(house), history_is_lost(house)
    bulk = bulk_of(whole)
    assert accept(goal, looked(bulk, whole, looked_at(goal, bulk))) == accept(goal, whole)


def test_the_history_in_hand_has_nothing_to_take_up() -> None:
    house = House().merge(TARGET, IMAGE, fleet("web", "listener"), zone(RECORD)).converge()
    assert accept(house.goal(), house.whole()) == ()
