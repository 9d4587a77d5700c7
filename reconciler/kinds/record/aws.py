"""Hosted zones, records and changes on AWS. The only impure file of this kind."""

import json
from collections.abc import Sequence
from typing import Any, Final, assert_never

from botocore.exceptions import ClientError

from reconciler.core.digest import canonical
from reconciler.core.errors import ChangedError
from reconciler.core.facts import Tags, Unread, to_tags
from reconciler.core.ids import ChangeId, ZoneId, ZoneName
from reconciler.gateway.errors import Failure, classify, code_of, say
from reconciler.gateway.session import Aws
from reconciler.kinds.receipt import ALREADY, DONE, Receipt
from reconciler.kinds.record.live import UNKNOWN, LiveChange, LiveZone, ZoneProblem
from reconciler.kinds.record.steps import Action, ChangeRecords, RecordStep, TagZone
from reconciler.kinds.record.values import one_spelling
from reconciler.kinds.record.want import Alias, RecordSet, ZoneRef

ZONES: Final = 100  # a page of ListHostedZones
RECORDS: Final = 300  # a page of ListResourceRecordSets
TAGS: Final = 10  # ids of one ListTagsForResources
WRITTEN: Final = frozenset(
    {
        *("Name", "Type", "SetIdentifier", "TTL", "ResourceRecords", "AliasTarget"),
        *("Weight", "Failover", "Region", "GeoLocation", "MultiValueAnswer", "HealthCheckId"),
    }
)
"""Members of a record set that we write; of the others only their presence is remembered."""


def read_zones(aws: Aws, wanted: Sequence[tuple[ZoneName, ZoneRef]]) -> tuple[LiveZone | ZoneProblem, ...]:
    """Return every declared zone with its tags and records, or why it can't be.

    Source: route53:ListHostedZones (100 a page), ListTagsForResources (10 ids a call),
    ListResourceRecordSets (300 a page, each zone apart). An error of one zone is that zone's alone.
    """
    if not wanted:
        return ()
    hosted = _hosted(aws)
    chosen: list[tuple[ZoneName, dict[str, Any]]] = []
    problems: list[ZoneProblem] = []
    for name, ref in wanted:
        matches = _matches(aws, hosted, ref)
        if len(matches) == 1:
            chosen.append((name, matches[0]))
        else:
            kind = "private" if ref.vpc else "public"
            why = f"{len(matches)} {kind} hosted zones are {ref.domain.rstrip('.')}" + (
                "; name its id" if matches else "; a zone must exist"
            )
            problems.append(ZoneProblem(zone=name, unread=None, why=why))
    tags = _tags(aws, [_bare(raw["Id"]) for _, raw in chosen])
    made = aws.each(lambda c: _zone(aws, c[0], c[1], tags), chosen)
    return tuple(sorted([*made, *problems], key=lambda z: z.zone))


def _bare(identifier: str) -> ZoneId:
    return ZoneId(identifier.rpartition("/")[2])


def _hosted(aws: Aws) -> list[dict[str, Any]]:
    pages = (
        aws.client("route53")
        .get_paginator("list_hosted_zones")
        .paginate(PaginationConfig={"PageSize": ZONES})
    )
    return [raw for page in pages for raw in page["HostedZones"]]


def _matches(aws: Aws, hosted: list[dict[str, Any]], ref: ZoneRef) -> list[dict[str, Any]]:
    found = [
        raw
        for raw in hosted
        if raw["Name"].lower() == ref.domain
        and bool(raw.get("Config", {}).get("PrivateZone")) == bool(ref.vpc)
        and (ref.id is None or _bare(raw["Id"]) == ref.id)
    ]
    if ref.vpc:
        client = aws.client("route53")
        vpcs = [client.get_hosted_zone(Id=_bare(raw["Id"])).get("VPCs", []) for raw in found]
        found = [raw for raw, v in zip(found, vpcs, strict=True) if any(x.get("VPCId") == ref.vpc for x in v)]
    return found


