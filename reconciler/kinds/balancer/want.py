"""What load balancers, target groups, listeners and rules of ours are to be."""

from dataclasses import dataclass

from reconciler.core.facts import Tags
from reconciler.core.ids import Arn, ResourceName

Attributes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """A target group's health check."""

    protocol: str
    port: str
    path: str  # "" where the protocol has none
    interval: int  # seconds
    timeout: int  # seconds
    healthy: int  # checks in a row
    unhealthy: int
    matcher: str  # HTTP codes, "" where the protocol has none


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup:
    """The target group of one revision."""

    name: ResourceName
    port: int
    protocol: str
    protocol_version: str  # HTTP1 | HTTP2 | GRPC, "" for network balancers
    vpc: str
    check: HealthCheck
    drain: int  # seconds
    attributes: Attributes  # changed in place; the drain is among them
    tags: Tags
    extra_tags: Tags = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A port of a balancer; forwards all to the revision's own target group."""

    port: int
    protocol: str
    certificates: tuple[Arn, ...]
    ssl_policy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """The load balancer of one revision."""

    name: ResourceName
    type: str  # application | network
    scheme: str  # internal | internet-facing
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    ip_type: str  # ipv4 | dualstack
    attributes: Attributes
    web_acl: str
    listeners: tuple[Listener, ...]
    tags: Tags
    extra_tags: Tags = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Our rule in a listener that exists: weights between the revisions' target groups."""

    listener: Arn
    priority: int
    hosts: tuple[str, ...]
    paths: tuple[str, ...]
    tags: Tags  # identity of the fleet; `self` is `<listener's last part>/<priority>`
