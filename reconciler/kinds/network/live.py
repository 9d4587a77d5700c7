"""What was observed of subnets and security groups."""

from dataclasses import dataclass, field

from reconciler.core.facts import Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """A subnet. Source: ec2:DescribeSubnets."""

    id: str
    vpc: str
    zone: str
    free: int = field(compare=False)  # addresses: each launch moves them, and makes it no other subnet
    tags: Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroup:
    """A security group. Source: ec2:DescribeSecurityGroups."""

    id: str
    name: str
    vpc: str
