"""Subnets and security groups on AWS: read only."""

from typing import Any

from reconciler.core.facts import to_tags
from reconciler.gateway.session import Aws
from reconciler.kinds.network.live import SecurityGroup, Subnet

PAGE = 1000


def read_subnets(aws: Aws) -> tuple[Subnet, ...]:
    """Return every subnet of the region, by id. Source: ec2:DescribeSubnets (1,000 a page)."""
    pages = aws.client("ec2").get_paginator("describe_subnets").paginate(PaginationConfig={"PageSize": PAGE})
    return tuple(sorted((to_subnet(r) for p in pages for r in p["Subnets"]), key=lambda s: s.id))


def to_subnet(raw: dict[str, Any]) -> Subnet:
    """Return the fact behind one answer."""
    return Subnet(
        id=raw["SubnetId"],
        vpc=raw["VpcId"],
        zone=raw["AvailabilityZone"],
        free=int(raw.get("AvailableIpAddressCount", 0)),
        tags=to_tags((t["Key"], t.get("Value", "")) for t in raw.get("Tags", [])),
    )


def read_security_groups(aws: Aws) -> tuple[SecurityGroup, ...]:
    """Return every security group of the region, by id. Source: ec2:DescribeSecurityGroups (1,000 a page)."""
    paginator = aws.client("ec2").get_paginator("describe_security_groups")
    pages = paginator.paginate(PaginationConfig={"PageSize": PAGE})
    return tuple(
        sorted((to_security_group(r) for p in pages for r in p["SecurityGroups"]), key=lambda g: g.id)
    )


def to_security_group(raw: dict[str, Any]) -> SecurityGroup:
    """Return the fact behind one answer."""
    return SecurityGroup(id=raw["GroupId"], name=raw["GroupName"], vpc=raw.get("VpcId", ""))
