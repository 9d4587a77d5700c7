"""From a Zone document to record sets as Route 53 holds them."""

from collections.abc import Iterator

from reconciler.core.ids import ZoneId
from reconciler.kinds.record.values import one_spelling, txt
from reconciler.kinds.record.want import Alias, RecordSet, Wanted
from reconciler.plan.resolve import full_name
from reconciler.spec.desired import Desired, DesiredZone
from reconciler.spec.zone import Alias as AliasSpec
from reconciler.spec.zone import Entry, Record


def wanted_records(desired: Desired, zone: DesiredZone, zone_id: ZoneId) -> tuple[Wanted, ...]:
    """Return every record set that a Zone declares, sorted by key."""
    found = [
        Wanted(record=made, take_over=record.takeOver, at=f"spec.records.{n}")
        for n, record in enumerate(zone.spec.records)
        for made in _sets(desired, zone, record, zone_id)
    ]
    return tuple(sorted(found, key=lambda w: w.record.key))


def _sets(desired: Desired, zone: DesiredZone, record: Record, zone_id: ZoneId) -> Iterator[RecordSet]:
    name = full_name(record.name, zone.spec.domain)
    if record.policy == "simple":
        yield RecordSet(
            name=name,
            type=record.type,
            ttl=None if record.alias else record.ttl,
            values=_values(record.type, record.values),
            alias=_alias(desired, record.alias, zone, zone_id),
        )
        return
    for entry in record.entries:
        yield RecordSet(
            name=name,
            type=record.type,
            identifier=entry.id,
            ttl=None if entry.alias else record.ttl,
            values=_values(record.type, entry.values),
            alias=_alias(desired, entry.alias, zone, zone_id),
            weight=entry.weight if record.policy == "weighted" else None,
            failover=(entry.role or "").upper() if record.policy == "failover" else "",
            region=(entry.region or "") if record.policy == "latency" else "",
            geo=_geo(entry) if record.policy == "geo" else (),
            multivalue=record.policy == "multivalue",
            health_check=entry.healthCheck or "",
        )


def _geo(entry: Entry) -> tuple[tuple[str, str], ...]:
    parts = {
        "ContinentCode": entry.continent,
        "CountryCode": entry.country,
        "SubdivisionCode": entry.subdivision,
    }
    return tuple((k, v) for k, v in sorted(parts.items()) if v)


def _alias(desired: Desired, alias: AliasSpec | None, zone: DesiredZone, zone_id: ZoneId) -> Alias | None:
    if alias is None:
        return None
    if alias.fleet is None or alias.target is None:
        name = (alias.name or "").lower().rstrip(".") + "."
        return Alias(name=name, zone=alias.zone or "", evaluate_health=alias.evaluateHealth)
    fleet = desired.fleet(alias.fleet, alias.target)
    dns = fleet.spec.traffic.dns if fleet and fleet.spec.traffic else None
    name = full_name(dns.name if dns else "@", zone.spec.domain)
    return Alias(name=name, zone=zone_id, evaluate_health=alias.evaluateHealth)


def _values(kind: str, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(txt(v) if kind == "TXT" else one_spelling(kind, v) for v in values))
