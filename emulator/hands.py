"""Test hands on instances and targets: knobs that do what no AWS operation can."""

from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final

from emulator import clock, physics
from emulator.knobs import knob
from emulator.region import Member, Region, regions


class _Unhealthy:
    """Patterns whose targets fail their checks: since when, and until when (None: still)."""

    spans: Final[dict[str, tuple[datetime, datetime | None]]] = {}


class _Addresses:
    """Patterns of balancers that are reached at an address of the test's own."""

    names: Final[dict[str, str]] = {}


class _Failures:
    """Patterns of group names whose launches fail, with the reason as AWS words it."""

    messages: Final[dict[str, str]] = {}


class _Outages:
    """Availability zones in which nothing is launched."""

    zones: Final[set[str]] = set()


FAILED: Final = " Launching EC2 instance failed."
CAPACITY: Final = (
    "Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do not have sufficient"
    " capacity in the Availability Zone you requested. Our system will be working on provisioning additional"
    f" capacity.{FAILED}"
)


def reset() -> None:
    """Take every hand off the world."""
    _Unhealthy.spans.clear()
    _Failures.messages.clear()
    _Addresses.names.clear()
    _Outages.zones.clear()


@knob("address")
def address(pattern: str, address: str) -> None:
    """Let balancers made from now on have a DNS name where something answers: {pattern, address}."""
    _Addresses.names[pattern] = address


def address_of(balancer: str) -> str | None:
    """Return the DNS name that a hand gave to a balancer, if one did."""
    return next((a for pattern, a in _Addresses.names.items() if fnmatchcase(balancer, pattern)), None)


@knob("unhealthy")
def unhealthy(pattern: str, *, on: bool = True) -> None:
    """Let targets fail their checks: {pattern, on}; a glob on target group, group or instance."""
    now = clock.now()
    if on:
        _Unhealthy.spans[pattern] = (now, None)
    elif pattern in _Unhealthy.spans:
        _Unhealthy.spans[pattern] = (_Unhealthy.spans[pattern][0], now)
    for region in regions():
        region.at = now
        region.inspect_all()


def is_unhealthy(names: tuple[str, ...], registered: datetime, now: datetime) -> bool:
    """Return whether a hand keeps a target from passing its checks.

    A target that failed passes again only after as many good checks as a new one needs.
    """
    for pattern, (_, until) in _Unhealthy.spans.items():
        if until is not None and (registered >= until or now >= until + physics.current().healthy):
            continue
        if any(fnmatchcase(name, pattern) for name in names):
            return True
    return False


@knob("launch-failure")
def launch_failure(pattern: str, message: str = CAPACITY, *, on: bool = True) -> None:
    """Let launches of groups fail: {pattern, message, on}; the message is the activity's StatusMessage."""
    if on:
        _Failures.messages[pattern] = message
    else:
        _Failures.messages.pop(pattern, None)


def launch_failure_of(group: str) -> str | None:
    """Return why launches of a group fail, if they do."""
    found = (m for pattern, m in _Failures.messages.items() if fnmatchcase(group, pattern))
    return next(found, None)


@knob("zone-outage")
def zone_outage(zone: str, *, on: bool = True) -> None:
    """Let nothing be launched in an availability zone: {zone, on}."""
    (_Outages.zones.add if on else _Outages.zones.discard)(zone)


def is_out(zone: str) -> bool:
    """Return whether nothing is launched in an availability zone."""
    return zone in _Outages.zones


@knob("terminate-instance")
def terminate_instance(id: str) -> None:  # noqa: A002 - as AWS calls it
    """Terminate an instance of a group behind Auto Scaling's back: {id}."""
    region, member = _member(id)
    if member.instance.state != "terminated":
        member.instance.terminate()
    region.lost([id])


def _member(instance: str) -> tuple[Region, Member]:
    for region in regions():
        if group := region.homes.get(instance):
            region.at = clock.now()
            return region, group.members[instance]
    raise ValueError(f"{instance} is in no Auto Scaling group")
