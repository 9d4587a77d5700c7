"""One step or wait as a line of a plan: what, to what, how much, and because of what."""

import re
from datetime import datetime
from typing import Final

from reconciler.core.facts import PREFIX
from reconciler.core.quick import replace
from reconciler.kinds.balancer.live import target_group_name
from reconciler.kinds.balancer.steps import CreateRule, SetRule
from reconciler.kinds.group.steps import (
    Attach,
    CreateGroup,
    DeletePolicy,
    DeleteSchedule,
    Detach,
    PutPolicy,
    PutSchedule,
    ReplaceInstance,
    ResumeProcesses,
    SetSizes,
    TagGroup,
    UpdateGroup,
)
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.record.steps import Action, ChangeRecords
from reconciler.kinds.register import Move, Step, Wait
from reconciler.kinds.template.steps import TagTemplate
from reconciler.plan.model import PlannedStep

FORESEEN: Final = (
    (re.compile(r"^Route 53 change \S+ is .*"), "Route 53 spreads the records"),
    (re.compile(r"^target health of (\S+) was not read in this pass"), r"targets of \1 become healthy"),
)
"""What waits of a simulated world are about: it has no ids of changes, and nobody reads it."""


def foreseen(move: Move) -> Move:
    """Return a move of a simulated world without what only a read of the real one can tell."""
    if not isinstance(move, Wait):
        return move
    why = move.why
    for found, words in FORESEEN:
        why = found.sub(words, why)
    return replace(move, why=why)


def quiet(step: Step) -> bool:
    """Is this only bookkeeping: tags of ours that remember what was done."""
    keys = (*(k for k, _ in step.put), *step.drop) if isinstance(step, TagGroup | TagTemplate) else ("",)
    return all(k.startswith(PREFIX) for k in keys)


def planned(move: Step | Wait, when: str, at: datetime | None, last: int = 1) -> PlannedStep:
    """Return the line of a step or wait that begins at `at`; `last` is the number of stages."""
    if isinstance(move, Wait):
        hold = move.until - at if move.until and at and move.until > at else None
        return PlannedStep(op="wait", name="", when=when, at=at, hold=hold, why=move.why)
    weight = weight_of(move)
    return PlannedStep(
        op=move.op,
        name=str(move.name),
        when=when,
        at=at,
        stage=_stage(move, last) if weight is not None else None,
        weight=weight,
        detail=detail(move),
        why=getattr(move, "because", ""),
    )


def _stage(step: Step, last: int) -> int:
    """Return the number of the stage that a step brings its revision to, from 1 on."""
    head = getattr(step, "stage", "").partition("/")[0]
    return int(head) if head.isdigit() else last


def weight_of(step: Step) -> int | None:
    """Return the percent of traffic of the marked revision after this step, if it moves traffic."""
    if isinstance(step, CreateRule):
        return 100
    if isinstance(step, SetRule) and step.mark:
        return _percent({_short(arn): w for arn, w in step.weights}, step.mark)
    if isinstance(step, ChangeRecords) and step.mark:
        records = (c.record for c in step.changes if c.action is not Action.DELETE)
        return _percent({r.identifier.partition(".")[2]: r.weight or 0 for r in records}, step.mark)
    return None


def _percent(weights: dict[str, int], name: str) -> int | None:
    total = sum(weights.values())
    return round(100 * weights.get(name, 0) / total) if total else None


def detail(step: Step) -> str:
    """Return how much or what exactly, where a step's name does not say it."""
    match step:
        case CreateGroup():
            return f"min {step.sizes.min}, desired {step.sizes.desired}, max {step.sizes.max}"
        case SetSizes():
            return _sizes(step.expect, step.sizes)
        case UpdateGroup():
            return ", ".join(k for k, _ in step.members)
        case TagGroup() | TagTemplate():
            return ", ".join((*(k for k, _ in step.put), *(f"-{k}" for k in step.drop)))
        case PutPolicy():
            return step.policy.name
        case PutSchedule():
            return step.schedule.name
        case DeletePolicy():
            return step.policy
        case DeleteSchedule():
            return step.schedule
        case Attach() | Detach():
            places = (*(_short(a) for a in step.target_groups), *step.classic)
            return f"{'to' if isinstance(step, Attach) else 'from'} {', '.join(places)}"
        case ReplaceInstance():
            return step.instance
        case ResumeProcesses():
            return ", ".join(step.processes)
        case CreateRule() | SetRule():
            return "weights " + ", ".join(f"{_short(a)}={w}" for a, w in step.weights)
        case ChangeRecords():
            return _records(step)
        case _:
            return ""


def _sizes(before: Sizes, after: Sizes) -> str:
    pairs = (
        ("min", before.min, after.min),
        ("desired", before.desired, after.desired),
        ("max", before.max, after.max),
    )
    return ", ".join(f"{name} {old} -> {new}" for name, old, new in pairs if old != new)


def _short(arn: str) -> str:
    return target_group_name(arn) or arn


def _records(step: ChangeRecords) -> str:
    weighted = [
        c.record for c in step.changes if c.action is not Action.DELETE and c.record.weight is not None
    ]
    if step.mark and weighted:
        return "weights " + ", ".join(f"{r.identifier.partition('.')[2]}={r.weight}" for r in weighted)
    new = {c.record.key for c in step.changes if c.action is not Action.DELETE}
    old = {c.record.key for c in step.changes if c.action is Action.DELETE}
    counts = (("create", new - old), ("change", new & old), ("delete", old - new))
    return ", ".join(f"{len(keys)} to {what}" for what, keys in counts if keys)
