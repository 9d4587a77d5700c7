"""What was observed of Auto Scaling groups."""

from dataclasses import dataclass
from typing import Final

from reconciler.core.facts import Tags, tag
from reconciler.core.ids import Arn, InstanceId, ResourceName
from reconciler.core.quick import quick
from reconciler.kinds.group.want import Hook, Members, Policy, Schedule, Sizes

IN_SERVICE: Final = "InService"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One instance as its group sees it."""

    id: InstanceId
    lifecycle: str
    healthy: bool
    zone: str
    template: str  # name of the launch template that it was launched from
    version: str
    type: str
    protected: bool

    @property
    def in_service(self) -> bool:
        """Counts as capacity."""
        return self.lifecycle == IN_SERVICE and self.healthy


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class LiveGroup:
    """An Auto Scaling group.

    Source: autoscaling:DescribeAutoScalingGroups, DescribePolicies, DescribeScheduledActions.
    """

    name: ResourceName
    arn: Arn
    tags: Tags
    sizes: Sizes
    template: ResourceName
    template_version: str
    subnets: tuple[str, ...]
    target_groups: tuple[Arn, ...]
    classic: tuple[str, ...]
    health: Members
    settings: Members
    mixed: str
    suspended: tuple[tuple[str, str], ...]  # process, reason as AWS words it
    policies: tuple[Policy, ...]
    schedules: tuple[Schedule, ...]
    instances: tuple[Instance, ...]
    deleting: bool
    propagated: tuple[str, ...] = ()  # keys of tags that reach instances
    hooks: tuple[Hook, ...] | None = None  # None: not looked at in this pass

    @property
    def in_service(self) -> int:
        """Instances that are in service and healthy."""
        return sum(i.in_service for i in self.instances)

    def tag(self, key: str) -> str:
        """Value of one tag, or nothing."""
        return tag(self.tags, key)
