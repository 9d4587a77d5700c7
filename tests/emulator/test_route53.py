"""Route 53 as the overlay answers it: exact, atomic, paged, and in sync only after a while."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulated import Emulated

pytestmark = pytest.mark.wire


def values(*texts: str) -> list[dict[str, str]]:
    return [{"Value": t} for t in texts]


def record(name: str = "a.example.com", kind: str = "A", *texts: str, **more: Any) -> dict[str, Any]:
    plain = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": values(*(texts or ("192.0.2.1",)))}
    return {k: v for k, v in (plain | more).items() if v is not None}


def weighted(identifier: str, weight: int, name: str = "w.example.com", **more: Any) -> dict[str, Any]:
    return record(name, SetIdentifier=identifier, Weight=weight, **more)


def zone(aws: Emulated, name: str = "example.com", **more: Any) -> str:
    made = aws.client("route53").create_hosted_zone(Name=name, CallerReference=f"{name}{more}", **more)
    return str(made["HostedZone"]["Id"]).rpartition("/")[2]


def change(aws: Emulated, zone_id: str, *pairs: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    changes = [{"Action": action, "ResourceRecordSet": raw} for action, raw in pairs]
    answer = aws.client("route53").change_resource_record_sets(
        HostedZoneId=zone_id, ChangeBatch={"Changes": changes}
    )
    return dict(answer["ChangeInfo"])


def listed(aws: Emulated, zone_id: str, **start: str) -> list[dict[str, Any]]:
    page = aws.client("route53").list_resource_record_sets(HostedZoneId=zone_id, **start)
    return [r for r in page["ResourceRecordSets"] if r["Type"] not in ("NS", "SOA")]


FULL = [
    record("full.example.com", "TXT", '"one"', '"two"'),
    record("alias.example.com", "A", TTL=None, ResourceRecords=None)
    | {
        "AliasTarget": {
            "HostedZoneId": "Z32O12XQLNTSW2",
            "DNSName": "lb-1.eu-west-1.elb.amazonaws.com.",
            "EvaluateTargetHealth": True,
        }
    },
    weighted("blue", 0),
    record("l.example.com", SetIdentifier="dublin", Region="eu-west-1"),
    record("f.example.com", SetIdentifier="here", Failover="PRIMARY"),
    record("g.example.com", SetIdentifier="ie", GeoLocation={"CountryCode": "IE"}),
    record("m.example.com", SetIdentifier="a", MultiValueAnswer=True),
    record(
        "c.example.com",
        SetIdentifier="x",
        CidrRoutingConfig={"CollectionId": "01234567-0123-0123-0123-012345678901", "LocationName": "*"},
    ),
    record("p.example.com", SetIdentifier="x", GeoProximityLocation={"AWSRegion": "eu-west-1", "Bias": 5}),
]


def test_every_field_comes_back_and_the_record_that_came_back_deletes_itself(aws: Emulated) -> None:
    zone_id = zone(aws)
    change(aws, zone_id, *(("CREATE", r) for r in FULL))
    there = listed(aws, zone_id)
    assert {r["Name"]: r for r in there} == {f"{r['Name']}.": r | {"Name": f"{r['Name']}."} for r in FULL}
    change(aws, zone_id, *(("DELETE", r) for r in there))
    assert listed(aws, zone_id) == []


REFUSED = [
    ("exists", [("CREATE", record())], "it already exists"),
    ("other value", [("CREATE", record("a.example.com", "A", "192.0.2.9"))], "it already exists"),
    ("gone", [("DELETE", record("b.example.com"))], "it was not found"),
    ("deleted twice", [("DELETE", record()), ("DELETE", record())], "invalid set of changes"),
    ("upserted twice", [("UPSERT", record()), ("UPSERT", record())], "invalid set of changes"),
    ("wrong value", [("DELETE", record("a.example.com", "A", "192.0.2.2"))], "do not match"),
    ("wrong ttl", [("DELETE", record(TTL=61))], "do not match"),
    ("wrong weight", [("DELETE", weighted("blue", 6))], "do not match"),
    ("wrong id", [("DELETE", weighted("red", 5))], "it was not found"),
    ("out of the zone", [("CREATE", record("a.example.org"))], "not permitted in zone example.com."),
    ("suffix alone", [("CREATE", record("a.badexample.com"))], "not permitted in zone example.com."),
    ("cname beside", [("CREATE", record("a.example.com", "CNAME", "x.example.org"))], "conflicts with other"),
    ("cname at apex", [("CREATE", record("example.com", "CNAME", "x.example.org"))], "at apex"),
    ("two cnames", [("CREATE", record("z.example.com", "CNAME", "x.a", "y.a"))], "it may have one"),
    ("simple beside weighted", [("CREATE", record("w.example.com"))], "other RRSets exist"),
    (
        "latency beside weighted",
        [("CREATE", record("w.example.com", SetIdentifier="x", Region="eu-west-1"))],
        "cannot be created as a non-latency set exists with the same name and type",
    ),
    ("another ttl", [("CREATE", weighted("red", 1, TTL=300))], "must contain the same TTL"),
    ("no address", [("CREATE", record("z.example.com", "A", "1.2.3"))], "not a valid IPv4 address"),
    ("no quotes", [("CREATE", record("z.example.com", "TXT", "word"))], "quotation marks"),
    ("the last ns", [("DELETE", record("example.com", "NS", "ns.example.org."))], "do not match"),
    (
        "no such alias target",
        [
            (
                "CREATE",
                record("z.example.com", TTL=None, ResourceRecords=None)
                | {
                    "AliasTarget": {
                        "HostedZoneId": "Z1",
                        "DNSName": "nothing.example.com",
                        "EvaluateTargetHealth": False,
                    }
                },
            )
        ],
        "that target was not found",
    ),
]


@pytest.mark.parametrize(("pairs", "says"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_a_batch_with_one_bad_change_is_refused_whole(
    aws: Emulated, pairs: list[tuple[str, dict[str, Any]]], says: str
) -> None:
    zone_id = zone(aws)
    change(aws, zone_id, ("CREATE", record()), ("CREATE", weighted("blue", 5)))
    before = listed(aws, zone_id)
    with pytest.raises(ClientError, match=r"InvalidChangeBatch.*\[") as error:
        change(aws, zone_id, ("CREATE", record("first.example.com")), *pairs)
    assert says in str(error.value)
    assert listed(aws, zone_id) == before


BAD_INPUT = [
    ("weight 256", weighted("blue", 256), "between 0 and 255"),
    ("no ttl", record(TTL=None), "but found none"),
    ("no identifier", record(Weight=1), "Missing field 'SetIdentifier'"),
    ("no policy", record(SetIdentifier="x"), "but found none"),
    ("two policies", weighted("x", 1, Region="eu-west-1"), "but found more than one"),
]


@pytest.mark.parametrize(("raw", "says"), [b[1:] for b in BAD_INPUT], ids=[b[0] for b in BAD_INPUT])
def test_a_record_that_could_be_nowhere_is_invalid_input(
    aws: Emulated, raw: dict[str, Any], says: str
) -> None:
    with pytest.raises(ClientError, match="InvalidInput") as error:
        change(aws, zone(aws), ("CREATE", raw))
    assert says in str(error.value)


def test_a_delete_touches_its_own_name_type_and_identifier_alone(aws: Emulated) -> None:
    zone_id = zone(aws)
    six = weighted("blue", 1, Type="AAAA", ResourceRecords=values("2001:db8::1"))
    others = [weighted("blue", 1, "v.example.com"), weighted("green", 1), six]
    change(aws, zone_id, *(("CREATE", r) for r in (weighted("blue", 1), *others)))
    change(aws, zone_id, ("DELETE", weighted("blue", 1)))
    left = {(r["Name"], r["Type"], r["SetIdentifier"]) for r in listed(aws, zone_id)}
    assert left == {(f"{r['Name']}.", r["Type"], r["SetIdentifier"]) for r in others}


def test_what_was_read_is_replaced_in_one_batch_and_a_stale_reader_is_refused(aws: Emulated) -> None:
    zone_id = zone(aws)
    change(aws, zone_id, ("CREATE", weighted("blue", 100)), ("CREATE", weighted("green", 0)))
    swap = [
        ("DELETE", weighted("blue", 100)),
        ("CREATE", weighted("blue", 0)),
        ("DELETE", weighted("green", 0)),
        ("CREATE", weighted("green", 100)),
    ]
    change(aws, zone_id, *swap)
    assert [r["Weight"] for r in listed(aws, zone_id)] == [0, 100]
    with pytest.raises(ClientError, match="do not match the current values"):
        change(aws, zone_id, *swap)


def test_one_batch_moves_a_whole_set_to_another_ttl_and_another_policy(aws: Emulated) -> None:
    zone_id = zone(aws)
    change(aws, zone_id, ("CREATE", weighted("a", 1)), ("CREATE", weighted("b", 1)))
    change(aws, zone_id, ("UPSERT", weighted("a", 1, TTL=5)), ("UPSERT", weighted("b", 1, TTL=5)))
    assert [r["TTL"] for r in listed(aws, zone_id)] == [5, 5]
    gone = [("DELETE", weighted(i, 1, TTL=5)) for i in ("a", "b")]
    change(aws, zone_id, *gone, ("CREATE", record("w.example.com")))
    assert [r.get("Weight") for r in listed(aws, zone_id)] == [None]


def test_each_change_has_its_own_id_and_is_in_sync_after_the_delay(aws: Emulated) -> None:
    aws.control.physics(insync=30)
    client, zone_id = aws.client("route53"), zone(aws)
    first = change(aws, zone_id, ("CREATE", record()))
    aws.control.advance(timedelta(seconds=20))
    second = change(aws, zone_id, ("UPSERT", record(TTL=5)))
    assert first["Id"] != second["Id"]
    assert first["Status"] == second["Status"] == "PENDING"
    aws.control.advance(timedelta(seconds=10))
    states = [client.get_change(Id=c["Id"])["ChangeInfo"]["Status"] for c in (first, second)]
    assert states == ["INSYNC", "PENDING"]
    with pytest.raises(ClientError, match="NoSuchChange"):
        client.get_change(Id="C0123456789")


def test_a_zone_that_is_busy_says_so_and_changes_nothing(aws: Emulated) -> None:
    zone_id = zone(aws)
    aws.control.fault(
        "error", operation="ChangeResourceRecordSets", match=zone_id, code="PriorRequestNotComplete"
    )
    with pytest.raises(aws.client("route53").exceptions.PriorRequestNotComplete):
        change(aws, zone_id, ("CREATE", record()))
    assert listed(aws, zone_id) == []
    change(aws, zone_id, ("CREATE", record()))


def test_names_are_stored_in_lower_case_with_other_signs_escaped(aws: Emulated) -> None:
    zone_id = zone(aws, "Example.COM")
    change(aws, zone_id, ("CREATE", record("*.Shop.example.com")))
    change(aws, zone_id, ("UPSERT", record("\\052.shop.EXAMPLE.com.", TTL=7)))
    there = listed(aws, zone_id, StartRecordName="*.shop.example.com", StartRecordType="A")
    assert [(r["Name"], r["TTL"]) for r in there] == [("\\052.shop.example.com.", 7)]
    assert aws.client("route53").get_hosted_zone(Id=zone_id)["HostedZone"]["Name"] == "example.com."


def test_every_record_is_listed_once_however_many_share_a_name(aws: Emulated) -> None:
    zone_id, client = zone(aws), aws.client("route53")
    for start in range(0, 320, 160):
        change(aws, zone_id, *(("CREATE", weighted(f"{n:03}", 1)) for n in range(start, start + 160)))
    page = client.list_resource_record_sets(HostedZoneId=zone_id, MaxItems="1000")
    assert len(page["ResourceRecordSets"]) == 300
    assert (page["NextRecordName"], page["NextRecordIdentifier"]) == ("w.example.com.", "298")
    pages = client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id)
    seen = [r.get("SetIdentifier") for p in pages for r in p["ResourceRecordSets"]]
    assert seen == [None, None, *(f"{n:03}" for n in range(320))]


def test_zones_are_paged_and_a_private_one_tells_its_vpcs(aws: Emulated) -> None:
    client = aws.client("route53")
    vpc = {"VPCRegion": "eu-west-1", "VPCId": "vpc-1"}
    private = zone(aws, VPC=vpc, HostedZoneConfig={"PrivateZone": True, "Comment": ""})
    made = {private, *(zone(aws, f"z{n}.example.com") for n in range(4))}
    pages = client.get_paginator("list_hosted_zones").paginate(PaginationConfig={"PageSize": 2})
    seen = [[z["Id"].rpartition("/")[2] for z in p["HostedZones"]] for p in pages]
    assert [len(p) for p in seen] == [2, 2, 1]
    assert {z for p in seen for z in p} == made
    only = client.list_hosted_zones(HostedZoneType="PrivateHostedZone")["HostedZones"]
    assert [(z["Id"].rpartition("/")[2], z["Config"]["PrivateZone"]) for z in only] == [(private, True)]
    assert client.get_hosted_zone(Id=private)["VPCs"] == [vpc]
    with pytest.raises(ClientError, match="HostedZoneAlreadyExists"):
        client.create_hosted_zone(Name="z1.example.com", CallerReference="z1.example.com{}")


def test_a_zone_with_records_is_not_deleted(aws: Emulated) -> None:
    zone_id, client = zone(aws), aws.client("route53")
    change(aws, zone_id, ("CREATE", record()))
    with pytest.raises(ClientError, match="HostedZoneNotEmpty"):
        client.delete_hosted_zone(Id=zone_id)
    change(aws, zone_id, ("DELETE", record()))
    client.delete_hosted_zone(Id=zone_id)
    with pytest.raises(ClientError, match="NoSuchHostedZone"):
        client.list_resource_record_sets(HostedZoneId=zone_id)


def test_zone_tags_are_put_dropped_and_read_ten_at_a_time(aws: Emulated) -> None:
    client = aws.client("route53")
    ids = [zone(aws, f"z{n}.example.com") for n in range(11)]
    tags = [{"Key": "owner", "Value": "shop"}, {"Key": "old", "Value": ""}]
    client.change_tags_for_resource(ResourceType="hostedzone", ResourceId=ids[0], AddTags=tags)
    client.change_tags_for_resource(ResourceType="hostedzone", ResourceId=ids[0], RemoveTagKeys=["old"])
    sets = client.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=ids[:10])
    assert {s["ResourceId"]: s["Tags"] for s in sets["ResourceTagSets"]} == {
        ids[0]: tags[:1],
        **{i: [] for i in ids[1:10]},
    }
    with pytest.raises(ClientError, match="InvalidInput"):
        client.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=ids)
    with pytest.raises(ClientError, match="NoSuchHostedZone"):
        client.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=["Z0"])
