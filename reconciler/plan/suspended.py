"""What a person suspended: in git, on a document or its Target, or by the tag of a fleet's group. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from reconciler.core.ids import ZoneName
from reconciler.kinds.register import Blocked
from reconciler.plan.goal import Goal
from reconciler.plan.model import ActionKind, Item, SuspendedBy, Suspension
from reconciler.spec.desired import DesiredFleet, DesiredTarget, Where
from reconciler.spec.metadata import Metadata
from reconciler.strategies.slice import Live, bare

CODE = "suspended"  # of what blocks a suspended thing


def of_target(target: DesiredTarget, as_of: datetime) -> Suspension | None:
    """Return the suspension of a whole target that is in force."""
    return _written(target.metadata, target.where, SuspendedBy.TARGET, as_of)


def of_document(goal: Goal, metadata: Metadata, where: Where, as_of: datetime) -> Suspension | None:
    """Return the suspension in force of a document: that of its Target goes first."""
    whole = of_target(goal.target, as_of)
    return whole or _written(metadata, where, SuspendedBy.DOCUMENT, as_of)


def of_fleet(
    goal: Goal, fleet: DesiredFleet | None, revisions: tuple[Live, ...], as_of: datetime
) -> Suspension | None:
    """Return the suspension in force of a fleet, by git or by a tag; None: git has it no more."""
    in_git = of_document(goal, fleet.metadata, fleet.where, as_of) if fleet else of_target(goal.target, as_of)
    return in_git or by_tag(revisions, as_of)


def by_tag(revisions: tuple[Live, ...], as_of: datetime) -> Suspension | None:
    """Return the suspension in force that somebody wrote to a group of the fleet."""
    hand = bare(revisions, as_of).paused() if revisions else None
    if hand is None:
        return None
    return Suspension(
        said=SuspendedBy.TAG, reason=hand.text, since=hand.since, until=hand.until, where="`reconciler pause`"
    )


def closed(goal: Goal, as_of: datetime) -> Iterator[tuple[ZoneName, Blocked]]:
    """Yield the zones of this target in which nothing is written, and what is said of a fleet that would."""
    for zone in goal.desired.zones:
        found = of_document(goal, zone.metadata, zone.where, as_of)
        if found and zone.spec.target == goal.target.name:
            yield zone.name, Blocked(code=CODE, why=f"zone {zone.name} is {told(found)}")


def _written(metadata: Metadata, where: Where, said: SuspendedBy, as_of: datetime) -> Suspension | None:
    suspend = metadata.suspend
    if suspend is None or (suspend.until and as_of >= suspend.until):
        return None
    place = where("metadata.suspend")
    at = f"{place.file}:{place.line}" if place else "git"
    return Suspension(said=said, reason=suspend.reason, by=suspend.by, until=suspend.until, where=at)


def of_whole(target: DesiredTarget, as_of: datetime) -> Iterator[str]:
    """Say of a target that it is suspended, or was."""
    if found := of_target(target, as_of):
        yield f"nothing is written here: {told(found)}"
    yield from over(target.metadata, as_of)


def over(metadata: Metadata, as_of: datetime) -> Iterator[str]:
    """Say that a suspension in git has ended by itself, and still stands there."""
    suspend = metadata.suspend
    if suspend and suspend.until and as_of >= suspend.until:
        yield (
            f"metadata.suspend ended at {suspend.until:%Y-%m-%d %H:%M} UTC ({suspend.reason}): take it out"
        )


def told(found: Suspension) -> str:
    """Return a suspension in words: who, since when, until when, why, and where it stands."""
    who = f" by {found.by}" if found.by else ""
    since = f" since {found.since:%Y-%m-%d %H:%M} UTC" if found.since else ""
    until = f" until {found.until:%Y-%m-%d %H:%M} UTC" if found.until else ""
    what = "target suspended" if found.said is SuspendedBy.TARGET else "suspended"
    return f"{what}{who}{since}{until}: {found.reason or 'no reason was given'} ({found.where})"


def block(found: Suspension) -> Blocked:
    """Return what holds a suspended thing."""
    return Blocked(code=CODE, why=told(found))


def hold(item: Item, found: Suspension | None) -> Item:
    """Return the item with nothing done now, if it is suspended. What else blocks it is still said first.

    What has nothing to do stays as it is, and says that it is suspended.
    """
    if found is None:
        return item
    item = replace(item, suspended=found, now=(), wait=None)
    if item.blocked and item.blocked.code != CODE:
        return item
    if item.action is not ActionKind.NONE:
        return replace(item, action=ActionKind.BLOCKED, blocked=block(found))
    notes = (told(found),) if found.said is not SuspendedBy.TARGET else ()  # a target says it once
    return replace(item, blocked=block(found), notes=(*item.notes, *notes))
