"""What must hold for the records of a zone."""

from collections import defaultdict
from collections.abc import Iterator

from reconciler.core.problem import Position, Problem
from reconciler.spec.desired import Desired, DesiredZone
from reconciler.spec.record_syntax import fault, is_name
from reconciler.spec.zone import Alias, Entry, Record

GEO_COUNTRY_OF_STATES = "US"


def check_zones(desired: Desired) -> list[Problem]:
    """Return every problem of zones and their records."""
    found: list[Problem] = []
    for zone in desired.zones:
        found += _zone(desired, zone)
    found += _same_zone(desired)
    return found


def _at(zone: DesiredZone, *paths: str) -> Position:
    return next((at for p in paths if (at := zone.where(p))), Position("?"))


def _same_zone(desired: Desired) -> Iterator[Problem]:
    seen: dict[tuple[str, str, str | None, str], DesiredZone] = {}
    for zone in desired.zones:
        spec = zone.spec
        target = desired.target(spec.target)
        key = (
            target.spec.account if target else spec.target,
            spec.domain.lower().rstrip("."),
            spec.id,
            spec.private.vpc if spec.private else "",
        )
        other = seen.setdefault(key, zone)
        if other is not zone:
            yield Problem(
                _at(zone, "spec.domain"),
                f"zone {zone.name} is the hosted zone of {other.name}",
                "a zone has one writer",
                "put the records into one document",
            )


def _zone(desired: Desired, zone: DesiredZone) -> Iterator[Problem]:
    spec = zone.spec
    if desired.target(spec.target) is None:
        known = ", ".join(t.name for t in desired.targets) or "none"
        yield Problem(
            _at(zone, "spec.target"),
            f"there is no Target named {spec.target}",
            "references must lead somewhere",
            f"known: {known}",
        )
    if not is_name(spec.domain) or "*" in spec.domain:
        yield Problem(
            _at(zone, "spec.domain"), f"{spec.domain!r} is no domain", "labels, dots", "write example.com"
        )
    for n, record in enumerate(spec.records):
        yield from _record(desired, zone, record, f"spec.records.{n}")
    yield from _together(desired, zone)


def _record(desired: Desired, zone: DesiredZone, record: Record, path: str) -> Iterator[Problem]:
    yield from _name(zone, record, path)
    entries = [(f"{path}.{record.policy}.{n}", e) for n, e in enumerate(record.entries)]
    simple = record.policy == "simple"
    aliased = record.alias is not None or any(e.alias for e in record.entries)
    valued = bool(record.values) or any(e.values for e in record.entries)
    if valued and record.ttl is None:
        why = "values are cached for a time, and one TTL holds for the whole set"
        yield Problem(_at(zone, f"{path}"), "the record has no ttl", why, "add ttl: 300")
    if aliased and not valued and record.ttl is not None:
        why = "an alias takes the TTL of what it points at"
        yield Problem(_at(zone, f"{path}.ttl"), "an alias with a ttl", why, "leave ttl out")
    for place, holder in [(path, record)] if simple else entries:
        yield from _values(zone, record, holder, place)
        if holder.alias:
            yield from _alias(desired, zone, record, holder.alias, f"{place}.alias")
    yield from _policy(zone, record, entries, path)


def _name(zone: DesiredZone, record: Record, path: str) -> Iterator[Problem]:
    at, name = _at(zone, f"{path}.name"), record.name
    if name != "@" and (not is_name(name) or name.endswith(".")):
        why = "names are relative to the domain, without a last dot"
        yield Problem(at, f"{name!r} is no record name", why, "write www, *.dev or @")
    elif name.lower() == zone.spec.domain.lower().rstrip(".") or name.lower().endswith(
        f".{zone.spec.domain.lower().rstrip('.')}"
    ):
        why = "names are relative to the domain"
        short = name[: -len(zone.spec.domain.rstrip(".")) - 1] or "@"
        yield Problem(at, f"{name!r} repeats the domain", why, f"write {short}")
    if name == "@" and record.type in ("CNAME", "NS"):
        fix = "write an alias record of type A" if record.type == "CNAME" else "leave it to Route 53"
        yield Problem(at, f"a {record.type} record at the apex", "the apex has SOA and NS of its own", fix)


def _values(zone: DesiredZone, record: Record, holder: Record | Entry, path: str) -> Iterator[Problem]:
    if isinstance(holder, Entry) and bool(holder.values) == bool(holder.alias):
        fix = "keep one of the two"
        yield Problem(
            _at(zone, path), "the entry has not one of values and alias", "it answers with one", fix
        )
    for n, value in enumerate(holder.values):
        at = _at(zone, f"{path}.values.{n}", f"{path}.values")
        if told := fault(record.type, value):
            yield Problem(at, f"{value[:60]!r} is no {record.type} value", told[0], told[1])
        if value in holder.values[:n]:
            yield Problem(at, f"{value[:60]!r} stands twice", "each value counts once", "take one out")
    if record.type == "CNAME" and len(holder.values) > 1:
        at = _at(zone, f"{path}.values")
        yield Problem(at, "a CNAME with several values", "a name has one canonical name", "keep one")


