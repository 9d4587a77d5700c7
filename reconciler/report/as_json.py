"""The plan as JSON: an interface. Fields are added, never renamed; its schema is made from these types."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import TypeAdapter, WithJsonSchema
from typing_extensions import TypedDict

from reconciler.core.duration import format_duration
from reconciler.kinds.register import Wait
from reconciler.plan.model import (
    ActionKind,
    Because,
    Drift,
    Item,
    Plan,
    PlannedStep,
    Refusal,
    SuspendedBy,
    Suspension,
    TargetPlan,
)
from reconciler.report.summary import summary
from reconciler.report.words import digits

NUMBERS: Final = frozenset({"min", "max", "desired", "weight"})
"""Fields of drift whose values are numbers on both sides."""


class BecauseJson(TypedDict):
    """One reason."""

    path: str
    old: str
    new: str
    at: str
    secret: NotRequired[bool]


class StepJson(TypedDict):
    """One step of the way. `at` is the earliest time; a step without it is done in this pass."""

    op: str
    name: str
    when: Literal["now", "later"]
    at: NotRequired[str]
    stage: NotRequired[int]
    weight: NotRequired[int]
    hold: NotRequired[str]
    detail: NotRequired[str]
    why: NotRequired[str]


class BlockedJson(TypedDict):
    """Why nothing will happen until a person acts."""

    code: str
    why: str


class WaitJson(TypedDict):
    """What is waited for, until when at the earliest, and past which time the rollout goes back."""

    why: str
    until: str | None
    deadline: str | None


class GateJson(TypedDict):
    """What one gate of a rollout under way says: whether it goes on, and what was measured."""

    name: str
    state: Literal["pass", "fail", "wait"]
    why: str


class SuspendedJson(TypedDict):
    """Nothing is written until then, or until it is resumed. `said`: where that has to be."""

    said: Annotated[str, WithJsonSchema({"enum": [s.value for s in SuspendedBy]})]
    reason: str
    by: str
    since: str | None
    until: str | None
    where: str


ChangeJson = TypedDict(
    "ChangeJson",
    {
        "kind": Annotated[str, WithJsonSchema({"enum": ["Fleet", "Image", "Zone"]})],
        "name": str,
        "target": str,
        "action": Annotated[str, WithJsonSchema({"enum": [a.value for a in ActionKind]})],
        "from": str | None,
        "to": str | None,
        "because": list[BecauseJson],
        "steps": list[StepJson],
        "blocked": BlockedJson | None,
        "wait": WaitJson | None,
        "begun": bool,
        "suspended": SuspendedJson | None,
        "notes": list[str],
        "rollout": list[str],
        "gates": list[GateJson],
    },
)


class DriftRow(TypedDict):
    """A live difference that no commit explains. `heals`: it is put right, not only reported."""

    kind: str
    name: str
    target: str
    resource: str
    field: str
    want: str | int
    live: str | int
    heals: bool


class RefusalJson(TypedDict):
    """A limit that the plan of a target is over."""

    target: str
    limit: str
    count: int
    of: int
    allowed: int
    why: str
    approved: bool
    digest: str


class TargetJson(TypedDict):
    """One target's part: what it was made from, and what is said of the whole target."""

    name: str
    as_of: str
    digest: str
    complete: bool
    approved: bool
    suspended: SuspendedJson | None
    unread: list[str]
    warnings: list[str]


class SummaryJson(TypedDict):
    """Documents, each counted once for each of its targets; drifted ones by their action too."""

    create: int
    replace: int
    update: int
    retire: int
    unchanged: int
    drifted: int
    blocked: int
    unread: int


class PlanJson(TypedDict):
    """What one commit means: `reconciler plan --format json`."""

    version: Literal[1]
    commit: str
    complete: bool
    digests: dict[str, str]
    summary: SummaryJson
    changes: list[ChangeJson]
    drift: list[DriftRow]
    refusals: list[RefusalJson]
    targets: list[TargetJson]


class DriftJson(TypedDict):
    """What differs from the last applied commits: `reconciler drift --format json`."""

    version: Literal[1]
    commit: str
    complete: bool
    drift: list[DriftRow]