def _tags(aws: Aws, ids: list[ZoneId]) -> dict[str, Tags]:
    client = aws.client("route53")
    chunks = [ids[n : n + TAGS] for n in range(0, len(ids), TAGS)]

    def one(chunk: list[ZoneId]) -> list[dict[str, Any]]:
        answer = client.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=chunk)
        return list(answer["ResourceTagSets"])

    sets = [s for found in aws.each(one, chunks) for s in found]
    return {s["ResourceId"]: to_tags((t["Key"], t.get("Value", "")) for t in s.get("Tags", [])) for s in sets}


def _zone(aws: Aws, name: ZoneName, raw: dict[str, Any], tags: dict[str, Tags]) -> LiveZone | ZoneProblem:
    zone = _bare(raw["Id"])
    try:
        records = tuple(sorted(map(to_record, _records(aws, zone)), key=lambda r: r.key))
    except Exception as error:
        failure = classify(error)
        if failure in (Failure.CREDENTIALS, Failure.THROTTLED, Failure.DEADLINE):
            raise
        return ZoneProblem(zone=name, unread=Unread(what=f"zone {name}", why=say(error)), why=say(error))
    return LiveZone(
        zone=name,
        id=zone,
        domain=raw["Name"].lower(),
        private=bool(raw.get("Config", {}).get("PrivateZone")),
        records=records,
        tags=tags.get(zone, ()),
    )


