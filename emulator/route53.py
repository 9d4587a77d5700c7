"""Route 53, repaired: exact and atomic changes that take time to be in sync, whole pages, tags, zones."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from moto.core.responses import ActionResult, EmptyResult
from moto.moto_api._internal import mock_random
from moto.route53.models import ROUTE53_ID_CHOICE, FakeZone, HostedZoneIdentifier
from moto.route53.responses import Route53

from emulator import clock, physics
from emulator.errors import AwsError
from emulator.patch import operations, patch
from emulator.records import Key, Record, apply, invalid_input, key_of, normal, normal_name, order_of

ZONES: Final = 100  # a page of ListHostedZones, at most
RECORDS: Final = 300  # a page of ListResourceRecordSets, at most
TAGGED: Final = 10  # ids of one ListTagsForResources; tags of one ChangeTagsForResource
TAGS: Final = 50  # of one resource
_KEEP: Final = "emulated"  # where our state hangs on moto's objects, so that its reset empties ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change that was accepted. It is in sync everywhere from a certain time on."""

    id: str
    submitted: datetime
    insync: datetime
    comment: str | None

    def as_info(self) -> dict[str, Any]:
        """Return it as the API shows it now."""
        status = "INSYNC" if clock.now() >= self.insync else "PENDING"
        info = {"Id": f"/change/{self.id}", "Status": status, "SubmittedAt": self.submitted}
        return info | ({"Comment": self.comment} if self.comment else {})


@dataclass(slots=True)
class State:
    """What one account has beside moto's zones."""

    changes: dict[str, Change] = field(default_factory=dict)

    def submit(self, comment: str | None = None) -> dict[str, Any]:
        """Accept a change and return what the API says of it."""
        at = clock.now()
        code = _new_id("C")
        change = Change(id=code, submitted=at, insync=at + physics.current().insync, comment=comment)
        self.changes[code] = change
        return change.as_info()


def _new_id(letter: str) -> str:
    return letter + "".join(mock_random.choice(ROUTE53_ID_CHOICE) for _ in range(20))


def _state(response: Route53) -> State:
    backend: Any = response.backend
    if not hasattr(backend, _KEEP):
        setattr(backend, _KEEP, State())
    state: State = getattr(backend, _KEEP)
    return state


def records_of(zone: Any) -> dict[Key, Record]:
    """Return the records of moto's zone, by key. At first those that AWS makes with the zone."""
    if not hasattr(zone, _KEEP):
        made = [
            {
                "Name": zone.name,
                "Type": r.type,
                "TTL": int(r.ttl),
                "ResourceRecords": [{"Value": _text(v, r.type)} for v in r.records],
            }
            for r in zone.rrsets
        ]
        setattr(zone, _KEEP, {key_of(n): n for n in map(normal, made)})
    records: dict[Key, Record] = getattr(zone, _KEEP)
    return records


def _text(value: Any, kind: str) -> str:
    text = str(value["Value"] if isinstance(value, dict) else value)
    return text.rstrip(".") + "." if kind == "NS" else text


def _bare(identifier: str) -> str:
    return identifier.rpartition("/")[2]


def _zone(response: Route53, identifier: str) -> Any:
    zone = response.backend.zones.get(_bare(identifier))
    if zone is None:
        raise AwsError("NoSuchHostedZone", f"No hosted zone found with ID: {_bare(identifier)}", 404)
    return zone


