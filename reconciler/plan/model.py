"""A plan as data: what a pass would do now, the whole way of each rollout, drift, and what is refused."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from reconciler.core.ids import Commit, TargetName
from reconciler.core.quick import quick
from reconciler.kinds.register import Blocked, Step, Wait
from reconciler.strategies.gates import NOTHING, Asks, Gate


class ActionKind(StrEnum):
    """What happens to one document in one target."""

    CREATE = "create"
    REPLACE = "replace"
    UPDATE = "update"
    RETIRE = "retire"
    NONE = "none"
    BLOCKED = "blocked"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """One reason: the value that differs, and the line of git that says so. Redacted when made."""

    path: str  # in the document: spec.image
    old: str
    new: str
    at: str = ""  # file:line
    secret: bool = False  # old and new are keyed hashes, which differ from process to process


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One line of a rollout's whole way."""

    op: str  # a step's op, or wait
    name: str
    when: str  # now | later
    at: datetime | None = None  # earliest time
    stage: int | None = None
    weight: int | None = None  # percent of traffic for the new revision
    hold: timedelta | None = None
    detail: str = ""  # how much: min 2 -> 3
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A live difference that no commit explains. Values are redacted when made."""

    kind: str
    name: str
    target: TargetName
    resource: str  # group/web-77aa
    field: str
    want: str
    live: str
    heals: bool = False


class SuspendedBy(StrEnum):
    """Where a suspension was said: whoever ends it has to know."""

    TARGET = "target"  # metadata.suspend of the Target
    DOCUMENT = "document"  # metadata.suspend of the document
    TAG = "tag"  # `reconciler pause`


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """A suspension in force."""

    said: SuspendedBy
    reason: str
    by: str = ""
    since: datetime | None = None  # None: git does not say
    until: datetime | None = None  # it ends then by itself
    where: str = ""  # file:line, or the command


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One document in one target. Every Fleet, Image and Zone has one for each of its targets."""

    kind: str  # Fleet | Image | Zone
    name: str
    target: TargetName
    action: ActionKind
    was: str = ""  # revision, AMI or applied commit before; `from` in JSON
    to: str = ""
    because: tuple[Because, ...] = ()
    steps: tuple[PlannedStep, ...] = ()
    now: tuple[Step, ...] = ()  # what an apply does in this pass, in this order
    wait: Wait | None = None
    blocked: Blocked | None = None
    begun: bool = False  # a rollout that goes on, past limits and freezes
    shifted: bool = False  # all traffic is where git wants it
    notes: tuple[str, ...] = ()  # said in the plan: unpinned, warnings
    rollout: tuple[str, ...] = ()  # what it needs, and what a failure leads to at each stage
    gates: tuple[Gate, ...] = ()  # of a rollout under way, as they stand in this pass
    order: int = 0
    labels: tuple[tuple[str, str], ...] = ()
    suspended: Suspension | None = None  # nothing is written, save that a rollout goes back
    asks: Asks = NOTHING  # what its gates have to look at


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A limit that this plan is over: nothing begins in its target."""

    target: TargetName
    limit: str  # retire | dnsDeletes | dnsChanges | last-fleet | empty
    count: int
    of: int
    allowed: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPlan:
    """The plan of one target, made from one observation."""

    target: TargetName
    as_of: datetime
    digest: str  # 10 hex: over kind, name, target, action, from, to and because
    complete: bool
    items: tuple[Item, ...]
    drift: tuple[Drift, ...]
    refusals: tuple[Refusal, ...] = ()
    approved: bool = False
    unread: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()  # released targets and zones, freezes, pinned-less images
    suspended: Suspension | None = None  # the whole target

    def count(self, action: ActionKind) -> int:
        """How many items have this action."""
        return sum(i.action is action for i in self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one commit means for all targets asked for."""

    commit: Commit
    targets: tuple[TargetPlan, ...]

    @property
    def complete(self) -> bool:
        """Nothing was unread."""
        return all(t.complete for t in self.targets)
