"""Record sets of one hosted zone, and what Route 53 makes of a batch of changes: all of it or an error.

A record is kept as the API describes it. Sources: the API reference of ChangeResourceRecordSets and
"DNS domain name format" in the developer guide; the messages are those that people report.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from string import ascii_lowercase, digits
from typing import Any, Final

from emulator.errors import AwsError

Record = dict[str, Any]
Key = tuple[str, str, str]
"""Name, type, set identifier (empty for a simple record)."""

ELEMENTS: Final = 1000  # values in one batch; those of an UPSERT count twice
CHARACTERS: Final = 32_000  # in all values of a batch; those of an UPSERT count twice
_PLAIN: Final = frozenset(ascii_lowercase + digits + "-_")
_POLICIES: Final = (
    *("Weight", "Region", "Failover", "GeoLocation", "MultiValueAnswer"),
    *("CidrRoutingConfig", "GeoProximityLocation"),
)
_TARGETS: Final = "[AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]"


def invalid_batch(message: str) -> AwsError:
    """Return the error of a batch that can't be applied to what is there."""
    return AwsError("InvalidChangeBatch", f"[{message}]")


def invalid_input(message: str) -> AwsError:
    """Return the error of a request that could be applied to nothing."""
    return AwsError("InvalidInput", message)


def normal_name(name: str) -> str:
    r"""Return a name as Route 53 stores it: lower case, a dot at the end, `*` and others as `\052`."""
    out, n = [], 0
    text = name.rstrip(".").lower()
    while n < len(text):
        char = text[n]
        if char == "\\" and text[n + 1 : n + 4].isdigit():
            out.append(text[n : n + 4])
            n += 4
            continue
        out.append(char if char in _PLAIN or char == "." else f"\\{ord(char):03o}")
        n += 1
    return "".join(out) + "."


def key_of(record: Record) -> Key:
    """Return what Route 53 identifies a record set by."""
    return record["Name"], record["Type"], record.get("SetIdentifier", "")


def order_of(key: Key) -> tuple[tuple[str, ...], str, str]:
    """Return the place of a record in a list: by name with the labels reversed, type, identifier."""
    return tuple(reversed(key[0].rstrip(".").split("."))), key[1], key[2]


def normal(raw: Mapping[str, Any]) -> Record:
    """Return a record set as the list shows it."""
    record = {k: v for k, v in raw.items() if v not in (None, "", [])}
    record["Name"] = normal_name(raw["Name"])
    if alias := record.get("AliasTarget"):
        record["AliasTarget"] = {
            **alias,
            "DNSName": normal_name(alias["DNSName"]),
            "EvaluateTargetHealth": bool(alias.get("EvaluateTargetHealth")),
        }
    if values := record.get("ResourceRecords"):
        record["ResourceRecords"] = [dict(v) for v in values]
    return record


def apply(
    zone: str, records: Mapping[Key, Record], changes: Sequence[Mapping[str, Any]]
) -> dict[Key, Record]:
    """Return the records as they are after a batch.

    Raises: AwsError, InvalidInput or InvalidChangeBatch, in which case nothing is to change.
    """
    _check_size(changes)
    wanted = [(str(c["Action"]), normal(c["ResourceRecordSet"])) for c in changes]
    for action, record in wanted:
        _check_form(action, record)
        if action != "DELETE":
            _check_values(record)
        if record["Name"] != zone and not record["Name"].endswith(f".{zone}"):
            raise invalid_batch(f"RRSet with DNS name {record['Name']} is not permitted in zone {zone}")
    _check_repeats(wanted)
    after = dict(records)
    for action, record in wanted:
        _apply_one(after, action, record)
    _check_apex(zone, after)
    for name in {r["Name"] for _, r in wanted}:
        _check_name(zone, name, [r for r in after.values() if r["Name"] == name])
    _check_aliases(zone, after, [r for a, r in wanted if a != "DELETE"])
    return after


def _check_size(changes: Sequence[Mapping[str, Any]]) -> None:
    elements = characters = 0
    for change in changes:
        values = change["ResourceRecordSet"].get("ResourceRecords") or []
        times = 2 if change["Action"] == "UPSERT" else 1
        elements += times * len(values)
        characters += times * sum(len(v["Value"]) for v in values)
    if elements > ELEMENTS:
        raise invalid_batch(f"Number of records limit of {ELEMENTS} exceeded.")
    if characters > CHARACTERS:
        raise invalid_batch(f"Number of characters limit of {CHARACTERS} exceeded.")


