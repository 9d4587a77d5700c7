"""Requests that nobody sends: what load balancers would measure of them, by minute.

Every name that leads to balancers, and every listener rule, gets so many requests a minute; they are shared
out by the weights that stand there. Knobs say how the targets answer.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, Final

from moto.route53.models import route53_backends

from emulator import clock, target_health
from emulator.balancing import TargetGroup
from emulator.knobs import knob
from emulator.region import Region, regions
from emulator.route53 import records_of

RATE: Final = 600.0  # requests a minute of one name or rule
LATENCY: Final = 0.05  # seconds, where no knob says otherwise
MINUTE: Final = timedelta(minutes=1)
SHOWN: Final = timedelta(minutes=1)  # after its end, a minute can be asked for

Point = tuple[datetime, float]


@dataclass(slots=True)
class _Span:
    """One turn of a knob: from when, until when (None: still)."""

    pattern: str
    value: float
    since: datetime
    until: datetime | None = None


class _Kept:
    """What has happened since the last reset."""

    rates: Final[dict[str, list[Point]]] = defaultdict(
        list
    )  # requests a minute from then on, by target group
    errors: Final[list[_Span]] = []  # percent
    latencies: Final[list[_Span]] = []  # seconds


def reset() -> None:
    """Forget all requests and take the knobs back."""
    _Kept.rates.clear()
    _Kept.errors.clear()
    _Kept.latencies.clear()


@knob("errors")
def errors(pattern: str, percent: float = 100, *, on: bool = True) -> None:
    """Let targets answer with 5xx: {pattern, percent, on}; a glob on target groups."""
    _turn(_Kept.errors, pattern, percent, on=on)


@knob("latency")
def latency(pattern: str, seconds: float = 5, *, on: bool = True) -> None:
    """Let targets answer so late: {pattern, seconds, on}; a glob on target groups."""
    _turn(_Kept.latencies, pattern, seconds, on=on)


def _turn(spans: list[_Span], pattern: str, value: float, *, on: bool) -> None:
    now = clock.now()
    for span in spans:
        if span.pattern == pattern and span.until is None:
            span.until = now
    if on:
        spans.append(_Span(pattern, value, now))


def note() -> None:
    """Remember the shares that are in force from now on. To be called after what may change them."""
    now, rates = clock.now(), dict(_rates())
    for arn in {*rates, *_Kept.rates}:
        kept, rate = _Kept.rates[arn], rates.get(arn, 0.0)
        if rate != (kept[-1][1] if kept else 0.0):
            kept.append((now, rate))


def _rates() -> Iterator[tuple[str, float]]:
    found: dict[str, float] = defaultdict(float)
    asked = list(_asked())
    for region in regions():
        load = {arn: sum(r for name, r in asked if name == arn) for arn in region.balancers}
        for rule in region.rules.values():
            owner = region.listeners[rule.listener].balancer
            rate = load.get(owner, 0.0) if rule.body["IsDefault"] else RATE
            for arn, share in _shares(rule.body["Actions"]):
                found[arn] += rate * share
    yield from found.items()


def _shares(actions: Iterable[dict[str, Any]]) -> Iterator[tuple[str, float]]:
    for action in actions:
        groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
        whole = sum(g.get("Weight", 1) for g in groups)
        for group in groups:
            yield group["TargetGroupArn"], group.get("Weight", 1) / whole if whole else 0.0


def _asked() -> Iterator[tuple[str, float]]:
    """Yield the balancers that names lead to, by ARN, with their requests a minute."""
    named = _balancers_by_name()
    for account in route53_backends.values():
        for backend in account.values():
            for zone in backend.zones.values():
                by_name: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
                for record in records_of(zone).values():
                    if "AliasTarget" in record:
                        by_name[record["Name"], record["Type"]].append(record)
                for (name, kind), records in by_name.items():
                    if kind == "A" or (name, "A") not in by_name:
                        yield from _of_name(records, named)


def _of_name(
    records: list[dict[str, Any]], named: dict[str, list[tuple[str, str]]]
) -> Iterator[tuple[str, float]]:
    whole = sum(r.get("Weight", 0) for r in records)
    for record in records:
        name = record["AliasTarget"]["DNSName"].lower().rstrip(".").removeprefix("dualstack.")
        found = named.get(name, [])
        # balancers that a knob gave one address are told apart by what the record is called
        mine = [arn for arn, called in found if called in record.get("SetIdentifier", "")] or [
            arn for arn, _ in found
        ]
        share = record.get("Weight", 0) / whole if whole else 1 / len(records)
        for arn in mine[:1]:
            yield arn, RATE * share


def _balancers_by_name() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for region in regions():
        for arn, one in region.balancers.items():
            found[one.body["DNSName"].lower()].append((arn, one.body["LoadBalancerName"]))
    return found


def measured(
    region: Region, metric: str, dimensions: dict[str, str], start: datetime, end: datetime
) -> list[Point]:
    """Return a metric of a target group, minute by minute; a minute without a value is not in it."""
    found = [
        g for arn, g in region.target_groups.items() if arn.endswith(f":{dimensions.get('TargetGroup')}")
    ]
    behind = found[0].body["LoadBalancerArns"] if found else []
    if not found or not any(b.endswith(f":loadbalancer/{dimensions.get('LoadBalancer')}") for b in behind):
        return []
    minutes = []
    minute = start.replace(second=0, microsecond=0)
    while minute < end and minute + MINUTE + SHOWN <= clock.now():
        minutes.append(minute)
        minute += MINUTE
    values = ((m, _value(region, found[0], metric, m)) for m in minutes)
    return [(m, value) for m, value in values if value is not None]


def _value(region: Region, group: TargetGroup, metric: str, minute: datetime) -> float | None:
    requests = _requests(group.body["TargetGroupArn"], minute)
    match metric:
        case "RequestCount":
            return requests or None
        case "HTTPCode_Target_5XX_Count":
            return requests * (_in_force(_Kept.errors, group.name, minute) or 0) / 100 or None
        case "TargetResponseTime":
            late = _in_force(_Kept.latencies, group.name, minute)
            return (LATENCY if late is None else late) if requests else None
        case "UnHealthyHostCount":
            if group.used is None or group.used > minute or not group.targets:
                return None
            return float(sum(s == "unhealthy" for s in target_health.health(region, group).values()))
        case _:
            return None


def _requests(arn: str, minute: datetime) -> float:
    """Add up the requests of one minute, over what was in force in it."""
    history, ends = _Kept.rates.get(arn, []), minute + MINUTE
    total = 0.0
    for n, (since, rate) in enumerate(history):
        until = history[n + 1][0] if n + 1 < len(history) else ends
        span = min(until, ends) - max(since, minute)
        total += rate * max(span / MINUTE, 0.0)
    return float(round(total))


def _in_force(spans: list[_Span], name: str, minute: datetime) -> float | None:
    for span in reversed(spans):
        meets = span.since < minute + MINUTE and (span.until is None or span.until > minute)
        if meets and fnmatchcase(name, span.pattern):
            return span.value
    return None
