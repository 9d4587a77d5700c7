"""Zones: limits, approval, and batches within what Route 53 takes."""

import pytest

from reconciler.kinds.record.steps import ChangeRecords
from reconciler.plan.limits import Limits
from reconciler.plan.zones import applied_tag
from tests.plan.house import (
    TARGET,
    House,
    commit,
    item,
    live_zone,
    target,
    zone,
)

API = "{name: api, type: A, ttl: 300, values: [192.0.2.9]}"


def house(*records: str, **members: str) -> House:
    return House().merge(TARGET, zone(f"[{', '.join(records)}]", **members))


def again(one: House, *records: str, **members: str) -> House:
    return one.merge(TARGET, zone(f"[{', '.join(records)}]", **members))


def zone_item(one: House):
    return item(one.plan(), "example-com", "Zone")


def names(one: House) -> set[str]:
    return {r.name.removesuffix(".example.com.") for r in live_zone(one.world).records}


def many(count: int, value: str = "192.0.2.1", start: int = 0) -> list[str]:
    return [f"{{name: n{n}, type: A, ttl: 60, values: [{value}]}}" for n in range(start, start + count)]


LIMITS = {
    "3 of 10 deleted is within": (10, many(7), None),
    "4 of 10 deleted is over": (10, many(6), "dnsDeletes"),
    "8 of 9 deleted is not counted": (9, many(1), None),
    "9 of 9 deleted is all": (9, [API], "empty"),
    "3 of 10 changed is within": (10, [*many(3, "192.0.2.2"), *many(7, start=3)], None),
    "4 of 10 changed is over": (10, [*many(4, "192.0.2.2"), *many(6, start=4)], "dnsChanges"),
    "100 created beside 10 is no limit's": (10, many(110), None),
    "a conversion is a change and no deletion": (
        10,
        [
            *(
                f"{{name: n{n}, type: A, ttl: 60, multivalue: [{{id: a, values: [192.0.2.1]}}]}}"
                for n in range(4)
            ),
            *many(6, start=4),
        ],
        "dnsChanges",
    ),
}


@pytest.mark.parametrize("case", LIMITS)
def test_limits_count_deletions_and_changes_from_ten_records_upwards(case: str) -> None:
    count, after, limit = LIMITS[case]
    one = house(*many(count)).converge()
    again(one, *after)
    plan = one.plan()
    assert [r.limit for r in plan.refusals] == ([limit] if limit else [])
    assert bool(zone_item(one).now) is (limit is None)


def test_an_approved_digest_passes_and_the_commit_that_approves_it_does_not_change_it() -> None:
    one = house(*many(10)).converge()
    digest = again(one, *many(2)).plan().digest
    one.merge(target(), zone(f"[{', '.join(many(2))}]"))
    assert one.plan().digest == digest
    one.limits = Limits(approved=(digest,))
    assert one.plan().approved
    one.converge()
    assert len(names(one)) == 2


@pytest.mark.slow
def test_a_batch_that_fails_half_way_goes_on_with_the_rest_past_the_limit_that_let_it_begin() -> None:
    one = house(*many(600)).converge()
    again(one, *many(600, "192.0.2.2"))
    one.limits = Limits(dns_changes=100)
    assert len([s for s in zone_item(one).now if isinstance(s, ChangeRecords)]) == 2
    sent: list[object] = []
    one.failing = lambda s: isinstance(s, ChangeRecords) and bool(sent.append(s) or len(sent) == 2)
    one.apply()
    one.failing, one.limits = None, Limits()
    live = live_zone(one.world)
    assert 0 < sum(r.values == ("192.0.2.2",) for r in live.records) < 600
    one.converge()
    assert all(r.values == ("192.0.2.2",) for r in live_zone(one.world).records)
    assert dict(live_zone(one.world).tags) == {applied_tag("shop"): commit(2)}


def test_batches_stay_within_1000_records_and_32000_characters() -> None:
    texts = [f"{{name: t{n}, type: TXT, ttl: 60, values: ['{'x' * 3000}']}}" for n in range(40)]
    values = ", ".join(f"192.0.2.{n}" for n in range(1, 200))
    wide = [f"{{name: w{n}, type: A, ttl: 60, values: [{values}]}}" for n in range(12)]
    one = house(*texts, *wide)
    batches = [s for s in zone_item(one).now if isinstance(s, ChangeRecords)]
    for batch in batches:
        assert sum(max(1, len(c.record.values)) for c in batch.changes) <= 1000
        assert sum(len(v) for c in batch.changes for v in c.record.values) <= 32_000
    assert sum(len(b.changes) for b in batches) == 52
