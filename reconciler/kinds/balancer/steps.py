"""All that we may do with load balancers, target groups, listeners and rules."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from reconciler.core.facts import Tags
from reconciler.core.ids import Arn, ResourceName
from reconciler.kinds.balancer.want import Attributes, Balancer, Listener, Rule, TargetGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTargetGroup:
    """Make the target group of a revision (elbv2:CreateTargetGroup, ModifyTargetGroupAttributes)."""

    op: ClassVar[str] = "create-target-group"
    target_group: TargetGroup
    tags: Tags

    @property
    def name(self) -> ResourceName:
        """The target group's name."""
        return self.target_group.name


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateBalancer:
    """Make the balancer of a revision (elbv2:CreateLoadBalancer)."""

    op: ClassVar[str] = "create-balancer"
    balancer: Balancer
    tags: Tags

    @property
    def name(self) -> ResourceName:
        """The balancer's name."""
        return self.balancer.name


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateListener:
    """Open a port that forwards to the target group of the same name (elbv2:CreateListener)."""

    op: ClassVar[str] = "create-listener"
    name: ResourceName
    listener: Listener
    tags: Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRule:
    """Make our rule at its priority in a listener that exists (elbv2:CreateRule)."""

    op: ClassVar[str] = "create-rule"
    name: ResourceName  # the revision that gets all traffic
    rule: Rule
    weights: tuple[tuple[Arn, int], ...]
    mark: ResourceName
    stage: str
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRule:
    """Write the whole action list of our rule (elbv2:ModifyRule).

    The list is re-read before and read back after; another list than `expect` refuses the write.
    """

    op: ClassVar[str] = "set-rule-weights"
    name: ResourceName
    arn: Arn
    expect: tuple[tuple[Arn, int], ...]
    weights: tuple[tuple[Arn, int], ...]
    mark: ResourceName | None  # the group that remembers the stage
    stage: str
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRuleConditions:
    """Write hosts and paths of our rule (elbv2:ModifyRule)."""

    op: ClassVar[str] = "set-rule-conditions"
    name: ResourceName
    arn: Arn
    hosts: tuple[str, ...]
    paths: tuple[str, ...]
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRule:
    """Delete our rule; traffic goes to the listener's other rules (elbv2:DeleteRule)."""

    op: ClassVar[str] = "delete-rule"
    name: ResourceName
    arn: Arn
    mark: ResourceName | None
    stage: str
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTargetGroupAttributes:
    """Write attributes of a target group (elbv2:ModifyTargetGroupAttributes)."""

    op: ClassVar[str] = "set-target-group-attributes"
    name: ResourceName
    arn: Arn
    attributes: Attributes
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBalancerAttributes:
    """Write attributes of a balancer (elbv2:ModifyLoadBalancerAttributes)."""

    op: ClassVar[str] = "set-balancer-attributes"
    name: ResourceName
    arn: Arn
    attributes: Attributes
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBalancerSecurityGroups:
    """Write the security groups of a balancer (elbv2:SetSecurityGroups)."""

    op: ClassVar[str] = "set-balancer-security-groups"
    name: ResourceName
    arn: Arn
    security_groups: tuple[str, ...]
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetWebAcl:
    """Put a web ACL on a balancer, or take it off (wafv2:AssociateWebACL, DisassociateWebACL)."""

    op: ClassVar[str] = "set-web-acl"
    name: ResourceName
    arn: Arn
    web_acl: str
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetListener:
    """Write certificates and TLS policy of a listener (elbv2:ModifyListener, AddListenerCertificates)."""

    op: ClassVar[str] = "set-listener"
    name: ResourceName
    arn: Arn
    listener: Listener
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteBalancer:
    """Delete the balancer of a retired revision with its listeners (elbv2:DeleteLoadBalancer)."""

    op: ClassVar[str] = "delete-balancer"
    name: ResourceName
    arn: Arn


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTargetGroup:
    """Delete the target group of a retired revision (elbv2:DeleteTargetGroup)."""

    op: ClassVar[str] = "delete-target-group"
    name: ResourceName
    arn: Arn


@dataclass(frozen=True, slots=True, kw_only=True)
class TagBalancing:
    """Put tags of ours on a balancer, target group or rule (elbv2:AddTags)."""

    op: ClassVar[str] = "tag-balancing"
    name: ResourceName
    arn: Arn
    put: Tags
    because: str = ""


BalancerStep: TypeAlias = (
    CreateTargetGroup
    | CreateBalancer
    | CreateListener
    | CreateRule
    | SetRule
    | SetRuleConditions
    | DeleteRule
    | SetTargetGroupAttributes
    | SetBalancerAttributes
    | SetBalancerSecurityGroups
    | SetWebAcl
    | SetListener
    | DeleteBalancer
    | DeleteTargetGroup
    | TagBalancing
)
