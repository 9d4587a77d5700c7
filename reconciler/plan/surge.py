"""How many instances a rollout needs beside those there are, and for how long. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reconciler.core.duration import format_duration
from reconciler.kinds.register import World
from reconciler.plan.model import PlannedStep
from reconciler.strategies.staged import PAUSE

HOUR: Final = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Surge:
    """What a rollout costs beside what runs without it."""

    instances: int  # at most, at a time
    hours: float  # instance-hours, to the end of `keepOld`; a pause adds to them


@dataclass(slots=True)
class Meter:
    """Counts the instances of a simulated world as its time goes by."""

    base: int  # of the fleet before
    at: datetime
    now: int
    most: int
    spent: float = 0  # instance-seconds above the base

    @staticmethod
    def of(before: World, world: World) -> "Meter":
        """Begin at what runs before this pass, and what it asks for."""
        base, now = _count(before), _count(world)
        return Meter(base, world.as_of, now, max(base, now))

    def pass_to(self, world: World) -> None:
        """Count up to the time of a world that follows."""
        self.spent += max(0, self.now - self.base) * (world.as_of - self.at).total_seconds()
        self.at, self.now = world.as_of, _count(world)
        self.most = max(self.most, self.now)

    def surge(self) -> Surge | None:
        """Return what was counted; None where nothing ran before, or no more is needed."""
        if not self.base or self.most <= self.base:
            return None
        return Surge(instances=self.most - self.base, hours=round(self.spent / HOUR, 1))


def cost(surge: Surge, steps: Iterable[PlannedStep]) -> str:
    """Say what a rollout needs beside what runs now, and its longest wait."""
    steps = tuple(steps)
    more = f"Needs up to {surge.instances} more instance{'' if surge.instances == 1 else 's'} than now"
    told = f"{more}, {surge.hours:g} instance-hours in all"
    if any(step.op == PAUSE for step in steps):
        told += " beside those of its pause"
    waits = [(step.hold, step.why) for step in steps if step.op == "wait" and step.hold]
    if not waits:
        return told
    span, why = max(waits, key=lambda w: w[0])
    return f"{told}; its longest wait is {format_duration(span)}: {why}"


def _count(world: World) -> int:
    """Count what is asked for, or still runs while it ends."""
    groups = world.groups if isinstance(world.groups, tuple) else ()
    return sum(max(g.sizes.desired, len(g.instances)) for g in groups if not g.deleting)
