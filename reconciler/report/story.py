"""What a pass has to tell that the passes before it did not: (memory, plan, outcomes) -> events. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.kinds.register import Blocked
from reconciler.plan.model import ActionKind, Item, Refusal, TargetPlan
from reconciler.report.document_events import BlockedFound, BlockedGone, ConflictFound, ConflictGone
from reconciler.report.drift_story import DriftMemory, tell_drift
from reconciler.report.event import Event
from reconciler.report.events import LimitRefused, ReadFailed, ReadRecovered, WarningFound
from reconciler.report.outcome import Outcome, Thing
from reconciler.report.rollout_story import RolloutMemory, tell_rollouts
from reconciler.report.suspended_story import Told, tell_suspended

CONFLICTS: Final = ("conflict", "commit")
TOLD_ELSEWHERE: Final = ("limit", "unread")  # limit.refused and read.failed say it once for the target


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the passes of one target told so far."""

    drift: DriftMemory = field(default_factory=DriftMemory)
    rollouts: RolloutMemory = field(default_factory=RolloutMemory)
    blocked: Mapping[Thing, Blocked] = field(default_factory=dict)
    suspended: Told = field(default_factory=dict)
    refused: frozenset[tuple[str, Refusal]] = frozenset()  # with the plan's digest
    unread: frozenset[str] = frozenset()
    warnings: frozenset[str] = frozenset()


NOTHING_TOLD: Final = Memory()


def tell(
    memory: Memory,
    commit: str,
    plan: TargetPlan,
    outcomes: Iterable[Outcome],
    looked: frozenset[str] = frozenset(),
) -> tuple[Memory, tuple[Event, ...]]:
    """Return what is to be told of a pass, and what is remembered of it.

    `looked`: fleets that were read in full, beyond what AWS lists in bulk.
    """
    made = tuple(outcomes)
    wrote = frozenset(o.thing for o in made if o.done and not o.already)
    drift, of_drift = tell_drift(memory.drift, commit, plan, wrote, looked)
    rollouts, of_rollouts = tell_rollouts(memory.rollouts, commit, plan, made)
    blocked, of_blocked = _blocked(memory.blocked, commit, plan)
    suspended, of_suspended = tell_suspended(memory.suspended, commit, plan)
    refused = frozenset((plan.digest, r) for r in plan.refusals if not plan.approved)
    unread, warnings = frozenset(plan.unread), frozenset(plan.warnings)
    of = {"commit": commit, "target": plan.target}
    events: tuple[Event, ...] = (
        *(ReadFailed(**of, why=why) for why in sorted(unread - memory.unread)),
        *(ReadRecovered(**of, why=why) for why in sorted(memory.unread - unread)),
        *(WarningFound(**of, why=why) for why in sorted(warnings - memory.warnings)),
        *(_refused(commit, *r) for r in sorted(refused - memory.refused, key=lambda r: r[1].why)),
        *of_suspended,
        *of_blocked,
        *of_rollouts,
        *of_drift,
    )
    told = Memory(
        drift=drift,
        rollouts=rollouts,
        blocked=blocked,
        suspended=suspended,
        refused=refused,
        unread=unread,
        warnings=warnings,
    )
    return told, events


def _refused(commit: str, digest: str, refusal: Refusal) -> LimitRefused:
    return LimitRefused(
        commit=commit,
        target=refusal.target,
        limit=refusal.limit,
        count=refusal.count,
        of=refusal.of,
        allowed=refusal.allowed,
        digest=digest,
        why=refusal.why,
    )


def _blocked(
    before: Mapping[Thing, Blocked], commit: str, plan: TargetPlan
) -> tuple[dict[Thing, Blocked], list[Event]]:
    now: dict[Thing, Blocked] = {}
    events: list[Event] = []
    for item in plan.items:
        thing = (item.kind, item.name)
        # What is suspended and has nothing to do is not held back from anything.
        old, new = before.get(thing), None if item.action is ActionKind.NONE else item.blocked
        if item.action is ActionKind.UNREAD or (new and new.code in TOLD_ELSEWHERE):
            if old:
                now[thing] = old
            continue
        if new:
            now[thing] = new
            if new != old:
                kind = ConflictFound if new.code in CONFLICTS else BlockedFound
                events.append(kind(**_of(commit, item), code=new.code, why=new.why))
        elif old:
            gone = ConflictGone if old.code in CONFLICTS else BlockedGone
            events.append(gone(**_of(commit, item), code=old.code))
    return now, events


def _of(commit: str, item: Item) -> dict[str, Any]:
    return {
        "commit": commit,
        "target": item.target,
        "kind": item.kind,
        "name": item.name,
        "revision": item.to or item.was,
    }
