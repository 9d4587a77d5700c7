"""What a pull request would cause: two plans over one snapshot of AWS, told apart. Pure.

Base and merge result are planned against the same world. What both say is merged already and not yet
applied; what only the merge result says is caused by the pull request; drift is neither's.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from reconciler.plan.model import ActionKind, Drift, Item, Refusal, TargetPlan

HELD: Final = ("limit", "freeze", "suspended", "wave", "breaker")
"""Codes of what holds a change back without changing what it is."""


class Verdict(StrEnum):
    """What the one status of a pull request says."""

    SUCCESS = "success"
    FAILURE = "failure"
    PENDING = "pending"
    ERROR = "error"


class Risk(StrEnum):
    """How closely a person should look; in rising order."""

    NONE = "none"
    LOW = "low"  # created, or changed in place
    HIGH = "high"  # replaced or retired
    STOP = "stop"  # refused, in conflict, or not known

    @property
    def rank(self) -> int:
        """Its place in the order."""
        return tuple(Risk).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One target: what the pull request causes, what was pending before it, and drift."""

    merged: TargetPlan
    caused: tuple[Item, ...]
    pending: tuple[Item, ...]
    called_off: tuple[Item, ...]  # of the base's plan: the merge result no longer does it
    drift: tuple[Drift, ...]
    refusals: tuple[Refusal, ...]  # that the base's plan alone would not meet

    @property
    def shown(self) -> TargetPlan:
        """The merge result's plan with only what the pull request causes in it."""
        return replace(self.merged, items=self.caused, drift=(), refusals=self.refusals)


def compare(base: TargetPlan | None, merged: TargetPlan) -> Compared:
    """Tell two plans over one world apart. `base` is None where the target is new."""
    before = {(i.kind, i.name): i for i in base.items} if base else {}
    after = {(i.kind, i.name) for i in merged.items}
    caused, pending = [], []
    for item in merged.items:
        old = before.get((item.kind, item.name))
        if old is None or not _alike(old, item):
            if _does(item) or (old and (_does(old) or bool(old.suspended) != bool(item.suspended))):
                caused.append(item)
        elif _does(item):
            pending.append(item)
    gone = [i for key, i in before.items() if key not in after and _does(i)]
    known = {(r.limit, r.count, r.of, r.allowed) for r in base.refusals} if base else set()
    over = [r for r in merged.refusals if (r.limit, r.count, r.of, r.allowed) not in known]
    return Compared(
        merged=merged,
        caused=tuple(caused),
        pending=tuple(pending),
        called_off=tuple(gone),
        drift=base.drift if base else merged.drift,
        refusals=tuple(over),
    )


def _alike(old: Item, new: Item) -> bool:
    """Do both come to the same, whatever holds one of them back at the moment."""
    held = any(i.blocked is not None and i.blocked.code in HELD for i in (old, new))
    if (old.was, old.to, old.because) != (new.was, new.to, new.because):
        return False
    if bool(old.suspended) != bool(new.suspended):
        return False
    return held or old.action is new.action


def _does(item: Item) -> bool:
    return item.action is not ActionKind.NONE or bool(item.now)


def verdict(found: tuple[Compared, ...], *, draft: bool = False) -> Verdict:
    """Return what the status says. Drift and what was pending before never count."""
    blocked = {i.blocked.code for c in found for i in c.caused if i.blocked}
    if any(c.refusals and not c.merged.approved for c in found) or "conflict" in blocked:
        return Verdict.FAILURE
    if any(not c.merged.complete or c.merged.count(ActionKind.UNREAD) for c in found):
        return Verdict.ERROR
    return Verdict.PENDING if draft else Verdict.SUCCESS


def risk(found: tuple[Compared, ...]) -> Risk:
    """Return how closely a person should look at what the pull request causes."""
    if verdict(found) is not Verdict.SUCCESS:
        return Risk.STOP
    actions = {i.action for c in found for i in c.caused}
    if actions & {ActionKind.BLOCKED, ActionKind.UNREAD}:
        return Risk.STOP
    if actions & {ActionKind.REPLACE, ActionKind.RETIRE} or any(c.called_off for c in found):
        return Risk.HIGH
    return Risk.LOW if actions else Risk.NONE
