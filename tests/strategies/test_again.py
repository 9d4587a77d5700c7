"""What a fleet is compared in right before a write that hurts, and what may change without anybody's doing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.facts import COMMIT, HAND, STAGE, retagged
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import TagGroup
from reconciler.kinds.register import World
from reconciler.plan import settle
from reconciler.plan.again import UNSEEN, Ground
from reconciler.strategies.slice import NOTHING
from reconciler.strategies.wanted import TrafficKind
from tests.strategies.invariants import reweighed
from tests.strategies.life import Life
from tests.strategies.rolls import NEW, OLD, holding
from tests.worlds import KEEPER, sliced

MARK = TagGroup(name=OLD, put=((STAGE, "1/abc;-;1"),))


@pytest.fixture(scope="module")
def canary() -> Life:
    """Two revisions share the traffic of a fleet."""
    return holding(TrafficKind.DNS)


def ground(life: Life) -> Ground:
    """What moves of that fleet rest on."""
    fleet = sliced(life.world, life.shape.want(1)).fleet
    return Ground(fleet=fleet, keeper=KEEPER, world=life.world)


def group(change: Callable[[LiveGroup], LiveGroup], name: str = NEW) -> Callable[[World], World]:
    """A change of one group."""
    return lambda w: replace(w, groups=tuple(change(g) if g.name == name else g for g in w.groups))


def without(name: str) -> Callable[[World], World]:
    """One group is gone."""
    return lambda w: replace(w, groups=tuple(g for g in w.groups if g.name != name))


def tagged(key: str, value: str) -> Callable[[World], World]:
    """A group says something else."""
    return group(lambda g: replace(g, tags=retagged(g.tags, {key: value})))


MOVED: dict[str, tuple[Callable[[World], World], str]] = {
    "a group is gone": (without(NEW), f"the group of {NEW} is gone now, and was there"),
    "it is being deleted": (group(lambda g: replace(g, deleting=True)), f"the group of {NEW} is gone now"),
    "it was brought to nothing": (group(lambda g: replace(g, sizes=NOTHING)), f"the size of {NEW} is 0 now"),
    "its weight is another": (lambda w: reweighed(w, {NEW: 255}), f"the weight of {NEW} is 255 now, and was 26"),
    "it was attached": (
        group(lambda g: replace(g, target_groups=(*g.target_groups, "arn:x:targetgroup/shared/9"))),
        f"the set of target groups of {NEW} is arn:x:targetgroup/shared/9 now, and was empty",
    ),
    "another stage": (tagged(STAGE, "2/abc;-;1"), f"the tag {STAGE} of {NEW} is 2/abc;-;1 now"),
    "a person said something": (tagged(HAND, "abort"), f"the tag {HAND} of {NEW} is abort now, and was not there"),
    "its template is gone": (
        lambda w: replace(w, templates=tuple(t for t in w.templates if t.name != NEW)),
        f"the template of {NEW} is gone now, and was there",
    ),
    "a third one is there": (
        lambda w: replace(w, groups=(*w.groups, *third(w).groups), templates=third(w).templates),
        "of web-0000000003 is there now, and was gone",
    ),
}  # fmt: skip


def third(world: World) -> World:
    """The world with a third revision."""
    life = Life(holding(TrafficKind.NONE).shape)
    life.commit(3)
    life.until(lambda x: bool(x.world.groups))
    return replace(world, groups=life.world.groups, templates=(*world.templates, *life.world.templates))


@pytest.mark.parametrize("what", MOVED)
def test_what_somebody_moved_is_named_with_what_it_was(canary: Life, what: str) -> None:
    change, said = MOVED[what]
    why = ground(canary).moved((), change(canary.world))
    assert said in why
    assert why.endswith("when this was planned")


UNMOVED: dict[str, Callable[[World], World]] = {
    "nothing": lambda w: w,
    "its size": group(lambda g: replace(g, sizes=replace(g.sizes, desired=g.sizes.desired + 1))),
    "its instances": group(lambda g: replace(g, instances=g.instances[1:])),
    "a tag that says nothing of a rollout": tagged(COMMIT, "f" * 40),
    "time": lambda w: settle.pass_time(w, timedelta(minutes=4)),
}


@pytest.mark.parametrize("what", UNMOVED)
def test_what_moves_by_itself_holds_nothing_up(canary: Life, what: str) -> None:
    assert ground(canary).moved((), UNMOVED[what](canary.world)) == ""


def test_an_own_write_may_be_seen_or_not_for_half_a_minute_and_has_to_be_seen_then(canary: Life) -> None:
    then = ground(canary)
    seen = then.after([MARK])
    assert then.moved([MARK], seen) == ""
    assert then.moved([MARK], canary.world) == ""
    late = replace(canary.world, as_of=canary.world.as_of + UNSEEN + timedelta(seconds=1))
    assert then.moved([MARK], late).startswith(f"the tag {STAGE} of {OLD} is")
    assert then.moved([MARK], replace(seen, as_of=late.as_of)) == ""
