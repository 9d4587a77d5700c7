"""Drift over passes: found, changed, gone, healed, contested; each told once per change. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from reconciler.plan.model import ActionKind, Drift, Item, TargetPlan
from reconciler.report.document_events import DriftChanged, DriftContested, DriftFound, DriftGone, DriftHealed
from reconciler.report.event import Event
from reconciler.report.outcome import Thing

CONTESTED: Final = 3  # healed this often, a difference that is back is somebody else's will
CALM: Final = timedelta(days=1)  # a difference that stays away this long begins anew
COMPARED: Final = (ActionKind.NONE, ActionKind.UPDATE)  # of other items, drift is not looked for
BY_LOOK: Final = ("balancer/", "target-group/", "listener/")  # read only of what is under way or audited

Address: TypeAlias = tuple[str, str, str, str]  # kind, name, resource, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One difference as it was told last. `acted`: we wrote for its document since."""

    row: Drift
    acted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """How often a difference was healed, and when last."""

    count: int
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftMemory:
    """What was told of drift."""

    known: Mapping[Address, Known] = field(default_factory=dict)
    healed: Mapping[Address, Rounds] = field(default_factory=dict)


def tell_drift(
    memory: DriftMemory, commit: str, plan: TargetPlan, wrote: frozenset[Thing], looked: frozenset[str]
) -> tuple[DriftMemory, tuple[Event, ...]]:
    """Return what is new about drift. `wrote`: whose steps were done; `looked`: fleets read in full."""
    items = {(i.kind, i.name): i for i in plan.items}
    rows = {_address(r): r for r in plan.drift}
    healed = {a: r for a, r in memory.healed.items() if plan.as_of - r.last < CALM}
    known: dict[Address, Known] = {}
    events: list[Event] = []
    for address, row in sorted(rows.items()):
        old = memory.known.get(address)
        acted = (old is not None and old.acted) or (row.heals and address[:2] in wrote)
        known[address] = Known(row=row, acted=acted)
        if event := _there(commit, row, old, healed.get(address)):
            events.append(event)
    for address, old in sorted(memory.known.items()):
        item = items.get(address[:2])
        if address in rows or item is None or item.action is ActionKind.RETIRE:
            continue
        if not _compared(item, old, looked):
            known[address] = old
        elif old.acted:
            count = healed[address].count + 1 if address in healed else 1
            healed[address] = Rounds(count=count, last=plan.as_of)
            events.append(DriftHealed(**_of(commit, old.row), rounds=count))
        else:
            events.append(DriftGone(**_of(commit, old.row)))
    return replace(memory, known=known, healed=healed), tuple(events)


def _there(commit: str, row: Drift, old: Known | None, rounds: Rounds | None) -> Event | None:
    if old is None and rounds is not None and rounds.count >= CONTESTED:
        return DriftContested(**_of(commit, row), rounds=rounds.count)
    if old is None:
        return DriftFound(**_of(commit, row), heals=row.heals)
    if (old.row.live, old.row.want) != (row.live, row.want):
        return DriftChanged(**_of(commit, row), before=old.row.live)
    return None


def _compared(item: Item, old: Known, looked: frozenset[str]) -> bool:
    """Does the absence of a known difference from this plan say that it is gone."""
    return item.action in COMPARED and (not _by_look(old.row) or item.name in looked)


def _by_look(row: Drift) -> bool:
    """Is this field read only of what is under way or audited."""
    if row.resource.startswith("instance/"):
        return not row.field.endswith(("launchTemplate", "lifecycle"))  # those the bulk reads give
    return row.resource.startswith(BY_LOOK) or row.field.startswith("hooks.")


def _address(row: Drift) -> Address:
    return (row.kind, row.name, row.resource, row.field)


def _of(commit: str, row: Drift) -> dict[str, Any]:
    return {
        "commit": commit,
        "target": row.target,
        "kind": row.kind,
        "name": row.name,
        "resource": row.resource,
        "field": row.field,
        "want": row.want,
        "live": row.live,
    }
