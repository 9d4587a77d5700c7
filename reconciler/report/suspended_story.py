"""Suspensions over passes: told when they are first seen, and once a day while they last. Pure.

The day is counted from the time that a tag names, else by the calendar (UTC), on AWS's own clock: a process
that starts again tells what it finds, and then keeps to the same hours.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

from reconciler.plan.model import ActionKind, SuspendedBy, Suspension, TargetPlan
from reconciler.report.document_events import SuspendedReminder
from reconciler.report.event import Event
from reconciler.report.outcome import Thing

DAY = timedelta(days=1)
Told: TypeAlias = Mapping[Thing, tuple[Suspension, int]]
"""What was told last of each suspended thing, and for which day."""


def tell_suspended(told: Told, commit: str, plan: TargetPlan) -> tuple[Told, tuple[Event, ...]]:
    """Return what is new of what is suspended. A whole target is told of once, not by each thing in it."""
    now = {thing: (found, _day(found, plan.as_of)) for thing, found in _suspended(plan)}
    events = tuple(
        SuspendedReminder(
            commit=commit,
            target=plan.target,
            kind=kind,
            name=name,
            reason=found.reason,
            by=found.by,
            since=found.since,
            until=found.until,
            where=found.where,
        )
        for (kind, name), (found, day) in sorted(now.items())
        if told.get((kind, name)) != (found, day)
    )
    lost = {(i.kind, i.name) for i in plan.items if i.action is ActionKind.UNREAD} - set(now)
    return {**{t: told[t] for t in lost if t in told}, **now}, events


def _suspended(plan: TargetPlan) -> Iterator[tuple[Thing, Suspension]]:
    if plan.suspended:
        yield ("Target", plan.target), plan.suspended
    for item in plan.items:
        if item.suspended and item.suspended.said is not SuspendedBy.TARGET:
            yield (item.kind, item.name), item.suspended


def _day(found: Suspension, as_of: datetime) -> int:
    """Count the days of a suspension; without a begin, those of the calendar."""
    return (as_of - found.since) // DAY if found.since else as_of.toordinal()
