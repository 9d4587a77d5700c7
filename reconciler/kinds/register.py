"""The World, the union of steps and the table of kinds, nothing else."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from reconciler.core.facts import Read
from reconciler.core.ids import Arn, ChangeId, ResourceName, TargetName
from reconciler.core.quick import quick
from reconciler.kinds.activity.live import LaunchFailure
from reconciler.kinds.activity.want import Launches
from reconciler.kinds.alarm.live import LiveAlarm
from reconciler.kinds.balancer.live import LiveBalancer, LiveRule, LiveTargetGroup, TargetHealth
from reconciler.kinds.balancer.steps import BalancerStep
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import GroupStep
from reconciler.kinds.image.live import Ami, Resolved
from reconciler.kinds.instance.live import LiveInstance
from reconciler.kinds.metric.live import Measured
from reconciler.kinds.metric.want import Measure
from reconciler.kinds.network.live import SecurityGroup, Subnet
from reconciler.kinds.probe.live import Probed
from reconciler.kinds.probe.want import Probe
from reconciler.kinds.record.live import LiveChange, LiveZone, ZoneProblem
from reconciler.kinds.record.steps import RecordStep
from reconciler.kinds.template.live import LiveTemplate
from reconciler.kinds.template.steps import TemplateStep

KINDS: Final = (
    *("activity", "alarm", "balancer", "group", "image", "instance", "metric", "network", "probe", "record"),
    "template",
)

Step: TypeAlias = TemplateStep | GroupStep | BalancerStep | RecordStep


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing is safe to do now. Waiting is an answer, never a sleep."""

    why: str
    until: datetime | None = None  # the earliest time at which the answer can change, if it is known
    deadline: datetime | None = None  # past it, the rollout goes back


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """Nothing will happen until a person acts."""

    code: str  # failed | conflict | limit | freeze | protected | ...
    why: str


Move: TypeAlias = Step | Wait | Blocked | None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One observation of one target. `as_of` is the only clock of everything that is decided on it."""

    target: TargetName
    as_of: datetime
    groups: Read[LiveGroup] = ()
    templates: Read[LiveTemplate] = ()
    balancers: Read[LiveBalancer] = ()
    target_groups: Read[LiveTargetGroup] = ()
    rules: Read[LiveRule] = ()
    missing_listeners: tuple[Arn, ...] = ()  # that fleets name, and AWS does not know
    zones: tuple[LiveZone | ZoneProblem, ...] = ()
    subnets: Read[Subnet] = ()
    security_groups: Read[SecurityGroup] = ()
    amis: Read[Ami] = ()
    images: Read[Resolved] = ()
    health: Read[TargetHealth] = ()  # of the target groups and classic balancers that were asked for
    changes: Read[LiveChange] = ()
    instances: Read[LiveInstance] = ()  # of the groups that were asked for
    alarms: Read[LiveAlarm] = ()  # those that were asked for, the absent ones too
    metrics: Read[Measured] = ()  # likewise
    probes: Read[Probed] = ()  # likewise
    launches: Read[LaunchFailure] = ()  # that failed, of the groups that were asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a pass must look at beside the bulk reads: calls for each thing, so only for what is under way."""

    health: frozenset[Arn] = field(default_factory=frozenset)
    classic_health: frozenset[str] = field(default_factory=frozenset)
    changes: frozenset[ChangeId] = field(default_factory=frozenset)
    balancers: frozenset[ResourceName] = field(default_factory=frozenset)  # tags, listeners, attributes
    target_groups: frozenset[ResourceName] = field(default_factory=frozenset)  # tags, attributes
    hooks: frozenset[ResourceName] = field(default_factory=frozenset)
    instances: frozenset[ResourceName] = field(default_factory=frozenset)  # groups, on the audit
    listeners: frozenset[Arn] = field(default_factory=frozenset)  # rules with tags, of listeners git left
    alarms: frozenset[str] = field(default_factory=frozenset)  # names
    metrics: frozenset[Measure] = field(default_factory=frozenset)
    probes: frozenset[Probe] = field(default_factory=frozenset)
    launches: frozenset[Launches] = field(default_factory=frozenset)
