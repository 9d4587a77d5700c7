"""What was observed of load balancers, target groups, listeners and rules."""

from dataclasses import dataclass
from typing import Final

from reconciler.core.facts import Tags
from reconciler.core.ids import Arn, InstanceId, ResourceName
from reconciler.core.quick import quick
from reconciler.kinds.balancer.want import Attributes, HealthCheck

HEALTHY: Final = "healthy"


def target_group_name(place: str) -> str:
    """Return the name that stands in a target group's ARN; "" of anything else, a classic balancer."""
    return place.rpartition("targetgroup/")[2].partition("/")[0] if "targetgroup/" in place else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTargetGroup:
    """A target group. Source: elbv2:DescribeTargetGroups, DescribeTags, DescribeTargetGroupAttributes."""

    arn: Arn
    name: ResourceName
    port: int
    protocol: str
    protocol_version: str
    vpc: str
    check: HealthCheck
    balancers: tuple[Arn, ...]
    tags: Tags | None = None  # None: not looked at in this pass
    attributes: Attributes | None = None  # None: not looked at in this pass


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveListener:
    """A listener. Source: elbv2:DescribeListeners."""

    arn: Arn
    balancer: Arn
    port: int
    protocol: str
    certificates: tuple[Arn, ...]
    ssl_policy: str
    forwards: tuple[Arn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveBalancer:
    """A load balancer. Source: elbv2:DescribeLoadBalancers, DescribeTags, DescribeLoadBalancerAttributes."""

    arn: Arn
    name: ResourceName
    dns_name: str
    zone: str  # canonical hosted zone id, for aliases
    state: str  # provisioning | active | active_impaired | failed
    type: str
    scheme: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    ip_type: str
    tags: Tags | None = None  # None: not looked at in this pass
    listeners: tuple[LiveListener, ...] | None = None  # None: not looked at in this pass
    attributes: Attributes | None = None
    web_acl: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRule:
    """A rule of a listener that fleets name. Source: elbv2:DescribeRules, DescribeTags."""

    arn: Arn
    listener: Arn
    priority: int
    hosts: tuple[str, ...]
    paths: tuple[str, ...]
    other_conditions: bool
    weights: tuple[tuple[Arn, int], ...]
    tags: Tags


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealth:
    """Health of what is registered in one target group (or classic balancer, by its name)."""

    group: str
    states: tuple[tuple[InstanceId, str], ...]

    def healthy(self, own: frozenset[InstanceId]) -> int:
        """Count healthy targets among `own`: foreign targets don't count, an absent one is not healthy."""
        return sum(state == HEALTHY for target, state in self.states if target in own)

    def present(self, own: frozenset[InstanceId]) -> int:
        """Count targets among `own` that are registered or still drain."""
        return sum(target in own for target, _ in self.states)
