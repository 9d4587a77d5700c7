"""A fleet in the middle of a replacement, to which AWS or somebody does something meanwhile."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from reconciler.kinds.group.live import LiveGroup
from reconciler.plan.limits import Limits
from reconciler.plan.model import TargetPlan
from tests.plan.house import IMAGE, TARGET, House, fleet, zone

KEPT = "  rollout: {keepOld: 10m, readyWithin: 15m}\n"
HEAL = "  drift: heal\n"


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


def until_it_is_gone(one: House, name: str) -> Iterator[LiveGroup]:
    """Make passes; give a group after each of them, until it is there no more."""
    for _ in range(60):
        forward(one, one.apply())
        live = next((g for g in one.world.groups if g.name == name), None)
        if live is None:
            return
        yield live
    raise AssertionError(f"{name} is still there")
