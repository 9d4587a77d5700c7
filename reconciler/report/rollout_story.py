"""Rollouts over passes: started, shifted, rolled back, finished; fleets that are gone. Pure.

Told from what was done, so that a rollout is told once; the first plan of a process tells those
that were under way as resumed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from reconciler.core.facts import FAILED, IDLE
from reconciler.core.ids import FleetName, ResourceName, Revision, resource_name
from reconciler.kinds.group.steps import CreateGroup, TagGroup
from reconciler.kinds.register import Wait
from reconciler.kinds.template.steps import CreateTemplate, TagTemplate
from reconciler.plan.model import ActionKind, Item, TargetPlan
from reconciler.report.document_events import (
    FleetRetired,
    RolloutFinished,
    RolloutPaused,
    RolloutPromoted,
    RolloutResumed,
    RolloutRolledBack,
    RolloutShifted,
    RolloutStarted,
    RolloutWaiting,
)
from reconciler.report.event import Event
from reconciler.report.outcome import Outcome
from reconciler.strategies.staged import PAUSE

FLEET: Final = "Fleet"
NUMBER: Final = re.compile(r"(?<![\w-])\d+(?![\w-])")
UNDER_WAY: Final = (ActionKind.CREATE, ActionKind.REPLACE)
STILL_LEAVING: Final = (ActionKind.RETIRE, ActionKind.BLOCKED, ActionKind.UNREAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """A rollout as it was told last."""

    revision: str
    before: str
    shifted: bool = False
    failed: bool = False
    paused: bool = False
    waits: tuple[str, datetime | None] = ("", None)  # for what, without its numbers, and until when


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutMemory:
    """What was told of rollouts."""

    first: bool = True  # no plan was told yet
    rollouts: Mapping[str, Rollout] = field(default_factory=dict)  # by fleet
    leaving: Mapping[str, str] = field(default_factory=dict)  # revision, by fleet taken out of git


def tell_rollouts(
    memory: RolloutMemory, commit: str, plan: TargetPlan, outcomes: Iterable[Outcome]
) -> tuple[RolloutMemory, tuple[Event, ...]]:
    """Return what is new about rollouts and retirements."""
    done: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.kind == FLEET and outcome.done:
            done.setdefault(outcome.name, []).append(outcome)
    rollouts = dict(memory.rollouts)
    events: list[Event] = []
    for item in plan.items:
        if item.kind != FLEET or item.action is ActionKind.UNREAD:
            continue
        if item.action is ActionKind.RETIRE:
            rollouts.pop(item.name, None)
            continue
        old = rollouts.pop(item.name, None)
        new, told = _one(commit, item, old, done.get(item.name, []), first=memory.first)
        events += told
        if new:
            rollouts[item.name] = new
    leaving, gone = _leaving(memory, commit, plan)
    rollouts = {n: r for n, r in rollouts.items() if n not in leaving}
    return RolloutMemory(first=False, rollouts=rollouts, leaving=leaving), (*events, *gone)


def _one(
    commit: str, item: Item, old: Rollout | None, done: list[Outcome], *, first: bool
) -> tuple[Rollout | None, list[Event]]:
    events: list[Event] = []
    if old and item.to and item.to != old.revision:
        events += _superseded(commit, item, old)
        old = None
    if old is None:
        old, begun = _begun(commit, item, done, first=first)
        events += begun
    if old is None:
        return None, events
    of = _of(commit, item, old.revision)
    if not old.shifted and _left(item, old, done):
        events.append(RolloutShifted(**of, before=old.before))
        old = replace(old, shifted=True)
    if not old.failed and (code := _failed(done)):
        events.append(RolloutRolledBack(**of, before=old.before, code=code))
        old = replace(old, failed=True)
    paused = item.blocked is not None and item.blocked.code == PAUSE
    if item.blocked and paused and not old.paused:
        events.append(RolloutPaused(**of, why=item.blocked.why))
    elif old.paused and not paused and item.action in UNDER_WAY:
        events.append(RolloutPromoted(**of))
    old = replace(old, paused=paused)
    if item.wait and (waits := _waits(item.wait)) != old.waits:
        wait = item.wait
        events.append(RolloutWaiting(**of, why=wait.why, until=wait.until, deadline=wait.deadline))
        old = replace(old, waits=waits)
    if _alone(item, old):
        if not old.shifted:
            events.append(RolloutShifted(**of, before=old.before))
        return None, [*events, RolloutFinished(**of, before=old.before)]
    return old, events


def _waits(wait: Wait) -> tuple[str, datetime | None]:
    return NUMBER.sub("#", wait.why), wait.until


def _begun(
    commit: str, item: Item, done: list[Outcome], *, first: bool
) -> tuple[Rollout | None, list[Event]]:
    if item.action not in UNDER_WAY or not item.to:
        return None, []
    name = _name(item, item.to)
    made = any(isinstance(o.step, CreateTemplate | CreateGroup) and o.step.name == name for o in done)
    if not made and not item.begun:
        return None, []
    kind = RolloutResumed if first and item.begun else RolloutStarted
    rollout = Rollout(revision=item.to, before=item.was if item.was != item.to else "")
    return rollout, [kind(**_of(commit, item, item.to), before=rollout.before)]


def _superseded(commit: str, item: Item, old: Rollout) -> Iterator[Event]:
    of = _of(commit, item, old.revision)
    if old.shifted:
        yield RolloutFinished(**of, before=old.before)
    elif not old.failed:
        yield RolloutRolledBack(**of, before=old.before, code="superseded")


def _left(item: Item, rollout: Rollout, done: list[Outcome]) -> bool:
    """Was another revision marked idle: that is written once the last client has followed."""
    name = _name(item, rollout.revision)
    tags = (o.step for o in done if isinstance(o.step, TagGroup))
    return any(t.name != name and any(k == IDLE for k, _ in t.put) for t in tags)


def _failed(done: list[Outcome]) -> str:
    marks = (v for o in done if isinstance(o.step, TagTemplate) for k, v in o.step.put if k == FAILED)
    return next((mark.split(";", 2)[-1] for mark in marks), "")


def _alone(item: Item, rollout: Rollout) -> bool:
    if rollout.failed or item.to != rollout.revision:
        return False
    return item.action is ActionKind.NONE or (item.action is ActionKind.UPDATE and not item.begun)


def _leaving(memory: RolloutMemory, commit: str, plan: TargetPlan) -> tuple[dict[str, str], list[Event]]:
    fleets = {i.name: i for i in plan.items if i.kind == FLEET}
    leaving = {n: r for n, r in memory.leaving.items() if n not in fleets or _still(fleets[n])}
    leaving |= {i.name: i.was for i in fleets.values() if i.action is ActionKind.RETIRE}
    if not plan.complete:  # what was not read is not absent
        return leaving, []
    gone = sorted(n for n in leaving if n not in fleets)
    events: list[Event] = [
        FleetRetired(commit=commit, target=plan.target, kind=FLEET, name=n, revision=leaving.pop(n))
        for n in gone
    ]
    return leaving, events


def _still(item: Item) -> bool:
    return item.action in STILL_LEAVING


def _name(item: Item, revision: str) -> ResourceName:
    return resource_name(FleetName(item.name), Revision(revision))


def _of(commit: str, item: Item, revision: str) -> dict[str, Any]:
    return {
        "commit": commit,
        "target": item.target,
        "kind": item.kind,
        "name": item.name,
        "revision": revision,
    }
