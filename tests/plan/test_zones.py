"""Zones: every routing policy, take over, change and drift, pruning and marks."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.facts import Unread
from reconciler.core.ids import ZoneName
from reconciler.kinds.record.live import ZoneProblem
from reconciler.kinds.record.steps import Action, ChangeRecords, TagZone
from reconciler.kinds.record.want import Alias, RecordSet
from reconciler.plan.zones import applied_tag, writing_tag
from reconciler.strategies.wanted import Hold
from tests.plan.house import (
    IMAGE,
    TARGET,
    House,
    commit,
    fleet,
    item,
    live_zone,
    ops,
    with_records,
    zone,
)

WWW = "{name: www, type: A, ttl: 300, values: [192.0.2.1]}"
WWW_2 = "{name: www, type: A, ttl: 300, values: [192.0.2.2]}"
API = "{name: api, type: A, ttl: 300, values: [192.0.2.9]}"
POLICIES = {
    "simple": WWW,
    "alias": "{name: www, type: A, alias: {name: d1.cloudfront.net., zone: Z2FDTNDATAQYW2}}",
    "weighted": "{name: w, type: A, ttl: 60, weighted: [{id: a, weight: 1, values: [192.0.2.1]}, {id: b, weight: 2, values: [192.0.2.2], healthCheck: hc}]}",
    "failover": "{name: f, type: A, ttl: 60, failover: [{id: a, role: primary, values: [192.0.2.1]}, {id: b, role: secondary, values: [192.0.2.2]}]}",
    "latency": "{name: l, type: A, ttl: 60, latency: [{id: a, region: eu-west-1, values: [192.0.2.1]}]}",
    "geo": '{name: g, type: A, ttl: 60, geo: [{id: a, country: KR, values: [192.0.2.1]}, {id: b, country: "*", values: [192.0.2.2]}]}',
    "multivalue": "{name: m, type: A, ttl: 60, multivalue: [{id: a, values: [192.0.2.1]}, {id: b, values: [192.0.2.2]}]}",
    "text": "{name: t, type: TXT, ttl: 60, values: ['a \"quoted\" é']}",
}


def a(name: str = "www", value: str = "192.0.2.1", **members: object) -> RecordSet:
    given = {"ttl": 300, "values": (value,), "type": "A", **members}
    return RecordSet(name=f"{name}.example.com.", **given)


def house(*records: str, **members: str) -> House:
    return House().merge(TARGET, zone(f"[{', '.join(records)}]", **members))


def again(one: House, *records: str, **members: str) -> House:
    return one.merge(TARGET, zone(f"[{', '.join(records)}]", **members))


def changes(one: House) -> list[tuple[str, str, str]]:
    steps = item(one.plan(), "example-com", "Zone").now
    return [
        (c.action.value, c.record.name, c.record.type)
        for s in steps
        if isinstance(s, ChangeRecords)
        for c in s.changes
    ]


def zone_item(one: House):
    return item(one.plan(), "example-com", "Zone")


def names(one: House) -> set[str]:
    return {r.name.removesuffix(".example.com.") for r in live_zone(one.world).records}


@pytest.mark.parametrize("policy", POLICIES)
def test_records_of_each_policy_are_made_read_back_and_then_nothing_is_left_to_do(policy: str) -> None:
    one = house(POLICIES[policy])
    assert zone_item(one).action == "update"
    one.converge()
    assert zone_item(one).action == "none"
    assert not zone_item(one).now
    assert dict(live_zone(one.world).tags) == {applied_tag("shop"): commit(1)}
    again(one)
    assert zone_item(one).blocked.code == "limit"  # all declared records go only by approval


def test_an_equal_record_is_taken_over_without_a_write_of_records() -> None:
    one = house(WWW)
    one.world = with_records(one.world, a())
    assert ops(one.plan(), "example-com", "Zone") == ["tag-zone"]


def test_a_different_record_that_is_not_ours_is_a_conflict_until_take_over() -> None:
    one = house(WWW)
    one.world = with_records(one.world, a(value="198.51.100.7"))
    assert zone_item(one).blocked.code == "conflict"
    assert not zone_item(one).now
    again(one, WWW.replace("}", ", takeOver: true}"))
    one.converge()
    assert live_zone(one.world).records == (a(),)


def test_a_value_that_a_person_changed_is_drift_and_is_not_written_under_report() -> None:
    one = house(WWW).converge()
    one.world = with_records(one.world, a(value="198.51.100.7", ttl=60))
    plan = one.plan()
    assert {(r.field, r.want, r.live, r.heals) for r in plan.drift} == {
        ("values", "192.0.2.1", "198.51.100.7", False),
        ("ttl", "300", "60", False),
    }
    assert not zone_item(one).now
    assert zone_item(one).action == "none"


def test_drift_is_put_right_under_heal_and_is_no_change_of_the_plan() -> None:
    one = house(WWW, API, drift="heal").converge()
    digest = one.plan().digest
    one.world = with_records(one.world, a(value="198.51.100.7"))
    plan = one.plan()
    assert [r.heals for r in plan.drift] == [True]
    assert plan.digest == digest
    assert zone_item(one).action == "none"
    one.converge()
    assert a() in live_zone(one.world).records


def test_a_record_that_a_person_deleted_is_drift_and_comes_back_under_heal() -> None:
    one = house(WWW, API, drift="heal").converge()
    live = live_zone(one.world)
    one.world = replace(one.world, zones=(replace(live, records=tuple(r for r in live.records if r != a())),))
    assert [(r.field, r.live) for r in one.plan().drift] == [("record", "not there")]
    one.converge()
    assert a() in live_zone(one.world).records


def test_a_commit_writes_the_record_that_it_changed_and_not_the_one_that_drifted() -> None:
    one = house(WWW, API).converge()
    one.world = with_records(one.world, a("api", "198.51.100.7"))
    again(one, WWW_2, API)
    assert {c[1] for c in changes(one)} == {"www.example.com."}
    one.converge()
    assert a("api", "198.51.100.7") in live_zone(one.world).records


def test_a_record_of_a_half_written_commit_that_was_taken_back_is_a_change_and_no_drift() -> None:
    one = house(WWW).converge()
    again(one, WWW_2).apply()  # written, not read back
    again(one, WWW)
    assert ("CREATE", "www.example.com.", "A") in changes(one)
    assert not one.plan().drift
    one.converge()
    assert live_zone(one.world).records == (a(),)
    assert writing_tag("shop") not in dict(live_zone(one.world).tags)


def test_what_only_a_half_written_commit_declared_is_still_pruned() -> None:
    one = house(WWW, API).converge()
    again(one, WWW, API, API.replace("api", "temp")).apply()
    again(one, WWW, API).converge()
    assert names(one) == {"www", "api"}


def test_a_commit_that_does_not_change_the_zones_records_does_not_move_its_tags() -> None:
    one = house(WWW).converge()
    one.merge(TARGET, IMAGE, zone(f"[{WWW}]"))
    assert not zone_item(one).now
    assert dict(live_zone(one.world).tags) == {applied_tag("shop"): commit(1)}


def test_a_seventh_half_written_commit_waits() -> None:
    one = house(WWW).converge()
    six = [commit(k) for k in range(2, 8)]
    tags = ((applied_tag("shop"), commit(1)), (writing_tag("shop"), " ".join(six)))
    one.world = replace(one.world, zones=(replace(live_zone(one.world), tags=tags),))
    one.lost = frozenset(six)  # what they declared may be live
    for _ in range(6):
        again(one, WWW)
    again(one, WWW, API)
    assert "half written" in zone_item(one).wait.why
    assert not zone_item(one).now


def test_half_written_commits_that_explain_no_record_make_room_for_the_next() -> None:
    one = house(WWW).converge()
    for n in range(9):
        again(one, f"{{name: www, type: A, ttl: 300, values: [192.0.2.{n + 10}]}}").apply()
    one.converge()
    assert live_zone(one.world).records == (a(value="192.0.2.18"),)


def test_a_commit_that_cannot_be_read_stops_pruning_and_says_so() -> None:
    one = house(WWW, API).converge()
    one.lost = frozenset({commit(1)})
    again(one, WWW, "{name: new, type: A, ttl: 60, values: [192.0.2.5]}")
    assert changes(one) == [("CREATE", "new.example.com.", "A")]
    assert "can't be read, so nothing is pruned" in zone_item(one).notes[0]
    one.converge()
    assert names(one) == {"www", "api", "new"}
    one.lost = frozenset()
    one.converge()
    assert names(one) == {"www", "new"}


def test_records_of_a_commit_that_is_no_ancestor_block_the_zone() -> None:
    one = house(WWW, API).converge()
    one.foreign = frozenset({commit(1)})
    again(one, WWW)
    assert zone_item(one).blocked.code == "commit"
    assert not zone_item(one).now


def test_rewritten_history_prunes_nothing_and_still_writes_what_is_new() -> None:
    one = house(WWW, API).converge()
    one.pruning = Hold(code="history", why="history was rewritten")
    again(one, WWW, "{name: new, type: A, ttl: 60, values: [192.0.2.5]}").apply()
    assert names(one) == {"www", "api", "new"}


def test_one_ttl_of_a_set_changes_in_one_batch() -> None:
    one = house(POLICIES["weighted"]).converge()
    again(one, POLICIES["weighted"].replace("ttl: 60", "ttl: 30"))
    (batch,) = [s for s in zone_item(one).now if isinstance(s, ChangeRecords)]
    assert [c.action for c in batch.changes] == [Action.DELETE] * 2 + [Action.CREATE] * 2
    assert {c.record.ttl for c in batch.changes if c.action is Action.CREATE} == {30}


CONVERSIONS = {
    "from simple to weighted": (WWW, POLICIES["weighted"].replace("name: w,", "name: www,")),
    "from weighted to latency under the same ids": (
        POLICIES["weighted"],
        "{name: w, type: A, ttl: 60, latency: [{id: a, region: eu-west-1, values: [192.0.2.1]}]}",
    ),
    "from an address to a CNAME": (WWW, "{name: www, type: CNAME, ttl: 60, values: [x.example.net.]}"),
    "from a CNAME to an address": ("{name: www, type: CNAME, ttl: 60, values: [x.example.net.]}", WWW),
}


@pytest.mark.parametrize("case", CONVERSIONS)
def test_a_policy_or_type_is_converted_in_one_batch_deletions_first(case: str) -> None:
    before, after = CONVERSIONS[case]
    one = house(before, API).converge()
    again(one, after, API)
    (batch,) = [s for s in zone_item(one).now if isinstance(s, ChangeRecords)]
    words = [c.action for c in batch.changes]
    assert words == sorted(words, key=lambda w: w is not Action.DELETE)
    assert Action.DELETE in words
    one.converge()
    assert zone_item(one).action == "none"


IN_THE_WAY = {
    "another policy": (WWW, a(identifier="x", weight=1), "weighted"),
    "a CNAME at the name": (WWW, a(type="CNAME", value="x.example.net."), "no other type"),
    "another TTL in the set": (POLICIES["weighted"], a("w", identifier="x", weight=1, ttl=999), "one ttl"),
}


@pytest.mark.parametrize("case", IN_THE_WAY)
def test_a_foreign_record_that_route_53_lets_stand_beside_nothing_is_a_conflict(case: str) -> None:
    wanted, foreign, why = IN_THE_WAY[case]
    one = house(wanted)
    one.world = with_records(one.world, foreign)
    assert zone_item(one).blocked.code == "conflict"
    assert why in zone_item(one).blocked.why
    again(one, wanted[:-1] + ", takeOver: true}")
    one.converge()
    assert foreign not in live_zone(one.world).records


def test_a_foreign_record_in_a_set_of_ours_is_drift_and_is_never_touched() -> None:
    one = house(POLICIES["weighted"], drift="heal").converge()
    foreign = a("w", identifier="x", weight=1, ttl=60)
    one.world = with_records(one.world, foreign)
    (row,) = one.plan().drift
    assert (row.resource, row.field, row.want, row.heals) == (
        "record/w.example.com. A x",
        "record",
        "not there",
        False,
    )
    assert not zone_item(one).now


def test_whole_authority_reports_every_other_record_and_ends_it_under_heal() -> None:
    fleets_own = a(
        "shop",
        identifier="prod.shop-0123456789",
        weight=255,
        ttl=None,
        values=(),
        alias=Alias(name="x.", zone="Z", evaluate_health=True),
    )
    ns = RecordSet(name="example.com.", type="NS", ttl=1, values=("ns.example.net.",))
    soa = RecordSet(name="example.com.", type="SOA", ttl=1, values=("x",))
    one = house(WWW, authority="whole")
    one.world = with_records(one.world, a("other"), fleets_own, ns, soa)
    one.converge()
    assert [(r.resource, r.heals) for r in one.plan().drift] == [("record/other.example.com. A", False)]
    again(one, WWW, authority="whole", drift="heal").converge()
    assert set(live_zone(one.world).records) == {a(), fleets_own, ns, soa}


def test_whole_authority_does_not_heal_away_more_records_than_the_limit_of_deletions() -> None:
    one = house(WWW, authority="whole", drift="heal")
    one.world = with_records(one.world, *(a(f"hand{n}") for n in range(20)))
    one.converge()
    assert len(live_zone(one.world).records) == 21
    assert "limits.dnsDeletes lets 6" in zone_item(one).notes[-1]
    assert not any(r.heals for r in one.plan().drift)


def test_aliases_come_after_what_they_point_at_along_a_chain() -> None:
    one = house(
        "{name: a, type: A, alias: {name: b.example.com., zone: Z1}}",
        "{name: b, type: A, alias: {name: c.example.com., zone: Z1}}",
        "{name: c, type: A, ttl: 60, values: [192.0.2.1]}",
    )
    assert [c[1][0] for c in changes(one)] == ["c", "b", "a"]


def test_an_alias_to_a_fleet_waits_until_the_fleet_has_its_record_and_the_others_go_on() -> None:
    world_alias = (
        "{name: all, type: A, latency: [{id: x, region: eu-west-1, alias: {fleet: web, target: prod}}]}"
    )
    one = House().merge(TARGET, IMAGE, zone(f"[{WWW}, {world_alias}]"), fleet("web", "balancer"))
    assert {c[1] for c in changes(one)} == {"www.example.com."}
    assert "points at a name that has no record yet" in zone_item(one).wait.why
    one.converge()
    assert {"www", "web", "all"} == names(one)
    assert zone_item(one).action == "none"


def test_a_fleet_takes_over_a_declared_name_in_the_batch_that_gives_it_traffic() -> None:
    one = House().merge(TARGET, IMAGE, zone(f"[{WWW.replace('www', 'web')}, {API}]")).converge()
    one.merge(TARGET, IMAGE, zone(f"[{API}]"), fleet("web", "balancer"))
    answers = []
    for _ in range(30):
        plan = one.apply()
        answers.append([r for r in live_zone(one.world).records if r.name == "web.example.com."])
        waits = [i.wait.until for i in plan.items if i.wait and i.wait.until]
        one.wait(min(waits, default=one.world.as_of + timedelta(minutes=1)))
    assert all(len(x) == 1 for x in answers), "the name always answers"
    assert answers[-1][0].weight == 255
    one.converge()
    assert dict(live_zone(one.world).tags) == {applied_tag("shop"): commit(2)}


def test_a_zone_that_was_not_read_is_unread_and_one_that_is_not_there_is_blocked() -> None:
    one = house(WWW)
    lost = Unread(what="zone", why="throttled")
    one.world = replace(
        one.world, zones=(ZoneProblem(zone=ZoneName("example-com"), unread=lost, why="throttled"),)
    )
    assert zone_item(one).action == "unread"
    assert not one.plan().complete
    one.world = replace(
        one.world, zones=(ZoneProblem(zone=ZoneName("example-com"), unread=None, why="0 zones"),)
    )
    assert zone_item(one).blocked.code == "zone"
    assert "zone example-com: 0 zones" in one.plan().warnings


def test_the_writing_tag_stands_before_the_first_batch_and_applied_only_after_all_was_read_back() -> None:
    one = house(WWW)
    first = zone_item(one).now
    assert isinstance(first[0], TagZone)
    assert first[0].put == ((writing_tag("shop"), commit(1)),)
    one.apply()
    (last,) = zone_item(one).now
    assert isinstance(last, TagZone)
    assert last.put == ((applied_tag("shop"), commit(1)),)
    assert last.drop == (writing_tag("shop"),)
