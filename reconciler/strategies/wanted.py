"""What one fleet is to be in one target, with every id resolved."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, Literal

from reconciler.core.facts import Keeper
from reconciler.core.ids import Arn, Commit, FleetName, ResourceName, Revision, TargetName, ZoneName
from reconciler.core.lazy import lazy
from reconciler.core.quick import quick
from reconciler.kinds.balancer.want import Balancer, Rule, TargetGroup
from reconciler.kinds.group.want import Group, Sizes
from reconciler.kinds.template.want import Template


class TrafficKind(StrEnum):
    """How traffic reaches the instances of a fleet."""

    DNS = "balancer + dns"
    LISTENER = "listener"
    ATTACH = "attach"
    NONE = "capacity"


WEIGHTED: Final = (TrafficKind.DNS, TrafficKind.LISTENER)
"""Traffic that weights share out; the others move with capacity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dns:
    """The weighted alias records of a fleet."""

    zone: ZoneName
    name: str  # lower case, ending with a dot
    types: tuple[str, ...]  # A, or A and AAAA
    evaluate_health: bool


ALIAS_TTL = timedelta(seconds=60)
"""TTL of an alias to a load balancer: fixed by Route 53 (Developer Guide, weighted alias records)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stop of a rollout: the share of traffic of the new revision."""

    weight: int  # percent
    hold: timedelta = timedelta()
    pause: bool = False  # nothing goes on from here until somebody says `promote`


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricGate:
    """A measure of a revision's own balancer and group that may not be above `max`."""

    metric: str  # target5xxPercent | latencyP99 | unhealthyHosts, or "" where `query` says what is measured
    query: str  # metric math or Metrics Insights; {balancer}, {targetGroup}, {group} are the revision's own
    max: float  # percent, seconds, hosts, or whatever the query gives
    over: timedelta  # the window that is measured, up to now


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeGate:
    """A GET that the revision's own balancer has to answer."""

    path: str
    status: int
    times: int  # answers in a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """What has to hold before a revision gets traffic, or more of it, and while it has some."""

    alarms: tuple[str, ...] = ()  # names of CloudWatch alarms
    metrics: tuple[MetricGate, ...] = ()
    probe: ProbeGate | None = None
    missing: Literal["fail", "pass"] = "fail"  # where an alarm or a metric has no data or can't be read


NO_GATES: Final = Gates()
MOVES_CAPACITY: Final = ("rolling", "recreate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How a new revision takes over; what a strategy says is its stages."""

    strategy: str
    stages: tuple[Stage, ...]
    ready_within: timedelta
    keep_old: timedelta
    gates: Gates = NO_GATES
    pause_first: bool = False  # and none begins to get traffic before that
    surge: int = 25  # percent of the size that moves in one batch, under `rolling`
    on_failure: Literal["rollback", "hold"] = "rollback"

    returns: bool = False  # to a revision that served before: nothing gates it, in one stage

    @property
    def moves_capacity(self) -> bool:
        """Does the strategy itself take capacity from the serving revision."""
        return self.strategy in MOVES_CAPACITY


@quick
@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A fleet in a target as git asks for it: its revision, and what changes beside the revision."""

    fleet: FleetName
    target: TargetName
    keeper: Keeper
    commit: Commit
    revision: Revision
    name: ResourceName
    spec_hash: str  # of the whole merged spec: what a tombstone remembers
    template: Template
    group: Group
    kind: TrafficKind
    target_group: TargetGroup | None
    balancer: Balancer | None
    dns: Dns | None
    rule: Rule | None
    rollout: Rollout
    drain: timedelta
    protect: bool
    heal: bool
    ignore: tuple[str, ...] = ()  # drift paths that are nobody's business

    @property
    def capacity(self) -> Sizes:
        """The sizes of `capacity`."""
        return self.group.sizes

    @lazy
    def stated(self) -> dict[tuple[bool, bool, bool], Mapping[str, str]]:
        """The hash of all that changes beside the revision: `plan.parts.in_force` keeps it here."""
        return {}

    @property
    def attach_groups(self) -> tuple[Arn, ...]:
        """Target groups of others that the fleet registers in."""
        return self.group.attach_target_groups


def identifier(target: TargetName, name: ResourceName) -> str:
    """Return the set identifier of a revision's weighted records: `<target>.<fleet>-<digits>`."""
    return f"{target}.{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Why something may not begin now."""

    code: str  # limit | freeze | image | ...
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """What may begin in this pass. What has begun, and going back, is never held."""

    start: Hold | None = None  # births of revisions and what else begins
    retire: Hold | None = None  # the end of old revisions
    records: Hold | None = None
    update: Hold | None = None  # changes in place