class Changes:
    """The operations on records and changes, as methods of moto's response class."""

    def change_resource_record_sets(self: Any) -> ActionResult:
        """Apply a batch, or nothing of it."""
        zone = _zone(self, self._get_param("HostedZoneId"))
        changes = self._get_param("ChangeBatch.Changes") or []
        if not changes:
            raise invalid_input("1 validation error detected: 'changeBatch.changes' must have 1 or more")
        for change in changes:
            check = change["ResourceRecordSet"].get("HealthCheckId")
            if check and check not in self.backend.health_checks:
                raise AwsError("NoSuchHealthCheck", f"A health check with id {check} does not exist.", 404)
        setattr(zone, _KEEP, apply(normal_name(zone.name), records_of(zone), changes))
        return ActionResult({"ChangeInfo": _state(self).submit(self._get_param("ChangeBatch.Comment"))})

    def list_resource_record_sets(self: Any) -> ActionResult:
        """List a page of a zone's records, from a name, a type and an identifier on."""
        zone = _zone(self, self._get_param("HostedZoneId"))
        name = self._get_param("StartRecordName")
        kind, identifier = self._get_param("StartRecordType"), self._get_param("StartRecordIdentifier")
        if (kind and not name) or (identifier and not kind):
            raise invalid_input("The input is not valid: a start type needs a name, an identifier a type")
        size = min(self._get_int_param("MaxItems", RECORDS), RECORDS)
        ordered = sorted(records_of(zone).values(), key=lambda r: order_of(key_of(r)))
        if name:
            start = order_of((normal_name(name), kind or "", identifier or ""))
            ordered = [r for r in ordered if order_of(key_of(r)) >= start]
        page, rest = ordered[:size], ordered[size:]
        result: dict[str, Any] = {
            "ResourceRecordSets": page,
            "IsTruncated": bool(rest),
            "MaxItems": str(size),
        }
        if rest:
            result |= {"NextRecordName": rest[0]["Name"], "NextRecordType": rest[0]["Type"]}
            if "SetIdentifier" in rest[0]:
                result["NextRecordIdentifier"] = rest[0]["SetIdentifier"]
        return ActionResult(result)

    def get_change(self: Any) -> ActionResult:
        """Tell how far a change has come."""
        identifier = _bare(self._get_param("Id"))
        change = _state(self).changes.get(identifier)
        if change is None:
            raise AwsError("NoSuchChange", f"Could not find resource with ID: {identifier}", 404)
        return ActionResult({"ChangeInfo": change.as_info()})


