"""Alarms on CloudWatch: read only."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.gateway.session import Aws
from reconciler.kinds.alarm.live import ABSENT, LiveAlarm

NAMES: Final = 100  # of one call, and of one page
TYPES: Final = ("MetricAlarm", "CompositeAlarm", "LogAlarm")  # left out, AWS answers with metric alarms alone
DEEP: Final = 4  # how far the rules of composite alarms are followed

_NAMED: Final = re.compile(r"""\(\s*(?:"([^"]+)"|'([^']+)'|([^\s()"']+))\s*\)""")


def read(aws: Aws, names: frozenset[str]) -> tuple[LiveAlarm, ...]:
    """Return an alarm for each name, in the state ABSENT where there is none, by name.

    A composite alarm watches what the alarms in its rule watch. Source: cloudwatch:DescribeAlarms by
    names (100 a call).
    """
    raws: dict[str, dict[str, Any]] = {}
    unseen = set(names)
    for _ in range(DEEP):
        if not unseen:
            break
        found = _describe(aws, sorted(unseen))
        raws |= found
        unseen = {n for raw in found.values() for n in children(raw)} - set(raws)
    return tuple(to_alarm(name, raws) for name in sorted(names))


def _describe(aws: Aws, names: list[str]) -> dict[str, dict[str, Any]]:
    chunks = [names[n : n + NAMES] for n in range(0, len(names), NAMES)]
    return {raw["AlarmName"]: raw for raws in aws.each(lambda c: _read(aws, c), chunks) for raw in raws}


def _read(aws: Aws, names: list[str]) -> list[dict[str, Any]]:
    paginator = aws.client("cloudwatch").get_paginator("describe_alarms")
    pages = paginator.paginate(AlarmNames=names, AlarmTypes=list(TYPES), PaginationConfig={"PageSize": NAMES})
    lists = ("MetricAlarms", "CompositeAlarms", "LogAlarms")
    return [raw for page in pages for key in lists for raw in page.get(key, ())]


def children(raw: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the alarms in a composite alarm's rule."""
    named = (next(g for g in m if g) for m in _NAMED.findall(raw.get("AlarmRule", "")))
    return frozenset(n.rpartition(":alarm:")[2] for n in named)


def to_alarm(name: str, raws: Mapping[str, Mapping[str, Any]]) -> LiveAlarm:
    """Return the fact behind one name; `raws` are the answers for it and for what its rule names."""
    raw = raws.get(name)
    if raw is None:
        return LiveAlarm(name=name, state=ABSENT)
    return LiveAlarm(
        name=name,
        state=raw.get("StateValue", "INSUFFICIENT_DATA"),
        since=raw.get("StateTransitionedTimestamp") or raw.get("StateUpdatedTimestamp"),
        watches=tuple(sorted(set(_watches(name, raws, set())))),
    )


def _watches(name: str, raws: Mapping[str, Mapping[str, Any]], seen: set[str]) -> Iterable[str]:
    raw = raws.get(name)
    if raw is None or name in seen:
        return
    seen.add(name)
    queries = raw.get("Metrics", ())
    yield from (d["Value"] for d in raw.get("Dimensions", ()))
    yield from (q["Expression"] for q in queries if "Expression" in q)
    stats = (q["MetricStat"]["Metric"] for q in queries if "MetricStat" in q)
    yield from (d["Value"] for m in stats for d in m.get("Dimensions", ()))
    for child in sorted(children(raw)):
        yield from _watches(child, raws, seen)
