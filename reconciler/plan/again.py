"""Is a fleet still what its moves were planned on: asked once more, right before a write that hurts if not.

AWS takes most writes whatever is there. Another process, or a person, may have written since the pass looked:
traffic must not go to a revision that was taken down in between, and nothing is deleted that began anew.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from reconciler.core.facts import HAND, IDLE, LEASE, STAGE, Keeper
from reconciler.core.ids import FleetName, ResourceName
from reconciler.kinds.balancer.steps import (
    CreateRule,
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
from reconciler.kinds.template.steps import DeleteTemplate
from reconciler.plan.simulate import do
from reconciler.strategies.slice import NOTHING, Live, fleets_of

MARKS = (STAGE, IDLE, LEASE, HAND)
"""Tags that say how far a rollout is: any other process that moves it writes one of them."""


def shrinks(step: Step) -> bool:
    """Does this write take capacity away."""
    return isinstance(step, SetSizes) and (
        step.sizes.desired < step.expect.desired or step.sizes.min < step.expect.min
    )


def risky(step: Step) -> bool:
    """Must this write not rest on what was: it moves traffic, takes something away, or says how far we are.

    A group is deleted only where its writer finds it empty; what is made around one harms nobody.
    """
    if isinstance(step, TagGroup):
        return any(key in MARKS for key in (*dict(step.put), *step.drop))
    moves = isinstance(step, ChangeRecords | SetRule | CreateRule | DeleteRule | Detach | CreateGroup)
    return moves or shrinks(step) or isinstance(step, DeleteBalancer | DeleteTargetGroup | DeleteTemplate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the moves of one fleet rest on: its small world, as it was planned on."""

    fleet: FleetName
    keeper: Keeper
    world: World

    def moved(self, done: Iterable[Step], now: World) -> str:
        """Say what is not as it was planned on. Empty: nothing.

        What this pass has `done` itself may be seen already, or not yet: reads lag behind writes.
        """
        worlds = [self.world]
        for step in done:
            with suppress(BatchRefusedError):  # of a record beside the fleet's own
                worlds.append(do(worlds[-1], step)[0])
        before = [self._facts(w) for w in worlds]
        for name, facts in self._facts(now).items():
            known = [b.get(name, NONE) for b in before]
            for what, value in facts.items():
                if value not in [k[what] for k in known]:
                    was = known[-1][what]
                    return f"{what} of {name} is {value} now, and was {was} when this was planned"
        return ""

    def _facts(self, world: World) -> dict[ResourceName, dict[str, str]]:
        revisions = fleets_of(world, self.keeper).get(self.fleet, ())
        return {live.name: _facts_of(live.up, live) for live in revisions}


def _facts_of(up: LiveGroup | None, live: Live | None) -> dict[str, str]:
    """What a move may rest on, in words: never a size, which autoscaling moves, but whether there is one."""
    own = live.target_group.arn if live and live.target_group else None
    places = sorted({*up.target_groups, *up.classic} - {own}) if up else []
    weight = live.weight if live else None
    return {
        "the group": "there" if up else "gone",
        "the size": "0" if up is None or up.sizes == NOTHING else "above 0",
        "the weight": "none" if weight is None else str(weight),
        "the set of target groups": ", ".join(map(str, places)) or "empty",
        **{f"the tag {key}": (up.tag(key) if up else "") or "not there" for key in MARKS},
    }


NONE: Final = _facts_of(None, None)
"""Of a revision of which nothing was there."""
