"""The circuit breaker: after so many failed rollouts of one commit or one AMI, no further one begins. Pure.

Nothing is counted on the way. A failed revision leaves its launch template as tombstone, which says by
which commit it was born and which AMI it names; `retry` takes the mark of the failure off, and the count
with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.core.facts import Keeper, identity
from reconciler.core.ids import AmiId, Commit, FleetName
from reconciler.kinds.register import World
from reconciler.plan.goal import Goal
from reconciler.strategies.wanted import Hold

CODE = "breaker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """One failed rollout."""

    fleet: FleetName
    commit: Commit  # that it was born by, or tried again by
    image: AmiId


def tombstones(world: World, keeper: Keeper) -> tuple[Tombstone, ...]:
    """Return every failed rollout that a target remembers."""
    templates = world.templates if isinstance(world.templates, tuple) else ()
    return tuple(
        Tombstone(fleet=who.fleet, commit=who.commit, image=t.image)
        for t in templates
        if t.failed and (who := identity(t.tags, t.name, keeper))
    )


def hold(goal: Goal, failed: Iterable[Tombstone], image: AmiId) -> Hold | None:
    """Say why no rollout of the commit in hand to this AMI begins, if too many of either failed.

    Failures of an AMI count over all commits, and hold only while none is newer than the last of them.
    """
    of_commit = [t for t in failed if t.commit == goal.commit]
    of_image = [t for t in failed if t.image == image]
    most = goal.limits.failures
    if len(of_commit) >= most:
        return _tripped(goal, f"commit {goal.commit[:12]}", of_commit)
    if len(of_image) >= most and any(t.commit == goal.commit for t in of_image):
        return _tripped(goal, image, of_image)
    return None


def _tripped(goal: Goal, what: str, failed: list[Tombstone]) -> Hold:
    names = sorted({t.fleet for t in failed})
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    count = f"{len(failed)} {'rollout' if len(failed) == 1 else 'rollouts'} of {what}"
    why = f"{count} failed in {goal.target.name} ({', '.join(names[:5])}{more})"
    return Hold(code=CODE, why=f"{why}; limits.failures is {goal.limits.failures}")
