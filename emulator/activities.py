"""Scaling activities: what a group did, why, and why it failed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from emulator.region import Body, Group, Region, new_id
from emulator.wire import Params, Refused, invalid, page

_KEPT: Final = 200  # of a group; AWS keeps six weeks


def stamp(at: datetime) -> str:
    """Return a time as causes write it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def begin(region: Region, group: Group, description: str, cause: str, zone: str = "") -> Body:
    """Record an activity that is in progress."""
    body: Body = {
        "ActivityId": new_id(),
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": group.body["AutoScalingGroupARN"],
        "Description": description,
        "Cause": cause,
        "StartTime": region.at,
        "StatusCode": "InProgress",
        "Progress": 50,
        "Details": f'{{"Availability Zone":"{zone}"}}' if zone else "{}",
    }
    group.activities.append(body)
    del group.activities[:-_KEPT]
    return body


def end(region: Region, body: Body | None, status: str = "Successful", message: str = "") -> None:
    """Record that an activity came to its end."""
    if body is not None:
        body |= {"StatusCode": status, "EndTime": region.at, "Progress": 100}
        if message:
            body["StatusMessage"] = message


def describe(region: Region, params: Params) -> Body:
    """autoscaling:DescribeScalingActivities, newest first."""
    name, wanted = params.get("AutoScalingGroupName"), params.get("ActivityIds")
    if params.get("Filters"):
        raise NotImplementedError("DescribeScalingActivities with Filters")
    if name and name not in region.groups and not params.get("IncludeDeletedGroups"):
        raise invalid(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    if name:
        there = region.groups.get(name)
        found = [*(there.activities if there else ())]
    else:
        found = [a for g in region.groups.values() for a in g.activities]
    if params.get("IncludeDeletedGroups"):
        found += [a for a in region.past if name in (None, a["AutoScalingGroupName"])]
    found.reverse()  # so that the last of those that began together stands first
    found.sort(key=lambda a: a["StartTime"], reverse=True)
    if wanted:
        found = [a for a in found if a["ActivityId"] in wanted]
    return group_pages([(f"{n:06}", a) for n, a in enumerate(found)], params, "Activities", 100)


def group_pages(pairs: Sequence[tuple[str, Any]], params: Params, key: str, size: int = 50) -> Body:
    """Return one page of a describe operation of Auto Scaling, at most 100 things.

    Raises: ValidationError for MaxRecords out of 1 to 100; InvalidNextToken.
    """
    wanted = params.get("MaxRecords", size)
    if not 1 <= wanted <= 100:
        raise invalid("The MaxRecords value must be between 1 and 100")
    bad = Refused("InvalidNextToken", f"The token '{params.get('NextToken')}' is invalid.")
    found, token = page(pairs, params.get("NextToken"), wanted, bad=bad)
    return {key: found, "NextToken": token}