class Zones:
    """The operations on zones and their tags, as methods of moto's response class."""

    def create_hosted_zone(self: Any) -> ActionResult:
        """Create a zone; a caller's reference counts once."""
        reference = self._get_param("CallerReference")
        if any(z.caller_reference == reference for z in self.backend.zones.values()):
            raise AwsError(
                "HostedZoneAlreadyExists",
                f"A hosted zone has already been created with the specified caller reference: {reference}",
                409,
            )
        if self._get_param("HostedZoneConfig.PrivateZone") and not self._get_param("VPC.VPCId"):
            raise invalid_input("A private hosted zone needs values for VPCId and VPCRegion")
        result = _with_change(self, "create_hosted_zone").result
        result["HostedZone"].name = normal_name(result["HostedZone"].name)
        return ActionResult(result)

    def associate_vpc_with_hosted_zone(self: Any) -> Any:
        """Add a VPC to a private zone."""
        return _with_change(self, "associate_vpc_with_hosted_zone")

    def disassociate_vpc_from_hosted_zone(self: Any) -> Any:
        """Take a VPC from a private zone."""
        return _with_change(self, "disassociate_vpc_from_hosted_zone")

    def delete_hosted_zone(self: Any) -> ActionResult:
        """Delete a zone that holds nothing but its own NS and SOA."""
        zone = _zone(self, self._get_param("Id"))
        apex = normal_name(zone.name)
        if set(records_of(zone)) - {(apex, "NS", ""), (apex, "SOA", "")}:
            raise AwsError(
                "HostedZoneNotEmpty",
                "The specified hosted zone contains non-required resource record sets and cannot be deleted.",
            )
        self.backend.resource_tags.pop(zone.resource_id, None)
        del self.backend.zones[zone.resource_id]
        return ActionResult({"ChangeInfo": _state(self).submit()})

    def list_hosted_zones(self: Any) -> ActionResult:
        """List a page of the account's zones."""
        size = min(self._get_int_param("MaxItems", ZONES), ZONES)
        zones = [self.backend.zones[k] for k in sorted(self.backend.zones)]
        if self._get_param("HostedZoneType") == "PrivateHostedZone":
            zones = [z for z in zones if z.private_zone]
        marker = self._get_param("Marker")
        if marker:
            if marker not in self.backend.zones:
                raise invalid_input(f"The marker {marker} is not valid")
            zones = [z for z in zones if z.resource_id >= marker]
        page, rest = zones[:size], zones[size:]
        result: dict[str, Any] = {"HostedZones": page, "IsTruncated": bool(rest), "MaxItems": str(size)}
        result |= {"Marker": marker} if marker else {}
        return ActionResult(result | ({"NextMarker": rest[0].resource_id} if rest else {}))

    def list_hosted_zones_by_name(self: Any) -> ActionResult:
        """List a page of the zones in the order of their names, from a name and an id on."""
        size = min(self._get_int_param("MaxItems", ZONES), ZONES)
        zones = sorted(self.backend.zones.values(), key=_place)
        if name := self._get_param("DNSName"):
            start = order_of((normal_name(name), "", self._get_param("HostedZoneId") or ""))
            zones = [z for z in zones if _place(z) >= start]
        page, rest = zones[:size], zones[size:]
        result: dict[str, Any] = {"HostedZones": page, "IsTruncated": bool(rest), "MaxItems": str(size)}
        result |= {"DNSName": normal_name(name)} if name else {}
        if rest:
            result |= {"NextDNSName": rest[0].name, "NextHostedZoneId": rest[0].resource_id}
        return ActionResult(result)

    def list_tags_for_resources(self: Any) -> ActionResult:
        """Return the tags of at most ten zones or health checks."""
        kind, identifiers = self._get_param("ResourceType"), self._get_param("ResourceIds") or []
        if not 1 <= len(identifiers) <= TAGGED:
            raise invalid_input(
                "1 validation error detected: 'resourceIds' failed to satisfy constraint: Member must have"
                f" length less than or equal to {TAGGED}"
            )
        for identifier in identifiers:
            _check_tagged(self, kind, identifier)
        return ActionResult(
            {"ResourceTagSets": self.backend.list_tags_for_resources(kind, list(identifiers))}
        )

    def change_tags_for_resource(self: Any) -> ActionResult:
        """Add and remove tags, within the bounds of a call and of a resource."""
        kind, identifier = self._get_param("ResourceType"), self._get_param("ResourceId")
        _check_tagged(self, kind, identifier)
        added = {t["Key"]: t.get("Value", "") for t in self._get_param("AddTags") or []}
        removed = self._get_param("RemoveTagKeys") or []
        if not (added or removed) or len(added) > TAGGED or len(removed) > TAGGED:
            raise invalid_input(f"A request adds and removes at least one and at most {TAGGED} tags each")
        if wrong := [k for k, v in added.items() if not 1 <= len(k) <= 128 or len(v) > 256]:
            raise invalid_input(f"Tag {wrong[0][:40]}: a key has at most 128 characters, a value at most 256")
        tags = dict(self.backend.resource_tags[identifier])
        tags = {k: v for k, v in tags.items() if k not in removed} | added
        if len(tags) > TAGS:
            raise invalid_input(f"A resource has at most {TAGS} tags")
        self.backend.resource_tags[identifier] = tags
        return EmptyResult()


def _check_tagged(response: Any, kind: str, identifier: str) -> None:
    if kind == "hostedzone":
        if "/" in identifier:
            raise invalid_input(f"Value '{identifier}' at 'resourceId' is an id without its path")
        _zone(response, identifier)
    elif identifier not in response.backend.health_checks:
        raise AwsError("NoSuchHealthCheck", f"A health check with id {identifier} does not exist.", 404)


def _place(zone: Any) -> Any:
    return order_of((normal_name(zone.name), "", zone.resource_id))


_MOTO: Final[dict[str, Any]] = {}
"""Moto's own operations that are still used, by name."""


def _with_change(response: Any, operation: str) -> Any:
    """Let moto do it, and answer with a change of its own."""
    result = _MOTO[operation](response).result
    return ActionResult({**result, "ChangeInfo": _state(response).submit(response._get_param("Comment"))})


def install() -> None:
    """Put these operations in the place of moto's."""
    for name in (
        *("create_hosted_zone", "associate_vpc_with_hosted_zone"),
        "disassociate_vpc_from_hosted_zone",
    ):
        _MOTO.setdefault(name, getattr(Route53, name))
    patch(Route53, **operations(Changes), **operations(Zones))
    patch(HostedZoneIdentifier, generate=lambda *_, **__: _new_id("Z"))
    patch(FakeZone, resource_record_set_count=property(lambda zone: len(records_of(zone))))


def tick(now: datetime) -> None:
    """Nothing to do: a change tells by itself whether it is in sync."""