def _in_change(action: str, record: Record) -> str:
    identifier = record.get("SetIdentifier", "null")
    return (
        f"Change with [Action={action}, Name={record['Name']}, Type={record['Type']},"
        f" SetIdentifier={identifier}]"
    )


def _check_form(action: str, record: Record) -> None:
    if action not in ("CREATE", "DELETE", "UPSERT"):
        raise invalid_input(f"Invalid request: '{action}' is none of [CREATE, DELETE, UPSERT]")
    where = _in_change(action, record)
    values = "TTL" in record and "ResourceRecords" in record
    targets = (values, "AliasTarget" in record, "TrafficPolicyInstanceId" in record)
    if sum(targets) != 1:
        found = "none" if not any(targets) else "more than one"
        raise invalid_input(
            f"Invalid request: Expected exactly one of {_TARGETS}, but found {found} in {where}"
        )
    policies = [p for p in _POLICIES if record.get(p) is not None and record.get(p) is not False]
    if policies and "SetIdentifier" not in record:
        raise invalid_input(f"Invalid request: Missing field 'SetIdentifier' in {where}")
    if len(policies) > 1 or ("SetIdentifier" in record and not policies):
        found = "more than one" if policies else "none"
        raise invalid_input(
            f"Invalid request: Expected exactly one of [{', '.join(_POLICIES)}], but found {found} in {where}"
        )
    _check_bounds(record)


def _check_bounds(record: Record) -> None:
    for field, most in (("Weight", 255), ("TTL", 2_147_483_647)):
        value = record.get(field)
        if value is not None and not 0 <= int(value) <= most:
            raise invalid_input(
                f"1 validation error detected: Value '{value}' at"
                f" 'changeBatch.changes.1.member.resourceRecordSet.{field.lower()}' failed to satisfy"
                f" constraint: Member must have value between 0 and {most}"
            )
    if len(record.get("SetIdentifier", "")) > 128:
        raise invalid_input("1 validation error detected: SetIdentifier must have length 128 or less")


def _is_address(kind: type[IPv4Address | IPv6Address]) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        try:
            kind(value)
        except AddressValueError:
            return False
        return True

    return check


def _is_quoted(value: str) -> bool:
    return len(value) >= 2 and value.startswith('"') and value.endswith('"')


_VALUES: Final[Mapping[str, tuple[Callable[[str], bool], str]]] = {
    "A": (_is_address(IPv4Address), "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"),
    "AAAA": (_is_address(IPv6Address), "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"),
    "TXT": (_is_quoted, "InvalidCharacterString (Value should be enclosed in quotation marks)"),
    "SPF": (_is_quoted, "InvalidCharacterString (Value should be enclosed in quotation marks)"),
    "MX": (lambda v: len(v.split()) == 2, "MXRRDATANotTwoFields (Value should be a priority and a name)"),
    "SRV": (lambda v: len(v.split()) == 4, "SRVRRDATANotFourFields (Value should be four fields)"),
    "CAA": (
        lambda v: len(v.split(maxsplit=2)) == 3,
        "CAARRDATANotThreeFields (Value should be three fields)",
    ),
}


def _check_values(record: Record) -> None:
    values = [v["Value"] for v in record.get("ResourceRecords", [])]
    check, problem = _VALUES.get(record["Type"], (None, ""))
    for value in values:
        if check and not check(value):
            raise invalid_batch(
                f"Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"
            )
    if repeated := [v for v, n in Counter(values).items() if n > 1]:
        raise invalid_batch(f"Duplicate Resource Record: '{repeated[0]}'")
    if record["Type"] == "CNAME" and len(values) > 1:
        raise invalid_batch(f"CNAME record set {record['Name']} has {len(values)} values; it may have one")


