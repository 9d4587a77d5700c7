"""Scaling activities on AWS: read only. The only place that holds why a launch failed."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from reconciler.core.ids import ResourceName
from reconciler.gateway.session import Aws
from reconciler.kinds.activity.live import LaunchFailure
from reconciler.kinds.activity.want import Launches
from reconciler.kinds.activity.words import UNKNOWN, Reason, first_sentence, reason_of

PAGE: Final = 100
LAUNCH: Final = "Launching a new EC2 instance"
SERVED: Final = "Successful"  # it came into service

Failed: TypeAlias = tuple[Mapping[str, Any], Reason | None]


def read(aws: Aws, asked: frozenset[Launches]) -> tuple[LaunchFailure, ...]:
    """Return why launches of some groups fail: by group what is final first, then the newest.

    Source: autoscaling:DescribeScalingActivities, one call for each group. The newest page (100) is enough:
    what is older than all of it is no news, and only `since` would be earlier.
    """
    client = aws.client("autoscaling")

    def one(launches: Launches) -> tuple[LaunchFailure, ...]:
        page = client.describe_scaling_activities(AutoScalingGroupName=launches.group, MaxRecords=PAGE)
        return to_failures(launches, page["Activities"])

    return tuple(f for found in aws.each(one, sorted(asked)) for f in found)


def to_failures(launches: Launches, raws: Sequence[Mapping[str, Any]]) -> tuple[LaunchFailure, ...]:
    """Return the failures behind the activities of a group since its birth, one for each code.

    A launch that gave an instance mends all before it that gave none; one whose instance came into
    service mends the others too.
    """
    ours = [
        r for r in raws if r.get("Description", "").startswith(LAUNCH) and r["StartTime"] >= launches.born
    ]
    gave = max((r["StartTime"] for r in ours if _instance(r) and not _ended(r)), default=launches.born)
    served = max((r["StartTime"] for r in ours if r.get("StatusCode") == SERVED), default=launches.born)
    by_code: dict[str, list[Failed]] = {}
    for raw, reason in _failed(ours):
        if raw["StartTime"] >= (served if _instance(raw) else gave):
            by_code.setdefault(reason.code if reason else UNKNOWN, []).append((raw, reason))
    newest_first = sorted(by_code.items(), key=lambda x: _times(x[1])[-1], reverse=True)
    found = [_to_failure(launches.group, code, failed) for code, failed in newest_first]
    return tuple(sorted(found, key=lambda f: not f.final))


def _instance(raw: Mapping[str, Any]) -> bool:
    return str(raw["Description"]).startswith(f"{LAUNCH}: ")


def _ended(raw: Mapping[str, Any]) -> bool:
    return raw.get("StatusCode") in ("Failed", "Cancelled")


def _failed(raws: Iterable[Mapping[str, Any]]) -> Iterable[Failed]:
    """A cancelled launch may be one that was not wanted any more: it counts where it says why."""
    for raw in raws:
        reason = reason_of(raw.get("StatusMessage", ""))
        if _ended(raw) and (raw["StatusCode"] == "Failed" or reason):
            yield raw, reason


def _times(failed: Sequence[Failed]) -> list[datetime]:
    return sorted(raw["StartTime"] for raw, _ in failed)


def _to_failure(group: ResourceName, code: str, failed: Sequence[Failed]) -> LaunchFailure:
    times, (newest, reason) = _times(failed), max(failed, key=lambda f: f[0]["StartTime"])
    lasts = times[-1] - times[0]
    return LaunchFailure(
        group=group,
        code=code,
        why=first_sentence(newest.get("StatusMessage", "")),
        since=times[0],
        final=reason is not None and reason.final and lasts >= reason.lasting,
    )