def plan_json(plan: Plan) -> PlanJson:
    """Return the plan as CONTRACT section 3 has it, and what is told beside it."""
    counts = summary(plan)
    return {
        "version": 1,
        "commit": plan.commit,
        "complete": plan.complete,
        "digests": {t.target: t.digest for t in plan.targets},
        "summary": {
            "create": counts.create,
            "replace": counts.replace,
            "update": counts.update,
            "retire": counts.retire,
            "unchanged": counts.unchanged,
            "drifted": counts.drifted,
            "blocked": counts.blocked,
            "unread": counts.unread,
        },
        "changes": [_change(i) for t in plan.targets for i in t.items],
        "drift": [_drift(d) for t in plan.targets for d in t.drift],
        "refusals": [_refusal(r, t) for t in plan.targets for r in t.refusals],
        "targets": [_target(t) for t in plan.targets],
    }


def drift_json(plan: Plan) -> DriftJson:
    """Return the drift of a plan, with the same rows as the plan has."""
    rows = [_drift(d) for t in plan.targets for d in t.drift]
    return {"version": 1, "commit": plan.commit, "complete": plan.complete, "drift": rows}


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema of `plan_json`."""
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **TypeAdapter(PlanJson).json_schema()}


def _change(item: Item) -> ChangeJson:
    return {
        "kind": item.kind,
        "name": item.name,
        "target": item.target,
        "action": item.action.value,
        "from": digits(item.was) or None,
        "to": digits(item.to) or None,
        "because": [_because(b) for b in item.because],
        "steps": [_step(s) for s in item.steps],
        "blocked": {"code": item.blocked.code, "why": item.blocked.why} if item.blocked else None,
        "wait": _wait(item.wait) if item.wait else None,
        "begun": item.begun,
        "suspended": suspended_json(item.suspended) if item.suspended else None,
        "notes": list(item.notes),
        "rollout": list(item.rollout),
        "gates": [{"name": g.name, "state": g.state, "why": g.why} for g in item.gates],
    }


def suspended_json(found: Suspension) -> SuspendedJson:
    """Return a suspension as JSON."""
    return {
        "said": found.said.value,
        "reason": found.reason,
        "by": found.by,
        "since": _time(found.since),
        "until": _time(found.until),
        "where": found.where,
    }


def _because(because: Because) -> BecauseJson:
    made: BecauseJson = {"path": because.path, "old": because.old, "new": because.new, "at": because.at}
    if because.secret:
        made["secret"] = True
    return made


def _wait(wait: Wait) -> WaitJson:
    return {"why": wait.why, "until": _time(wait.until), "deadline": _time(wait.deadline)}


def _step(step: PlannedStep) -> StepJson:
    made: StepJson = {"op": step.op, "name": step.name, "when": "now" if step.when == "now" else "later"}
    if (at := _time(step.at)) is not None:
        made["at"] = at
    if step.stage is not None:
        made["stage"] = step.stage
    if step.weight is not None:
        made["weight"] = step.weight
    if step.hold is not None:
        made["hold"] = format_duration(step.hold)
    if step.detail:
        made["detail"] = step.detail
    if step.why:
        made["why"] = step.why
    return made


def _drift(row: Drift) -> DriftRow:
    return {
        "kind": row.kind,
        "name": row.name,
        "target": row.target,
        "resource": row.resource,
        "field": row.field,
        "want": _value(row.field, row.want),
        "live": _value(row.field, row.live),
        "heals": row.heals,
    }


def _value(field: str, value: str) -> str | int:
    return int(value) if field in NUMBERS and value.isdecimal() else value


def _refusal(refusal: Refusal, plan: TargetPlan) -> RefusalJson:
    return {
        "target": refusal.target,
        "limit": refusal.limit,
        "count": refusal.count,
        "of": refusal.of,
        "allowed": refusal.allowed,
        "why": refusal.why,
        "approved": plan.approved,
        "digest": plan.digest,
    }


def _target(plan: TargetPlan) -> TargetJson:
    return {
        "name": plan.target,
        "as_of": _stamp(plan.as_of),
        "digest": plan.digest,
        "complete": plan.complete,
        "approved": plan.approved,
        "suspended": suspended_json(plan.suspended) if plan.suspended else None,
        "unread": list(plan.unread),
        "warnings": list(plan.warnings),
    }


def _time(at: datetime | None) -> str | None:
    return _stamp(at) if at else None


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
