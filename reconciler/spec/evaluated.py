"""`evaluateHealth` where Route 53 would refuse it, or where it would not mean what its author meant.

To Route 53 a balancer is healthy while each of its target groups has a healthy target, and a record that
nothing checks is always healthy (Route 53 API, AliasTarget).
"""

import re
from collections.abc import Iterator
from typing import Final

from reconciler.core.problem import Position, Problem
from reconciler.spec.desired import Desired, DesiredFleet, DesiredZone
from reconciler.spec.zone import Alias

CLOUDFRONT: Final = frozenset({"Z2FDTNDATAQYW2", "Z3RFFRIM2A3IF5"})
"""Zone ids of all CloudFront distributions, of AWS and of AWS in China."""

BALANCER: Final = re.compile(
    r"(?:dualstack\.)?(?:internal-)?(?P<name>.+)-[0-9]+\.(?P<region>[a-z0-9-]+)\.elb\.amazonaws\.com(?:\.cn)?"
)
LISTENER: Final = re.compile(
    r"arn:[^:]+:elasticloadbalancing:(?P<region>[^:]+):(?P<account>[^:]+):listener/app/(?P<name>[^/]+)/"
)


def check_evaluated(desired: Desired) -> Iterator[Problem]:
    """Return the problem of each alias that evaluates health where it must not, or to no effect."""
    rules = _rules(desired)
    for zone in desired.zones:
        for n, record in enumerate(zone.spec.records):
            path = f"spec.records.{n}"
            if record.alias:
                yield from _cloudfront(zone, record.alias, f"{path}.alias")
            for i, entry in enumerate(record.entries):
                if entry.alias and entry.alias.evaluateHealth:
                    at = f"{path}.{record.policy}.{i}.alias"
                    yield from _cloudfront(zone, entry.alias, at)
                    yield from _shared(desired, zone, entry.alias, at, rules)
                    yield from _blind(desired, zone, entry.alias, at)


def _at(zone: DesiredZone, alias: str) -> Position:
    return zone.where(f"{alias}.evaluateHealth") or Position("?")


def _cloudfront(zone: DesiredZone, alias: Alias, path: str) -> Iterator[Problem]:
    if alias.evaluateHealth and alias.zone in CLOUDFRONT:
        yield Problem(
            _at(zone, path),
            "evaluateHealth of a CloudFront distribution",
            "Route 53 refuses it: a distribution has no health that could be asked for",
            "take it out; where several records share the name, a healthCheck decides",
        )


def _rules(desired: Desired) -> dict[tuple[str, str, str], DesiredFleet]:
    """Return the first fleet with a rule in each balancer, by account, region and the balancer's name."""
    found: dict[tuple[str, str, str], DesiredFleet] = {}
    for fleet in desired.fleets:
        traffic = fleet.spec.traffic
        named = LISTENER.match(traffic.listener.arn) if traffic and traffic.listener else None
        if named:
            found.setdefault((named["account"], named["region"], named["name"].lower()), fleet)
    return found


def _shared(
    desired: Desired,
    zone: DesiredZone,
    alias: Alias,
    path: str,
    rules: dict[tuple[str, str, str], DesiredFleet],
) -> Iterator[Problem]:
    """Until a new revision is healthy, all of the balancer that it enters may count as ill."""
    named = BALANCER.fullmatch((alias.name or "").lower().rstrip("."))
    target = desired.target(zone.spec.target)
    if named is None or target is None:
        return
    fleet = rules.get((target.spec.account, named["region"], named["name"]))
    if fleet is None:
        return
    yield Problem(
        _at(zone, path),
        f"evaluateHealth of the balancer {named['name']}, in which fleet {fleet.name} has a rule",
        "one target group without a healthy target makes a balancer unhealthy to Route 53, and each new "
        "revision enters with such a one",
        "write evaluateHealth: false, and a healthCheck beside the alias",
    )


def _blind(desired: Desired, zone: DesiredZone, alias: Alias, path: str) -> Iterator[Problem]:
    fleet = desired.fleet(alias.fleet or "", alias.target or "")
    dns = fleet.spec.traffic.dns if fleet and fleet.spec.traffic else None
    if fleet and dns and dns.zone == zone.name and not dns.evaluateHealth:
        yield Problem(
            _at(zone, path),
            f"evaluateHealth of fleet {fleet.name}, whose own records do not evaluate health",
            "a record that nothing checks is always healthy, so traffic would never leave it",
            "write traffic.dns.evaluateHealth: true in the fleet, or take it out here",
        )
