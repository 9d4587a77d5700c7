"""Is a fleet still what its moves were planned on: asked once more, right before a write that hurts if not.

AWS takes most writes whatever is there. Another process, or a person, may have written since the pass looked:
traffic must not go to a revision that was taken down in between, and nothing is deleted that began anew.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from reconciler.core.facts import HAND, IDLE, LEASE, STAGE, Keeper
from reconciler.core.ids import FleetName, ResourceName
from reconciler.kinds.balancer.steps import (
    CreateRule,
    DeleteBalancer,
    DeleteRule,
    DeleteTargetGroup,
    SetRule,
)
from reconciler.kinds.group.steps import Detach, SetSizes
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
    """Does this write move traffic or take something away, so that it must not rest on what was.

    A group is deleted only where its writer finds it empty; what is made beside harms nobody.
    """
    moves = isinstance(step, ChangeRecords | SetRule | CreateRule | DeleteRule | Detach)
    return moves or shrinks(step) or isinstance(step, DeleteBalancer | DeleteTargetGroup | DeleteTemplate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the moves of one fleet rest on: its small world, as it was planned on."""

    fleet: FleetName
    keeper: Keeper
    world: World

    @property
    def names(self) -> tuple[ResourceName, ...]:
        """The names of its revisions: each is that of a group that is there, or may be by now."""
        return tuple(live.name for live in self._revisions(self.world))

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
            known = [b[name] for b in before if name in b]
            for what, value in facts.items():
                if known and value not in [k[what] for k in known]:
                    return f"{what} of {name} is {value} now, and was {known[-1][what]} when this was planned"
        return ""

    def _facts(self, world: World) -> dict[ResourceName, dict[str, str]]:
        return {live.name: _facts_of(live) for live in self._revisions(world)}

    def _revisions(self, world: World) -> Sequence[Live]:
        return fleets_of(world, self.keeper).get(self.fleet, ())


def _facts_of(live: Live) -> dict[str, str]:
    """What a move may rest on, in words: never a size, which autoscaling moves, but whether there is one."""
    up = live.up
    own = live.target_group.arn if live.target_group else None
    places = sorted({*up.target_groups, *up.classic} - {own}) if up else []
    return {
        "the group": "there" if up else "gone",
        "the size": "0" if up is None or up.sizes == NOTHING else "above 0",
        "the weight": "none" if live.weight is None else str(live.weight),
        "the set of target groups": ", ".join(map(str, places)) or "empty",
        **{f"the tag {key}": (up.tag(key) if up else "") or "not there" for key in MARKS},
    }
