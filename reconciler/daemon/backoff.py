"""Failing more slowly: what failed is left alone for longer and longer, and nothing else is. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from reconciler.apply.executor import goes_back
from reconciler.gateway.errors import ENDS_TARGET
from reconciler.plan.model import TargetPlan
from reconciler.report.outcome import Outcome, Thing

PASSING: Final = frozenset({"not-yet", "busy", "changed"})
"""Failures that the next look usually ends: these never rest longer than an interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """How long something that failed is left alone."""

    failures: int  # in a row
    until: float  # seconds of the monotonic clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How a rest grows: doubled with each failure, up to a most."""

    least: timedelta
    most: timedelta

    def after(self, failures: int, chance: float) -> timedelta:
        """Return the rest after so many failures in a row.

        `chance`, from 0 to 1, takes up to a fifth off or adds it, so that what fails together does
        not come back together.
        """
        grown: timedelta = self.least * (1 << min(failures - 1, 20))
        return min(grown, self.most) * (0.8 + 0.4 * chance)


def rest_after(
    rests: Mapping[Thing, Rest],
    outcomes: Iterable[Outcome],
    now: float,
    chance: float,
    growth: Growth,
    interval: timedelta,
) -> dict[Thing, Rest]:
    """Return who rests after a pass: what failed, for longer; what succeeded, no more.

    What ended the whole target's pass is no fault of one document: the target itself rests for it.
    """
    kept, made = dict(rests), tuple(o for o in outcomes if o.failure not in ENDS_TARGET)
    failed = {o.thing: o for o in made if not o.done}
    for outcome in made:
        if outcome.thing not in failed:
            kept.pop(outcome.thing, None)
    for thing, outcome in failed.items():
        failures = kept[thing].failures + 1 if thing in kept else 1
        most = interval if outcome.failure in PASSING else growth.most
        span = min(growth.after(failures, chance), most)
        kept[thing] = Rest(failures=failures, until=now + span.total_seconds())
    return kept


def resting(rests: Mapping[Thing, Rest], now: float) -> frozenset[Thing]:
    """Return what is left alone now."""
    return frozenset(thing for thing, rest in rests.items() if now < rest.until)


def without(plan: TargetPlan, left_alone: frozenset[Thing]) -> TargetPlan:
    """Return the plan without the moves of what rests. Going back is never put off."""
    if not left_alone:
        return plan
    return replace(
        plan,
        items=tuple(
            replace(i, now=()) if (i.kind, i.name) in left_alone and not goes_back(i) else i
            for i in plan.items
        ),
    )