def _check_repeats(wanted: Iterable[tuple[str, Record]]) -> None:
    """A record set may stand twice in a batch only to be deleted and then created."""
    actions: dict[Key, list[str]] = {}
    for action, record in wanted:
        actions.setdefault(key_of(record), []).append(action)
    for (name, kind, _), seen in actions.items():
        if len(seen) > 1 and seen not in (["DELETE", "CREATE"], ["DELETE", "UPSERT"]):
            raise invalid_batch(
                f"The request contains an invalid set of changes for a resource record set '{kind} {name}'"
            )


def _named(record: Record) -> str:
    identifier = f", set identifier='{record['SetIdentifier']}'" if "SetIdentifier" in record else ""
    return f"resource record set [name='{record['Name']}', type='{record['Type']}'{identifier}]"


def _apply_one(after: dict[Key, Record], action: str, record: Record) -> None:
    key = key_of(record)
    there = after.get(key)
    if action == "DELETE":
        if there is None:
            raise invalid_batch(f"Tried to delete {_named(record)} but it was not found")
        if _comparable(there) != _comparable(record):
            raise invalid_batch(
                f"Tried to delete {_named(record)} but the values provided do not match the current values"
            )
        del after[key]
        return
    if action == "CREATE" and there is not None:
        raise invalid_batch(f"Tried to create {_named(record)} but it already exists")
    after[key] = record


def _comparable(record: Record) -> dict[str, Any]:
    values = sorted(v["Value"] for v in record.get("ResourceRecords", []))
    return {**record, "ResourceRecords": values}


def _check_apex(zone: str, after: Mapping[Key, Record]) -> None:
    if (zone, "NS", "") not in after:
        raise invalid_batch("A HostedZone must contain at least one NS record for the zone itself.")
    if (zone, "SOA", "") not in after:
        raise invalid_batch("A HostedZone must contain exactly one SOA record.")


def _check_name(zone: str, name: str, records: Sequence[Record]) -> None:
    types = {r["Type"] for r in records}
    if "CNAME" in types and name == zone:
        raise invalid_batch(
            f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone}"
        )
    if "CNAME" in types and len(types) > 1:
        raise invalid_batch(
            f"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other records"
            f" with the same DNS name in zone {zone}"
        )
    for kind in types:
        _check_set([r for r in records if r["Type"] == kind])


def _policy(record: Record) -> str:
    return next((p for p in _POLICIES if record.get(p) is not None and record.get(p) is not False), "")


def _check_set(records: Sequence[Record]) -> None:
    """Check the record sets of one name and type: one routing policy, and what each policy asks."""
    last = records[-1]
    name = f"RRSet with DNS name {last['Name']}, type {last['Type']}"
    if identifier := last.get("SetIdentifier"):
        name += f", SetIdentifier {identifier}"
    policies = {_policy(r) for r in records}
    if len(policies) > 1:
        if policies - {""} == {"Weight"} and not _policy(last):
            raise invalid_batch(
                f"{name} cannot be created as other RRSets exist with the same name and type."
            )
        kind = {"Weight": "weighted", "Region": "latency"}.get(_policy(last), _policy(last) or "simple")
        raise invalid_batch(
            f"{name} cannot be created as a non-{kind.lower()} set exists with the same name and type."
        )
    policy = policies.pop()
    if policy == "Weight" and len({r["TTL"] for r in records if "TTL" in r}) > 1:
        raise invalid_batch(f"{name} cannot be created as weighted sets must contain the same TTL.")
    if policy in ("Region", "Failover", "GeoLocation"):
        seen = Counter(str(r[policy]) for r in records)
        if twice := [value for value, n in seen.items() if n > 1]:
            raise invalid_batch(
                f"{name}, cannot be created as another RRSet exists with the same name, type and {policy}"
                f" {twice[0]}."
            )


def _check_aliases(zone: str, after: Mapping[Key, Record], written: Iterable[Record]) -> None:
    """An alias to a name of this zone needs a record of its type there."""
    there = {(r["Name"], r["Type"]) for r in after.values()}
    for record in written:
        alias = record.get("AliasTarget")
        if not alias or not (alias["DNSName"] == zone or alias["DNSName"].endswith(f".{zone}")):
            continue
        if (alias["DNSName"], record["Type"]) not in there:
            raise invalid_batch(
                f"Tried to create an alias that targets {alias['DNSName']}, type {record['Type']} in zone"
                f" {alias['HostedZoneId']}, but that target was not found"
            )
