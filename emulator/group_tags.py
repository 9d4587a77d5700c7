"""Tags of Auto Scaling groups, and the filters on them."""

from typing import Final

from emulator.activities import group_pages
from emulator.region import Body, Group, Region
from emulator.scope import changeable
from emulator.wire import Operation, Params, invalid

_TYPE: Final = "auto-scaling-group"


def put(group: Group, tags: list[Body]) -> None:
    """Add or replace tags. Raises: ValidationError, with nothing changed."""
    new = {t["Key"]: _tag(group, t) for t in tags}
    if len(group.tags | new) > 50:
        raise invalid(f"The limit of 50 tags per resource was reached for '{group.name}'")
    group.tags.update(new)


def _tag(group: Group, tag: Body) -> Body:
    key, value = tag["Key"], tag.get("Value", "")
    if not 1 <= len(key) <= 128 or len(value) > 256:
        raise invalid(f"Tag '{key}': a key is 1 to 128 characters long, and a value at most 256")
    if key.lower().startswith("aws:"):
        raise invalid("Tag keys cannot start with the reserved prefix 'aws:'")
    return {
        "ResourceId": group.name,
        "ResourceType": _TYPE,
        "Key": key,
        "Value": value,
        "PropagateAtLaunch": bool(tag.get("PropagateAtLaunch", False)),
    }


def _check_type(tags: list[Body]) -> None:
    for tag in tags:
        if tag.get("ResourceType", _TYPE) != _TYPE:
            raise invalid(f"Resource type '{tag['ResourceType']}' must be {_TYPE}")


def create_or_update(region: Region, params: Params) -> None:
    """autoscaling:CreateOrUpdateTags, of one or several groups."""
    tags = params["Tags"]
    _check_type(tags)
    groups = {t["ResourceId"]: changeable(region, t["ResourceId"]) for t in tags}
    for name, group in groups.items():
        put(group, [t for t in tags if t["ResourceId"] == name])


def delete(region: Region, params: Params) -> None:
    """autoscaling:DeleteTags. A tag that is not there is no error; a value that differs protects the tag."""
    _check_type(params["Tags"])
    groups = {t["ResourceId"]: changeable(region, t["ResourceId"]) for t in params["Tags"]}
    for tag in params["Tags"]:
        there = groups[tag["ResourceId"]].tags.get(tag["Key"])
        if there is not None and tag.get("Value", there["Value"]) == there["Value"]:
            del groups[tag["ResourceId"]].tags[tag["Key"]]


def describe(region: Region, params: Params) -> Body:
    """autoscaling:DescribeTags."""
    members = {
        "auto-scaling-group": "ResourceId",
        "key": "Key",
        "value": "Value",
        "propagate-at-launch": "PropagateAtLaunch",
    }
    found = [(f"{g.name}:{k}", t) for g in region.groups.values() for k, t in g.tags.items()]
    for one in params.get("Filters", []):
        if one["Name"] not in members:
            raise invalid(f"Filter type {one['Name']} is not correct. Allowed filters: {', '.join(members)}")
        member, values = members[one["Name"]], [v.lower() for v in one["Values"]]
        found = [(k, t) for k, t in found if str(t[member]).lower() in values]
    return group_pages(found, params, "Tags")


def filtered(groups: list[Group], filters: list[Body]) -> list[Group]:
    """Return the groups that match every filter. Raises: ValidationError for one that AWS does not have."""
    for one in filters:
        name, values = one["Name"], set(one.get("Values", []))
        if name == "tag-key":
            groups = [g for g in groups if values & set(g.tags)]
        elif name == "tag-value":
            groups = [g for g in groups if values & {t["Value"] for t in g.tags.values()}]
        elif name.startswith("tag:"):
            key = name.removeprefix("tag:")
            groups = [g for g in groups if key in g.tags and g.tags[key]["Value"] in values]
        else:
            raise invalid(
                f"Filter type {name} is not correct. Allowed Filter types are: tag-key, tag-value, tag:<key>"
            )
    return groups


OPERATIONS: Final[dict[str, Operation]] = {
    "CreateOrUpdateTags": create_or_update,
    "DeleteTags": delete,
    "DescribeTags": describe,
}
