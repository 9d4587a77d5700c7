"""How far a target has come: converged, under way, or stopped until a person acts."""

from collections.abc import Iterable
from enum import StrEnum

from reconciler.plan.model import ActionKind, Item, TargetPlan


class Standing(StrEnum):
    """What a plan says of the next pass."""

    CONVERGED = "converged"
    MOVING = "moving"  # something is written or waited for
    BLOCKED = "blocked"  # nothing moves until a person acts
    UNREAD = "unread"  # something could not be read; the next pass looks again


def standing(plan: TargetPlan) -> Standing:
    """Return how one target stands. What moves counts before what is blocked: that may change by itself."""
    if any(_moves(i) for i in plan.items):
        return Standing.MOVING
    if not plan.complete or plan.count(ActionKind.UNREAD):
        return Standing.UNREAD
    return Standing.BLOCKED if plan.count(ActionKind.BLOCKED) else Standing.CONVERGED


def together(plans: Iterable[TargetPlan]) -> Standing:
    """Return how several targets stand: the first of moving, unread, blocked that any of them is."""
    found = {standing(p) for p in plans}
    order = (Standing.MOVING, Standing.UNREAD, Standing.BLOCKED)
    return next((s for s in order if s in found), Standing.CONVERGED)


def _moves(item: Item) -> bool:
    return bool(item.now) or item.wait is not None
