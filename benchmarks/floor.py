"""The least calls that a pass can do with, by the page sizes of AWS. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Things:
    """How many of each thing a world holds."""

    groups: int
    policies: int
    schedules: int
    templates: int
    balancers: int
    target_groups: int
    records: tuple[int, ...]  # of each zone
    subnets: int
    security_groups: int
    instances: int = 0  # stand inside the groups: no call of their own
    images: int = 1  # that documents name by id: 200 in one filter
    zones: int = 1  # of the account

    def as_json(self) -> dict[str, Any]:
        """Return the counts by name."""
        return asdict(self)

    @staticmethod
    def of(found: Mapping[str, Any]) -> "Things":
        """Return what `as_json` told."""
        return Things(**{**found, "records": tuple(found["records"])})


def pages(entries: int, size: int) -> int:
    """Return how many pages hold so many entries; nothing is a page too."""
    return max(1, -(-entries // size))


def floor(things: Things, *, cold: bool) -> dict[str, int]:
    """Return the least calls by operation. Cold: with the templates' bodies, and who we are."""
    found = {
        "autoscaling:DescribeAutoScalingGroups": pages(things.groups, 100),
        "autoscaling:DescribePolicies": pages(things.policies, 100),
        "autoscaling:DescribeScheduledActions": pages(things.schedules, 100),
        "ec2:DescribeLaunchTemplates": pages(things.templates, 200),
        "ec2:DescribeImages": pages(things.images, 200),
        "elbv2:DescribeLoadBalancers": pages(things.balancers, 400),
        "elbv2:DescribeTargetGroups": pages(things.target_groups, 400),
        "route53:ListHostedZones": pages(things.zones, 100),
        "route53:ListTagsForResources": pages(len(things.records), 10),
        "route53:ListResourceRecordSets": sum(pages(n, 300) for n in things.records),
        "ec2:DescribeSubnets": pages(things.subnets, 1000),
        "ec2:DescribeSecurityGroups": pages(things.security_groups, 1000),
    }
    if cold:
        found |= {
            "ec2:DescribeLaunchTemplateVersions": pages(things.templates, 200),
            "sts:GetCallerIdentity": 1,
        }
    return found