def _alias(desired: Desired, zone: DesiredZone, record: Record, alias: Alias, path: str) -> Iterator[Problem]:
    if record.type not in ("A", "AAAA", "CNAME"):
        yield Problem(
            _at(zone, path), f"an alias of type {record.type}", "aliases answer addresses", "write A or AAAA"
        )
    if alias.name and not is_name(alias.name):
        yield Problem(
            _at(zone, f"{path}.name"), f"{alias.name!r} is no name", "an alias points at one", "mend it"
        )
    if alias.fleet is None or alias.target is None:
        return
    fleet = desired.fleet(alias.fleet, alias.target)
    dns = fleet.spec.traffic.dns if fleet and fleet.spec.traffic else None
    if fleet is None or dns is None or dns.zone != zone.name:
        what = "there is no such fleet" if fleet is None else "it has no dns name in this zone"
        yield Problem(
            _at(zone, f"{path}.fleet"),
            f"alias to fleet {alias.fleet} in {alias.target}: {what}",
            "the alias answers what the fleet's own name does, in the same zone",
            "name a fleet whose traffic.dns is in this zone",
        )


def _policy(
    zone: DesiredZone, record: Record, entries: list[tuple[str, Entry]], path: str
) -> Iterator[Problem]:
    if record.policy == "simple":
        return
    needed = {"weighted": "weight", "failover": "role", "latency": "region", "geo": "", "multivalue": ""}
    member = needed[record.policy]
    allowed = {"weighted": {"weight"}, "failover": {"role"}, "latency": {"region"}, "multivalue": set[str]()}
    for place, entry in entries:
        if member and getattr(entry, member) is None:
            why = f"a {record.policy} entry is chosen by it"
            yield Problem(_at(zone, place), f"the entry has no {member}", why, f"add {member}")
        given = {
            m for m in ("weight", "role", "region", "continent", "country") if getattr(entry, m) is not None
        }
        fitting = allowed.get(record.policy, {"continent", "country"})
        for odd in sorted(given - fitting):
            at = _at(zone, f"{place}.{odd}")
            yield Problem(
                at, f"`{odd}` in a {record.policy} entry", "it belongs to another policy", "take it out"
            )
        if record.policy == "geo":
            yield from _geo(zone, entry, place)
    ids = [e.id for _, e in entries]
    if len(set(ids)) != len(ids):
        yield Problem(_at(zone, path), "two entries have one id", "an id is unique in its set", "rename one")
    if record.policy == "weighted" and all(e.weight == 0 for _, e in entries):
        why = "Route 53 answers all of them then, not none"
        yield Problem(_at(zone, f"{path}.weighted"), "all weights are 0", why, "give one a weight above 0")
    if record.policy == "failover" and sorted(str(e.role) for _, e in entries) != ["primary", "secondary"]:
        why = "failover goes from one primary to one secondary"
        yield Problem(
            _at(zone, f"{path}.failover"), "not one primary and one secondary", why, "write both, once each"
        )


def _geo(zone: DesiredZone, entry: Entry, place: str) -> Iterator[Problem]:
    if (entry.continent is None) == (entry.country is None):
        why = "an entry is for a continent or for a country"
        yield Problem(
            _at(zone, place), "the entry has not one of continent and country", why, "write one of them"
        )
    if entry.subdivision and entry.country != GEO_COUNTRY_OF_STATES:
        yield Problem(
            _at(zone, f"{place}.subdivision"), "a subdivision outside of US", "only US states", "take it out"
        )


def _together(desired: Desired, zone: DesiredZone) -> Iterator[Problem]:
    names: dict[str, list[tuple[int, Record]]] = defaultdict(list)
    for n, record in enumerate(zone.spec.records):
        names[record.name.lower()].append((n, record))
    for name, records in names.items():
        kinds = [r.type for _, r in records]
        if "CNAME" in kinds and len(records) > 1:
            n = next(n for n, r in records if r.type == "CNAME")
            why = "a name with a CNAME has nothing else"
            yield Problem(
                _at(zone, f"spec.records.{n}.type"),
                f"a CNAME beside other records of {name}",
                why,
                "keep one",
            )
        for i, (n, record) in enumerate(records):
            if record.type in kinds[:i] and record.type != "CNAME":
                why = "a name and type has one set, one routing policy and one TTL"
                fix = "put them into one record"
                yield Problem(
                    _at(zone, f"spec.records.{n}.name"), f"{name} {record.type} stands twice", why, fix
                )
    for fleet in desired.fleets:
        dns = fleet.spec.traffic.dns if fleet.spec.traffic else None
        if dns and dns.zone == zone.name:
            for n, record in names.get(dns.name.lower(), []):
                if record.type in ("A", "AAAA", "CNAME"):
                    yield Problem(
                        _at(zone, f"spec.records.{n}.name"),
                        f"{record.name} belongs to fleet {fleet.name}",
                        "a fleet's name stands in no records",
                        "take the record out, or rename one of the two",
                    )
            at = fleet.where("spec.traffic.dns.name") or Position("?")
            if dns.name != "@" and (not is_name(dns.name) or dns.name.endswith(".")):
                why = "names are relative to the domain, without a last dot"
                yield Problem(at, f"{dns.name!r} is no record name", why, "write checkout")
