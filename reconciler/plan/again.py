"""Is a fleet still what its moves were planned on: asked once more, right before a write that hurts if not.

AWS takes most writes whatever is there. Another process, or a person, may have written since the pass looked:
traffic must not go to a revision that was taken down in between, and nothing is deleted that began anew.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from reconciler.core.facts import HAND, IDLE, LEASE, STAGE, Keeper
from reconciler.core.ids import FleetName, ResourceName
from reconciler.kinds.balancer.live import target_group_name
from reconciler.kinds.balancer.steps import (
    CreateBalancer,
    CreateRule,
    CreateTargetGroup,
    DeleteBalancer,
    DeleteRule,
    DeleteTargetGroup,
    SetRule,
)
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import CreateGroup, Detach, SetSizes, TagGroup
from reconciler.kinds.record.after import BatchRefusedError
from reconciler.kinds.record.steps import ChangeRecords
from reconciler.kinds.register import Step, World
from reconciler.kinds.template.live import LiveTemplate
from reconciler.kinds.template.steps import DeleteTemplate
from reconciler.plan.simulate import do
from reconciler.strategies.retire import VISIBLE
from reconciler.strategies.slice import NOTHING, Live, fleets_of

MARKS = (STAGE, IDLE, LEASE, HAND)
"""Tags that say how far a rollout is: any other process that moves it writes one of them."""


UNSEEN: Final = VISIBLE / 2
"""How long after a look a write that followed it may not be seen: before anybody deletes what it made."""


class Looks(NamedTuple):
    """What is read again before a write."""

    groups: bool = False
    weights: bool = False
    template: bool = False


def looks(step: Step) -> Looks:
    """Return what must be as it was before traffic moves, something goes, or a mark says how far we are.

    A group is deleted only where its writer finds it empty. What is made around a group needs its template:
    without one nothing would say whose it is.
    """
    match step:
        case TagGroup():
            return Looks(groups=any(key in MARKS for key in (*dict(step.put), *step.drop)))
        case SetSizes():
            have, less = step.expect, step.sizes
            shrinks = less.desired < have.desired or less.min < have.min
            return Looks(groups=shrinks, weights=shrinks)
        case CreateTargetGroup() | CreateBalancer():
            return Looks(template=True)
        case ChangeRecords() | SetRule() | CreateRule() | DeleteRule() | Detach() | CreateGroup():
            return Looks(groups=True)
        case DeleteBalancer() | DeleteTargetGroup() | DeleteTemplate():
            return Looks(groups=True)
        case _:
            return Looks()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the moves of one fleet rest on: its small world, as it was planned on."""

    fleet: FleetName
    keeper: Keeper
    world: World

    def after(self, done: Iterable[Step]) -> World:
        """Return the world as it should be now: as it was planned on, with what this pass has done itself."""
        return self._worlds(done)[-1]

    def moved(self, done: Iterable[Step], now: World) -> str:
        """Say what is not as it was planned on. Empty: nothing.

        What this pass has `done` itself may be seen already, or for a while not yet: reads lag behind writes.
        """
        worlds = self._worlds(done)
        if now.as_of > self.world.as_of + UNSEEN:
            worlds = worlds[-1:]
        before, there = [self._facts(w) for w in worlds], self._facts(now)
        for name in dict.fromkeys(n for facts in (*before, there) for n in facts):
            known = [b.get(name, NONE) for b in before]
            for what, value in there.get(name, NONE).items():
                if value not in [k[what] for k in known]:
                    was = known[-1][what]
                    return f"{what} of {name} is {value} now, and was {was} when this was planned"
        return ""

    def _worlds(self, done: Iterable[Step]) -> list[World]:
        worlds = [self.world]
        for step in done:
            with suppress(BatchRefusedError):  # of a record beside the fleet's own
                worlds.append(do(worlds[-1], step)[0])
        return worlds

    def _facts(self, world: World) -> dict[ResourceName, dict[str, str]]:
        revisions = fleets_of(world, self.keeper).get(self.fleet, ())
        return {live.name: _facts_of(live.up, live) for live in revisions}


def with_template(world: World, name: str, found: LiveTemplate | None) -> World:
    """Return a world with one template as it is now."""
    have = world.templates if isinstance(world.templates, tuple) else ()
    others = tuple(t for t in have if t.name != name)
    return replace(world, templates=(*others, found) if found else others)


def _facts_of(up: LiveGroup | None, live: Live | None) -> dict[str, str]:
    """What a move may rest on, in words: never a size, which autoscaling moves, but whether there is one."""
    made = live.template if live else None
    # Its own one goes by its name: of a target group that was made just now the ARN is not known yet.
    places = (
        sorted(p for p in (*up.target_groups, *up.classic) if target_group_name(p) != up.name) if up else []
    )
    weight = live.weight if live else None
    return {
        "the template": "gone" if made is None else "one that failed" if made.failed else "there",
        "the group": "there" if up else "gone",
        "the size": "0" if up is None or up.sizes == NOTHING else "above 0",
        "the weight": "none" if weight is None else str(weight),
        "the set of target groups": ", ".join(map(str, places)) or "empty",
        **{f"the tag {key}": (up.tag(key) if up else "") or "not there" for key in MARKS},
    }


NONE: Final = _facts_of(None, None)
"""Of a revision of which nothing was there."""
