"""Records of every routing policy: declared, changed, taken away; each time the next plan is empty."""

from typing import Any

import pytest

from tests.product import Product
from tests.wire.company import base, zone

pytestmark = pytest.mark.wire

ALIAS = "alias: {name: lb-1.eu-west-1.elb.amazonaws.com., zone: Z32O12XQLNTSW2, evaluateHealth: %s}"
POLICIES = {
    "simple": (
        "{name: www, type: A, ttl: 60, values: [192.0.2.1]}",
        "{name: www, type: A, ttl: 90, values: [192.0.2.1, 192.0.2.2]}",
    ),
    "alias": ("{name: www, type: A, %s}" % (ALIAS % "false"), "{name: www, type: A, %s}" % (ALIAS % "true")),
    "alias to values": (
        "{name: www, type: A, %s}" % (ALIAS % "false"),
        "{name: www, type: A, ttl: 60, values: [192.0.2.1]}",
    ),
    "address to other name": (
        "{name: www, type: A, ttl: 60, values: [192.0.2.1]}",
        "{name: www, type: CNAME, ttl: 60, values: [www.example.net.]}",
    ),
    "weighted": (
        (
            "{name: www, type: A, ttl: 60, weighted: [{id: a, weight: 60, values: [192.0.2.1]},"
            " {id: b, weight: 40, values: [192.0.2.2]}]}"
        ),
        (
            "{name: www, type: A, ttl: 60, weighted: [{id: a, weight: 10, values: [192.0.2.1]},"
            " {id: c, weight: 90, values: [192.0.2.3]}]}"
        ),
    ),
    "failover": (
        (
            "{name: www, type: A, ttl: 60, failover: [{id: a, role: primary, values: [192.0.2.1]},"
            " {id: b, role: secondary, values: [192.0.2.2]}]}"
        ),
        (
            "{name: www, type: A, ttl: 60, failover: [{id: a, role: secondary, values: [192.0.2.1]},"
            " {id: b, role: primary, values: [192.0.2.2]}]}"
        ),
    ),
    "latency": (
        "{name: www, type: A, ttl: 60, latency: [{id: a, region: eu-west-1, values: [192.0.2.1]}]}",
        (
            "{name: www, type: A, ttl: 60, latency: [{id: a, region: us-east-1, values: [192.0.2.1]},"
            " {id: b, region: eu-west-1, values: [192.0.2.2]}]}"
        ),
    ),
    "geo": (
        (
            '{name: www, type: A, ttl: 60, geo: [{id: a, country: KR, values: [192.0.2.1]}, {id: b, country: "*",'
            " values: [192.0.2.2]}]}"
        ),
        (
            '{name: www, type: A, ttl: 60, geo: [{id: a, country: JP, values: [192.0.2.1]}, {id: b, country: "*",'
            " values: [192.0.2.3]}]}"
        ),
    ),
    "multivalue": (
        "{name: www, type: A, ttl: 60, multivalue: [{id: a, values: [192.0.2.1]}, {id: b, values: [192.0.2.2]}]}",
        "{name: www, type: A, ttl: 60, multivalue: [{id: a, values: [192.0.2.4]}, {id: c, values: [192.0.2.3]}]}",
    ),
    "one policy to another": (
        "{name: www, type: A, ttl: 60, weighted: [{id: a, weight: 60, values: [192.0.2.1]}]}",
        "{name: www, type: A, ttl: 60, latency: [{id: a, region: eu-west-1, values: [192.0.2.1]}]}",
    ),
    "text of odd letters": (
        """{name: www, type: TXT, ttl: 60, values: ['say "a\\b" %s']}""" % ("x" * 300),
        "{name: www, type: TXT, ttl: 60, values: [one, two]}",
    ),
    "mail": (
        '{name: "@", type: MX, ttl: 60, values: ["10 mail.example.com."]}',
        '{name: "@", type: MX, ttl: 60, values: ["10 MAIL.example.com.", "20 b.example.com."]}',
    ),
    "any name": (
        '{name: "*", type: CNAME, ttl: 60, values: [www.example.com.]}',
        '{name: "*.shop", type: CNAME, ttl: 60, values: [www.example.com.]}',
    ),
}
KEPT = "{name: kept, type: A, ttl: 60, values: [192.0.2.99]}"


@pytest.mark.parametrize("whole", [False, True], ids=["declared", "whole"])
def test_records_are_made_changed_and_taken_away_and_each_time_the_next_plan_is_empty(
    product: Product, whole: bool
) -> None:
    more = "authority: whole" if whole else ""
    target = base(target="limits: {dnsChanges: 100%, dnsDeletes: 100%}")
    product.commit({"target.yaml": target, "zone.yaml": zone(f"[{KEPT}]", more)})
    product.settle()
    untouched = records(product)
    for side in (0, 1, 0):
        lines = [f"\n    - {named(n, pair[side])}" for n, pair in enumerate(POLICIES.values())]
        product.commit({"zone.yaml": zone("".join([*lines, f"\n    - {KEPT}"]), more)})
        (item,) = (i for i in product.plan().items if i.kind == "Zone")
        assert str(item.action) == "update"
        product.settle()
        there = {r["Name"] for r in records(product)}
        assert there >= {f"www-{n}.example.com." for n, p in enumerate(POLICIES.values()) if "www," in p[0]}
    product.commit({"zone.yaml": zone(f"[{KEPT}]", more)})
    product.settle()
    assert records(product) == untouched


def named(n: int, record: str) -> str:
    """Return a record under a name of its own."""
    return record.replace("name: www,", f"name: www-{n},")


def records(product: Product) -> list[dict[str, Any]]:
    """Return all records of the zone."""
    client = product.aws.client("route53")
    zone_id = client.list_hosted_zones()["HostedZones"][0]["Id"]
    return list(client.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"])
