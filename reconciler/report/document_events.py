"""Events about one document in one target: steps, what blocks it, rollouts, drift."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from reconciler.report.event import Level, OfThing


@dataclass(frozen=True, slots=True, kw_only=True)
class StepApplied(OfThing):
    """One write took effect. `already`: the effect was there, nothing was written."""

    event: ClassVar[str] = "step.applied"
    op: str
    resource: str
    because: str
    change: str  # id of a Route 53 change batch
    already: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed(OfThing):
    """One write raised: the rest of this document's moves wait, and no other's."""

    event: ClassVar[str] = "step.failed"
    level: ClassVar[Level] = "error"
    op: str
    resource: str
    failure: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedFound(OfThing):
    """Nothing happens here until a person acts, or until a time that `why` names."""

    event: ClassVar[str] = "blocked.found"
    level: ClassVar[Level] = "warning"
    code: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedGone(OfThing):
    """What stood in the way is gone."""

    event: ClassVar[str] = "blocked.gone"
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspendedReminder(OfThing):
    """Nothing of this is written until it is resumed. Told when it is first seen, then once a day."""

    event: ClassVar[str] = "suspended.reminder"
    level: ClassVar[Level] = "warning"
    reason: str
    by: str  # empty: nobody was named
    since: datetime | None  # None: git does not say
    until: datetime | None  # it ends then by itself
    where: str  # file:line, or the command that ends it


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictFound(OfThing):
    """Something that is not ours, or not of this history, stands where ours should be."""

    event: ClassVar[str] = "conflict.found"
    level: ClassVar[Level] = "error"
    code: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictGone(OfThing):
    """A conflict is gone."""

    event: ClassVar[str] = "conflict.gone"
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutStarted(OfThing):
    """A new revision begins to exist. `before` is what serves; empty at a first birth."""

    event: ClassVar[str] = "rollout.started"
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutResumed(OfThing):
    """A rollout that was under way before this process began."""

    event: ClassVar[str] = "rollout.resumed"
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutShifted(OfThing):
    """All traffic is with this revision, and the last client has followed."""

    event: ClassVar[str] = "rollout.shifted"
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutWaiting(OfThing):
    """What a rollout waits for now. Told once for each thing that it waits for, whatever its numbers."""

    event: ClassVar[str] = "rollout.waiting"
    level: ClassVar[Level] = "info"
    why: str
    until: datetime | None  # the earliest time at which it can go on, if that is known
    deadline: datetime | None  # past it, the rollout goes back


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPaused(OfThing):
    """A rollout waits for a person to promote it."""

    event: ClassVar[str] = "rollout.paused"
    level: ClassVar[Level] = "warning"
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPromoted(OfThing):
    """A paused rollout goes on."""

    event: ClassVar[str] = "rollout.promoted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutRolledBack(OfThing):
    """Traffic is back where it was. `code`: what failed, or `superseded` by a newer commit."""

    event: ClassVar[str] = "rollout.rolled_back"
    level: ClassVar[Level] = "error"
    before: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutFinished(OfThing):
    """The new revision serves alone: the old one is retired."""

    event: ClassVar[str] = "rollout.finished"
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRetired(OfThing):
    """A fleet that was taken out of git is gone, with all that was made for it."""

    event: ClassVar[str] = "fleet.retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfDrift(OfThing):
    """A live difference that no commit explains."""

    resource: str  # group/web-77aa
    field: str
    want: str
    live: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftFound(OfDrift):
    """A difference is there that was not. `heals`: it will be put right."""

    event: ClassVar[str] = "drift.found"
    level: ClassVar[Level] = "warning"
    heals: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftChanged(OfDrift):
    """A known difference is another one now."""

    event: ClassVar[str] = "drift.changed"
    level: ClassVar[Level] = "warning"
    before: str  # the live value that was told last


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftGone(OfDrift):
    """A difference is gone, and not by us."""

    event: ClassVar[str] = "drift.gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftHealed(OfDrift):
    """A difference is gone: we put it right."""

    event: ClassVar[str] = "drift.healed"
    rounds: int  # times that it was healed


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftContested(OfDrift):
    """A difference is back after it was healed several times: somebody else wants another value."""

    event: ClassVar[str] = "drift.contested"
    level: ClassVar[Level] = "error"
    rounds: int