def _records(aws: Aws, zone: ZoneId, **start: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    client = aws.client("route53")
    while True:
        page = client.list_resource_record_sets(HostedZoneId=zone, MaxItems=str(RECORDS), **start)
        found += page["ResourceRecordSets"]
        if not page.get("IsTruncated"):
            return found
        start = {"StartRecordName": page["NextRecordName"], "StartRecordType": page["NextRecordType"]}
        if identifier := page.get("NextRecordIdentifier"):
            start["StartRecordIdentifier"] = identifier


def to_record(raw: dict[str, Any]) -> RecordSet:
    """Return the fact behind one record set."""
    alias = raw.get("AliasTarget")
    other = {k: v for k, v in raw.items() if k not in WRITTEN}
    return RecordSet(
        name=raw["Name"].lower(),
        type=raw["Type"],
        identifier=raw.get("SetIdentifier", ""),
        ttl=raw.get("TTL"),
        values=tuple(sorted(one_spelling(raw["Type"], v["Value"]) for v in raw.get("ResourceRecords", []))),
        alias=Alias(
            name=alias["DNSName"].lower().rstrip(".").removeprefix("dualstack.") + ".",
            zone=alias["HostedZoneId"],
            evaluate_health=bool(alias.get("EvaluateTargetHealth")),
        )
        if alias
        else None,
        weight=raw.get("Weight"),
        failover=raw.get("Failover", ""),
        region=raw.get("Region", ""),
        geo=tuple(sorted(raw.get("GeoLocation", {}).items())),
        multivalue=bool(raw.get("MultiValueAnswer")),
        health_check=raw.get("HealthCheckId", ""),
        other=canonical(other) if other else "",
    )


def to_raw(record: RecordSet) -> dict[str, Any]:
    """Return what Route 53 takes for a record set."""
    alias = record.alias
    raw: dict[str, Any] = {
        "Name": record.name,
        "Type": record.type,
        "SetIdentifier": record.identifier or None,
        "TTL": record.ttl,
        "ResourceRecords": [{"Value": v} for v in record.values] or None,
        "AliasTarget": {
            "DNSName": alias.name,
            "HostedZoneId": alias.zone,
            "EvaluateTargetHealth": alias.evaluate_health,
        }
        if alias
        else None,
        "Weight": record.weight,
        "Failover": record.failover or None,
        "Region": record.region or None,
        "GeoLocation": dict(record.geo) or None,
        "MultiValueAnswer": True if record.multivalue else None,
        "HealthCheckId": record.health_check or None,
    }
    return {
        **{k: v for k, v in raw.items() if v is not None},
        **(json.loads(record.other) if record.other else {}),
    }


def read_changes(aws: Aws, ids: Sequence[ChangeId]) -> tuple[LiveChange, ...]:
    """Return how far change batches have come, one call each. Source: route53:GetChange."""

    def one(change: ChangeId) -> LiveChange:
        try:
            status = aws.client("route53").get_change(Id=change)["ChangeInfo"]["Status"]
        except ClientError as error:
            if classify(error) is not Failure.NOT_FOUND:
                raise
            status = UNKNOWN
        return LiveChange(id=change, status=status)

    return tuple(aws.each(one, sorted(ids)))


def do(aws: Aws, step: RecordStep) -> Receipt:
    """Perform one step.

    Raises: ChangedError where Route 53 refuses a batch because other values are there now.
    """
    match step:
        case ChangeRecords():
            return _change(aws, step)
        case TagZone():
            return _tag(aws, step)
        case _:
            assert_never(step)


def _change(aws: Aws, step: ChangeRecords) -> Receipt:
    real = _as_read(aws, step)
    changes = [
        {"Action": c.action.value, "ResourceRecordSet": raw}
        for c, raw in zip(step.changes, real, strict=True)
    ]
    try:
        answer = aws.client("route53").change_resource_record_sets(
            HostedZoneId=step.zone_id, ChangeBatch={"Changes": changes}
        )
    except ClientError as error:
        if code_of(error) != "InvalidChangeBatch":
            raise
        if _is_done(aws, step):
            return ALREADY
        raise ChangedError(f"{step.name}: {say(error)}") from error
    return Receipt(change=answer["ChangeInfo"]["Id"].rpartition("/")[2])


def _as_read(aws: Aws, step: ChangeRecords) -> list[dict[str, Any]]:
    """DELETE must match every field, so what is deleted is sent as it is read now, if it means the same.

    Raises: ChangedError where another value is there than the plan rested on.
    """
    deleted = [c.record for c in step.changes if c.action is Action.DELETE]
    live = {to_record(raw).key: raw for raw in _named(aws, step.zone_id, {r.name for r in deleted})}
    found = []
    for change in step.changes:
        raw = live.get(change.record.key)
        if change.action is not Action.DELETE:
            found.append(to_raw(change.record))
        elif raw is None or to_record(raw) != change.record:
            raise ChangedError(f"{change.record.name} {change.record.type} is not what was planned on")
        else:
            found.append(raw)
    return found


def find_all(aws: Aws, zone: ZoneId, names: set[str]) -> tuple[RecordSet, ...]:
    """Return the record sets of some names as they are now. Source: route53:ListResourceRecordSets."""
    return tuple(sorted(map(to_record, _named(aws, zone, names)), key=lambda r: r.key))


def _named(aws: Aws, zone: ZoneId, names: set[str]) -> list[dict[str, Any]]:
    """Return the records of some names, one call each: the list begins at a name."""
    found = []
    for name in sorted(names):
        page = aws.client("route53").list_resource_record_sets(
            HostedZoneId=zone, StartRecordName=name, MaxItems=str(RECORDS)
        )
        found += [r for r in page["ResourceRecordSets"] if r["Name"].lower() == name]
    return found


def _is_done(aws: Aws, step: ChangeRecords) -> bool:
    names = {c.record.name for c in step.changes}
    live = {to_record(raw).key: to_record(raw) for raw in _named(aws, step.zone_id, names)}
    wanted = {c.record.key: c.record for c in step.changes if c.action is not Action.DELETE}
    gone = {c.record.key for c in step.changes if c.action is Action.DELETE} - set(wanted)
    return all(live.get(k) == r for k, r in wanted.items()) and not gone & set(live)


def _tag(aws: Aws, step: TagZone) -> Receipt:
    request: dict[str, Any] = {"ResourceType": "hostedzone", "ResourceId": step.zone_id}
    if step.put:
        request["AddTags"] = [{"Key": k, "Value": v} for k, v in step.put]
    if step.drop:
        request["RemoveTagKeys"] = list(step.drop)
    aws.client("route53").change_tags_for_resource(**request)
    return DONE
