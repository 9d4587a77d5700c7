"""Events about the process, the repository, targets and their passes; and the list of all events."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from reconciler.report import document_events, pull_events
from reconciler.report.event import Event, Level, OfCommit, OfTarget

# -- the process -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonStarted(Event):
    """The daemon runs: what it follows, and how."""

    event: ClassVar[str] = "daemon.started"
    version: str
    repo: str
    ref: str
    path: str
    poll: timedelta
    interval: timedelta
    listen: str
    read_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonStopped(Event):
    """The daemon ends. `clean`: no call was in flight any more."""

    event: ClassVar[str] = "daemon.stopped"
    signal: str
    clean: bool
    seconds: float  # from the signal


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailed(Event):
    """A job of the schedule raised what nobody foresaw: a fault of the program."""

    event: ClassVar[str] = "job.failed"
    level: ClassVar[Level] = "error"
    job: str
    error: str  # the exception's class
    why: str
    where: str  # file:line of our own code
    trace: str


# -- the repository ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PollFailed(Event):
    """The repository could not be read. Told once until it can be; what is in force stays."""

    event: ClassVar[str] = "poll.failed"
    level: ClassVar[Level] = "warning"
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PollRecovered(Event):
    """The repository can be read again."""

    event: ClassVar[str] = "poll.recovered"
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitAdopted(OfCommit):
    """From now on, this commit is in force."""

    event: ClassVar[str] = "commit.adopted"
    before: str  # the commit that was in force
    targets: int
    fleets: int
    images: int
    zones: int
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitRejected(OfCommit):
    """One problem of a commit that is not adopted; each problem is told once."""

    event: ClassVar[str] = "commit.rejected"
    level: ClassVar[Level] = "error"
    at: str  # file:line:column
    what: str
    why: str
    fix: str
    number: int  # of this problem, from 1
    problems: int
    unsigned: str = ""  # the commit that `verify_signatures` wants signed; empty: the file is invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStale(OfCommit):
    """The commit in force is behind the newest one, which does not validate. Empty: none is in force."""

    event: ClassVar[str] = "commit.stale"
    level: ClassVar[Level] = "warning"
    newest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRewritten(OfCommit):
    """The commit that was in force is no ancestor of this one. Nothing is pruned until it is accepted."""

    event: ClassVar[str] = "history.rewritten"
    level: ClassVar[Level] = "error"
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryAccepted(OfTarget):
    """Nothing in this target names the old history any more: pruning goes on."""

    event: ClassVar[str] = "history.accepted"


# -- targets and passes ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetScheduled(OfTarget):
    """A target is reconciled from now on."""

    event: ClassVar[str] = "target.scheduled"
    account: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReleased(OfTarget):
    """A target is no longer in git: nothing there is touched any more."""

    event: ClassVar[str] = "target.released"
    level: ClassVar[Level] = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneReleased(OfCommit):
    """A zone is no longer in git: its records stay as they are."""

    event: ClassVar[str] = "zone.released"
    level: ClassVar[Level] = "warning"
    zone: str
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PassDone(OfTarget):
    """One pass of one target: what was counted, the calls that it took, and how long."""

    event: ClassVar[str] = "pass.done"
    result: str  # done | incomplete | failed | stopped
    as_of: datetime | None  # AWS's clock; None where no plan was made
    digest: str
    seconds: float
    calls: int  # requests sent to AWS, retries too
    create: int = 0
    replace: int = 0
    update: int = 0
    retire: int = 0
    unchanged: int = 0
    blocked: int = 0
    unread: int = 0
    drifted: int = 0  # documents
    refused: int = 0  # limits that the plan is over
    applied: int = 0  # steps
    failed: int = 0  # steps
    resting: int = 0  # documents left alone after failures
    next_in: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class PassStuck(OfTarget):
    """A pass runs on past its deadline: a call in it does not come back. Other targets go on."""

    event: ClassVar[str] = "pass.stuck"
    level: ClassVar[Level] = "error"
    seconds: float  # since it began


@dataclass(frozen=True, slots=True, kw_only=True)
class PassFailed(OfTarget):
    """A target's pass ended early: credentials, a wrong account, throttling, its deadline."""

    event: ClassVar[str] = "pass.failed"
    level: ClassVar[Level] = "error"
    failure: str  # throttled | credentials | deadline | ...
    why: str
    failures: int  # in a row
    next_in: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRecovered(OfTarget):
    """A target's pass went through after failures."""

    event: ClassVar[str] = "pass.recovered"
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFailed(OfTarget):
    """Something could not be read: what depends on it is frozen. Told once while it lasts."""

    event: ClassVar[str] = "read.failed"
    level: ClassVar[Level] = "warning"
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRecovered(OfTarget):
    """What could not be read can be read again."""

    event: ClassVar[str] = "read.recovered"
    why: str  # why it could not


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRefused(OfTarget):
    """A plan over a limit begins nothing in its target. `digest` is what `limits.approved` takes."""

    event: ClassVar[str] = "limit.refused"
    level: ClassVar[Level] = "error"
    limit: str
    count: int
    of: int
    allowed: int
    digest: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningFound(OfTarget):
    """Something that a person should know of a plan: a freeze in force, a zone that was not found."""

    event: ClassVar[str] = "warning.found"
    level: ClassVar[Level] = "warning"
    why: str


def all_events() -> tuple[type[Event], ...]:
    """Return every event that has a name, by name."""
    here = (*globals().values(), *vars(document_events).values(), *vars(pull_events).values())
    kinds = (x for x in here if isinstance(x, type) and issubclass(x, Event) and "event" in vars(x))
    found = {kind.event: kind for kind in kinds}
    return tuple(found[name] for name in sorted(found))
