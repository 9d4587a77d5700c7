"""AMIs on AWS: what the documents name, resolved to ids; read only."""

from typing import Any, Final

from reconciler.core.ids import AmiId
from reconciler.gateway.session import Aws
from reconciler.kinds.image.live import Ami, Resolved
from reconciler.kinds.image.want import Image

PARAMETERS: Final = 10  # of one ssm:GetParameters
IDS: Final = 200  # of one filter (EC2 takes 200 values)
PAGE: Final = 1000


def read(
    aws: Aws, images: tuple[Image, ...], serving: frozenset[AmiId]
) -> tuple[tuple[Ami, ...], tuple[Resolved, ...]]:
    """Return the AMIs that are named or serve, and what each unpinned image gives now.

    Source: ec2:DescribeImages by id (as a filter: an unknown id is absent, not an error) and by owner
    and name; ssm:GetParameters.
    """
    parameters = _parameters(aws, sorted({i.parameter for i in images if i.parameter}))
    named = {a for i in images for a in (i.ami, i.pin) if a} | set(parameters.values()) | serving
    ids = sorted(named)
    chunks = [ids[n : n + IDS] for n in range(0, len(ids), IDS)]
    found = [ami for amis in aws.each(lambda c: _by_ids(aws, c), chunks) for ami in amis]
    by_id = {a.id: a for a in found}
    newest = [i for i in images if i.newest_name]
    matches = aws.each(lambda i: _newest(aws, i), newest)
    by_image = {i.name: m for i, m in zip(newest, matches, strict=True)}
    by_id |= {a.id: a for m in matches for a in m[:1]}
    resolved = [_resolved(i, by_id, parameters, by_image.get(i.name, [])) for i in images]
    amis = tuple(sorted(by_id.values(), key=lambda a: a.id))
    return amis, tuple(sorted(resolved, key=lambda r: r.image))


def _parameters(aws: Aws, names: list[str]) -> dict[str, AmiId]:
    chunks = [names[n : n + PARAMETERS] for n in range(0, len(names), PARAMETERS)]
    pages = aws.each(lambda c: aws.client("ssm").get_parameters(Names=c)["Parameters"], chunks)
    return {p["Name"]: AmiId(p["Value"].strip()) for page in pages for p in page}


def _by_ids(aws: Aws, ids: list[AmiId]) -> list[Ami]:
    return _describe(aws, Filters=[{"Name": "image-id", "Values": ids}], IncludeDeprecated=True)


def _newest(aws: Aws, image: Image) -> list[Ami]:
    filters = [
        {"Name": "name", "Values": [image.newest_name]},
        {"Name": "architecture", "Values": [image.architecture]},
        {"Name": "state", "Values": ["available"]},
    ]
    found = _describe(aws, Owners=[image.newest_owner], Filters=filters)
    return sorted(found, key=lambda a: (a.created, a.id), reverse=True)


def _describe(aws: Aws, **params: Any) -> list[Ami]:
    pages = (
        aws.client("ec2")
        .get_paginator("describe_images")
        .paginate(**params, PaginationConfig={"PageSize": PAGE})
    )
    return [to_ami(r) for p in pages for r in p["Images"]]


def to_ami(raw: dict[str, Any]) -> Ami:
    """Return the fact behind one answer."""
    return Ami(
        id=AmiId(raw["ImageId"]),
        name=raw.get("Name", ""),
        architecture=raw.get("Architecture", ""),
        state=raw.get("State", ""),
        created=raw.get("CreationDate", ""),
        owner=raw.get("OwnerId", ""),
        deprecated=raw.get("DeprecationTime", ""),
    )


def _resolved(
    image: Image, amis: dict[AmiId, Ami], parameters: dict[str, AmiId], matches: list[Ami]
) -> Resolved:
    ami = image.ami
    if image.newest_name:
        if not matches:
            why = (
                f"no available {image.architecture} AMI of {image.newest_owner} is named {image.newest_name}"
            )
            return Resolved(image=image.name, ami=None, why=why)
        return Resolved(image=image.name, ami=matches[0].id)
    if image.parameter:
        ami = parameters.get(image.parameter)
        if ami is None:
            return Resolved(image=image.name, ami=None, why=f"there is no parameter {image.parameter}")
    found = amis.get(ami) if ami else None
    if found is None:
        return Resolved(
            image=image.name, ami=None, why=f"{ami} is not there, or not shared with this account"
        )
    if found.state != "available":
        return Resolved(image=image.name, ami=None, why=f"{ami} is {found.state}")
    if found.architecture and found.architecture != image.architecture:
        return Resolved(
            image=image.name, ami=None, why=f"{ami} is {found.architecture}, not {image.architecture}"
        )
    return Resolved(image=image.name, ami=found.id)
