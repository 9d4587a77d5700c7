"""Zones that another target owns: a fleet's name may stand in one, and is written as that target.

The one batch of a shift is refused by Route 53 where another writer was faster, so the zone's own target
and those that have names in it need no lock between them.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from reconciler.core.facts import TRAFFIC, Unread
from reconciler.core.ids import TargetName, ZoneName
from reconciler.daemon.observe import zone_ref
from reconciler.gateway.errors import foreseen, say
from reconciler.gateway.session import Aws, Place
from reconciler.kinds.record import aws as record_aws
from reconciler.kinds.record.live import LiveZone, ZoneProblem
from reconciler.kinds.register import World
from reconciler.spec.desired import Desired, DesiredTarget, DesiredZone

Lenders: TypeAlias = dict[ZoneName, Place]
"""Whose credentials a zone of another target is read and written with."""


def place_of(target: DesiredTarget) -> Place:
    """Return where a target's connection leads."""
    spec = target.spec
    return Place(
        target=target.name,
        account=spec.account,
        region=spec.region,
        assume_role=spec.assumeRole,
        external_id=spec.externalId,
    )


def lenders(desired: Desired, target: DesiredTarget) -> Lenders:
    """Return the zones that this target reaches as another one; those of its own credentials it does not."""
    found: Lenders = {}
    for zone in desired.zones:
        owner = desired.target(zone.spec.target)
        if owner is not None and _who(owner) != _who(target):
            found[zone.name] = place_of(owner)
    return found


def _who(target: DesiredTarget) -> tuple[str, str | None, str | None]:
    """Route 53 is one for all regions: the same credentials reach the same zones."""
    return (target.spec.account, target.spec.assumeRole, target.spec.externalId)


def with_borrowed(aws: Aws, desired: Desired, target: DesiredTarget, world: World) -> World:
    """Return the world with the zones of other targets in which its fleets have, or had, their names.

    A zone that can't be read is that zone's trouble, not the target's.
    """
    lent = lenders(desired, target)
    groups: dict[Place | None, list[DesiredZone]] = {}
    for zone in _needed(desired, target.name, world):
        groups.setdefault(lent.get(zone.name), []).append(zone)
    found = [z for place, zones in groups.items() for z in _read(aws, place, zones)]
    return replace(world, zones=(*world.zones, *found)) if found else world


def _needed(desired: Desired, target: TargetName, world: World) -> tuple[DesiredZone, ...]:
    here = [f.spec.traffic for f in desired.fleets if f.target == target]
    named = {t.dns.zone for t in here if t and t.dns}
    named |= {g.tag(TRAFFIC) for g in world.groups} if isinstance(world.groups, tuple) else set()
    return tuple(z for z in desired.zones if z.name in named and z.spec.target != target)


def _read(aws: Aws, place: Place | None, zones: list[DesiredZone]) -> Iterable[LiveZone | ZoneProblem]:
    try:
        lender = aws.open_beside(place) if place else aws
        return record_aws.read_zones(lender, [(z.name, zone_ref(z)) for z in zones])
    except Exception as error:
        if not foreseen(error):
            raise
        why = say(error)
        return [
            ZoneProblem(zone=z.name, unread=Unread(what=f"zone {z.name}", why=why), why=why) for z in zones
        ]
