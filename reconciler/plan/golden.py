"""Instances against their golden state: the body of the launch template that they were born from."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.instance.live import LiveInstance
from reconciler.kinds.template.live import LiveTemplate
from reconciler.plan.part import Row

METADATA: Final = {
    "HttpEndpoint": "metadata.enabled",
    "HttpTokens": "metadata.tokens",
    "HttpPutResponseHopLimit": "metadata.hopLimit",
    "InstanceMetadataTags": "metadata.tags",
}
"""Options of the metadata service by the words of the documents."""


def odd_instances(
    group: LiveGroup, template: LiveTemplate, instances: tuple[LiveInstance, ...]
) -> Iterator[Row]:
    """Return a row for each field in which an instance of this group is not what its template says.

    The template is the one that is live: what git resolves otherwise today is drift of the template,
    and a replacement would not end it.
    """
    serving = {i.id for i in group.instances if i.in_service}
    for one in instances:
        if one.id in serving:
            for field, want, live in _fields(template.body, group, one):
                yield Row(resource=f"instance/{one.id}", field=field, want=want, live=live)


def _fields(text: str, group: LiveGroup, one: LiveInstance) -> Iterator[tuple[str, str, str]]:
    body: dict[str, Any] = json.loads(text)
    types = _types(body, group)
    if one.type not in types:
        yield "type", " or ".join(types), one.type
    have = dict(one.metadata)
    pairs = [
        ("image", str(body.get("ImageId", "")), one.image),
        ("securityGroups", ", ".join(security_groups(text)), ", ".join(one.security_groups)),
        ("instanceProfile", _profile(body), one.profile),
        *(
            (METADATA[k], str(v), have.get(k, ""))
            for k, v in body.get("MetadataOptions", {}).items()
            if k in METADATA
        ),
    ]
    for field, want, live in pairs:
        # Without security groups EC2 takes the VPC's own; what an answer leaves out is not known.
        known = want and live if field != "instanceProfile" else True
        if known and want != live:
            yield field, want or "none", live or "none"


def _types(body: dict[str, Any], group: LiveGroup) -> list[str]:
    if group.mixed:
        overrides = json.loads(group.mixed).get("LaunchTemplate", {}).get("Overrides", [])
        if found := [o["InstanceType"] for o in overrides if o.get("InstanceType")]:
            return found
    return [str(body.get("InstanceType", ""))]


@lru_cache(maxsize=4096)
def security_groups(text: str) -> tuple[str, ...]:
    """Return the security groups of a template's body, on its primary interface or beside it."""
    body: dict[str, Any] = json.loads(text)
    primary: dict[str, Any] = next(
        (x for x in body.get("NetworkInterfaces", []) if x.get("DeviceIndex", 0) == 0), {}
    )
    return tuple(sorted({*primary.get("Groups", []), *body.get("SecurityGroupIds", [])}))


def _profile(body: dict[str, Any]) -> str:
    profile = body.get("IamInstanceProfile", {})
    return str(profile.get("Name") or profile.get("Arn", "").rpartition("/")[2])
