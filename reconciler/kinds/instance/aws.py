"""Instances on AWS: read only. No call of this program changes one."""

from typing import Any, Final

from reconciler.core.ids import AmiId, InstanceId, ResourceName
from reconciler.gateway.session import Aws
from reconciler.kinds.instance.live import LiveInstance

PAGE: Final = 1000
VALUES: Final = 200  # of one filter
METADATA: Final = ("HttpEndpoint", "HttpPutResponseHopLimit", "HttpTokens", "InstanceMetadataTags")


def read(aws: Aws, groups: frozenset[ResourceName]) -> tuple[LiveInstance, ...]:
    """Return the running instances of some groups, by id.

    Source: ec2:DescribeInstances by the tag that Auto Scaling itself sets (1,000 a page, 200 groups a
    call). By filter and not by id: one unknown id fails the whole call.
    """
    names = sorted(groups)
    chunks = [names[n : n + VALUES] for n in range(0, len(names), VALUES)]
    found = aws.each(lambda chunk: _read(aws, chunk), chunks)
    return tuple(sorted((to_instance(raw) for raws in found for raw in raws), key=lambda i: i.id))


def _read(aws: Aws, groups: list[ResourceName]) -> list[dict[str, Any]]:
    filters = [
        {"Name": "tag:aws:autoscaling:groupName", "Values": groups},
        {"Name": "instance-state-name", "Values": ["running"]},
    ]
    paginator = aws.client("ec2").get_paginator("describe_instances")
    pages = paginator.paginate(Filters=filters, PaginationConfig={"PageSize": PAGE})
    return [raw for page in pages for r in page["Reservations"] for raw in r["Instances"]]


def to_instance(raw: dict[str, Any]) -> LiveInstance:
    """Return the fact behind one instance of an answer."""
    options = raw.get("MetadataOptions", {})
    return LiveInstance(
        id=InstanceId(raw["InstanceId"]),
        image=AmiId(raw.get("ImageId", "")),
        type=raw.get("InstanceType", ""),
        security_groups=tuple(sorted(g["GroupId"] for g in raw.get("SecurityGroups", []))),
        profile=raw.get("IamInstanceProfile", {}).get("Arn", "").rpartition("/")[2],
        metadata=tuple((k, str(options[k])) for k in METADATA if k in options),
    )
