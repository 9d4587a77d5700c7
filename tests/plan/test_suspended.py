"""What is suspended is read, planned and its drift reported, and nothing of it is written."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.facts import HAND, retagged
from reconciler.kinds.group.want import Sizes
from reconciler.plan.limits import Limits
from reconciler.plan.model import SuspendedBy
from reconciler.plan.pulls import Verdict, compare, verdict
from reconciler.plan.standing import Standing, standing
from reconciler.strategies.hand import Hand, Verb
from tests.plan.house import IMAGE, TARGET, House, altered, fleet, group, item, ops, target, zone
from tests.worlds import NOON

SUSPEND = 'suspend: {reason: "incident 42", by: on-call%s}'
UNTIL = NOON + timedelta(days=2)
RECORD = "[{name: www, type: A, ttl: 60, values: [192.0.2.1]}]"


def meta(document: str, name: str, until: str = "") -> str:
    """A document, suspended."""
    said = SUSPEND % (f", until: {until}" if until else "")
    return document.replace(f"metadata: {{name: {name}", f"metadata: {{name: {name}, {said}", 1)


def hand(house: House, *, until: timedelta | None = None) -> None:
    """Somebody pauses fleet web by its tag."""
    said = Hand(
        verb=Verb.PAUSE,
        since=house.world.as_of,
        until=house.world.as_of + until if until else None,
        text="looking at it",
    )
    house.world = altered(
        house.world,
        tags=retagged(group(house.world).tags, {HAND: said.value()}),
        name=group(house.world).name,
    )


def settled() -> House:
    return House().merge(TARGET, IMAGE, zone(), fleet("web", "balancer")).converge()


WAYS: dict[str, tuple[SuspendedBy, Callable[[str], tuple[str, ...]]]] = {
    "its document": (
        SuspendedBy.DOCUMENT,
        lambda g: (TARGET, IMAGE, zone(), meta(fleet("web", "balancer", generation=g), "web")),
    ),
    "its target": (
        SuspendedBy.TARGET,
        lambda g: (meta(TARGET, "prod"), IMAGE, zone(), fleet("web", "balancer", generation=g)),
    ),
    "its tag": (
        SuspendedBy.TAG,
        lambda g: (TARGET, IMAGE, zone(), fleet("web", "balancer", generation=g)),
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_suspended_fleet_is_planned_and_nothing_of_it_is_written(way: str) -> None:
    said, documents = WAYS[way]
    house = settled()
    if said is SuspendedBy.TAG:
        hand(house)
    house.merge(*documents("2"))
    before, told = house.world, len(house.told)
    for _ in range(3):
        plan = house.apply()
        found = item(plan)
        assert found.blocked
        assert found.blocked.code == "suspended"
        assert found.suspended
        assert found.suspended.said is said
        assert found.suspended.reason in found.blocked.why
        assert (found.action, found.now, found.wait) == ("blocked", (), None)
        assert standing(plan) is Standing.BLOCKED
        house.pass_time(timedelta(minutes=20))
    assert (house.world.groups, len(house.told)) == (before.groups, told)
    steps = item(house.plan(ahead=True)).steps
    assert "create-group" in {s.op for s in steps}, "its way is planned all the same"


@pytest.mark.parametrize("way", WAYS)
def test_a_suspended_fleet_with_nothing_to_do_says_so_and_is_no_change(way: str) -> None:
    said, documents = WAYS[way]
    house = settled()
    if said is SuspendedBy.TAG:
        hand(house)
    house.merge(*documents("1"))
    plan = house.plan()
    assert (item(plan).action, item(plan).blocked is not None) == ("none", True)
    assert standing(plan) is Standing.CONVERGED


@pytest.mark.parametrize("way", WAYS)
def test_drift_of_a_suspended_fleet_is_reported_and_not_healed(way: str) -> None:
    said, documents = WAYS[way]
    house = settled()
    if said is SuspendedBy.TAG:
        hand(house)
    house.merge(*(d.replace("drift: report", "drift: heal") for d in documents("1")))
    house.world = altered(house.world, sizes=Sizes(min=2, max=20, desired=3))
    plan = house.apply()
    assert [(d.field, d.live) for d in plan.drift] == [("max", "20")]
    assert group(house.world).sizes.max == 20


def test_a_fleet_taken_out_of_git_is_not_retired_while_it_or_its_target_is_suspended() -> None:
    for by_tag in (True, False):
        house = House().merge(TARGET, IMAGE, fleet("web"), fleet("other")).converge()
        if by_tag:
            tags = retagged(
                next(g for g in house.world.groups if g.tag("reconciler:fleet") == "web").tags,
                {HAND: Hand(verb=Verb.PAUSE, since=NOON, text="wait").value()},
            )
            house.world = replace(
                house.world,
                groups=tuple(
                    replace(g, tags=tags) if g.tag("reconciler:fleet") == "web" else g
                    for g in house.world.groups
                ),
            )
        house.merge(TARGET if by_tag else meta(TARGET, "prod"), IMAGE, fleet("other"))
        found = item(house.apply())
        assert (found.action, found.now) == ("blocked", ())
        assert len(house.world.groups) == 2


@pytest.mark.parametrize("how", ["zone", "target"])
def test_nothing_is_written_in_a_suspended_zone(how: str) -> None:
    house = House().merge(TARGET, IMAGE, zone()).converge()
    suspended = meta(zone(RECORD), "example-com") if how == "zone" else zone(RECORD)
    house.merge(meta(TARGET, "prod") if how == "target" else TARGET, IMAGE, suspended)
    before = house.world
    plan = house.apply()
    found = item(plan, "example-com", "Zone")
    assert (found.action, found.now, found.blocked and found.blocked.code) == ("blocked", (), "suspended")
    assert house.world.zones == before.zones
    house.merge(TARGET, IMAGE, zone(RECORD)).converge()
    assert house.world.zones != before.zones


def test_a_fleet_writes_no_record_in_a_suspended_zone_and_goes_on_after_it() -> None:
    house = settled()
    house.merge(TARGET, IMAGE, meta(zone(), "example-com"), fleet("web", "balancer", generation="2"))
    records = house.world.zones[0].records
    for _ in range(8):
        plan = house.apply()
        house.wait()
    found = item(plan)
    assert found.blocked
    assert "zone example-com is suspended by on-call: incident 42" in found.blocked.why
    assert house.world.zones[0].records == records
    assert len(house.world.groups) == 2, "the new revision waits beside the old one"
    house.merge(TARGET, IMAGE, zone(), fleet("web", "balancer", generation="2")).converge()
    assert len(house.world.groups) == 1


def test_a_suspended_image_says_so_and_its_fleets_go_on() -> None:
    house = House().merge(TARGET, meta(IMAGE, "base"), fleet("web")).converge()
    found = item(house.plan(), "base", "Image")
    assert (found.action, found.blocked and found.blocked.code) == ("none", "suspended")
    assert len(house.world.groups) == 1


@pytest.mark.parametrize("kind", ["fleet", "target", "zone", "image", "tag"])
def test_a_suspension_ends_at_its_time_and_the_plan_says_that_it_still_stands_there(kind: str) -> None:
    house = settled()
    if kind == "tag":
        hand(house, until=timedelta(days=2))
    until = f"{UNTIL:%Y-%m-%dT%H:%M:%SZ}"
    said = {"target": (TARGET, "prod"), "image": (IMAGE, "base"), "zone": (zone(RECORD), "example-com")}
    documents = [TARGET, IMAGE, zone(RECORD), fleet("web", "balancer", generation="2")]
    if kind == "fleet":
        documents[3] = meta(documents[3], "web", until)
    elif kind in said:
        documents = [meta(d, said[kind][1], until) if d == said[kind][0] else d for d in documents]
    house.merge(*documents)
    name, of = {"zone": ("example-com", "Zone"), "image": ("base", "Image")}.get(kind, ("web", "Fleet"))
    assert item(house.plan(), name, of).suspended
    house.pass_time(timedelta(days=2, minutes=1))
    plan = house.plan()
    assert item(plan, name, of).suspended is None
    notes = (*item(plan, name, of).notes, *plan.warnings)
    assert any("metadata.suspend ended at" in n for n in notes) is (kind != "tag")
    house.converge()
    assert item(house.plan()).action == "none"


def test_a_suspended_fleet_takes_no_slot_of_those_that_roll_at_once() -> None:
    documents = [fleet("a"), fleet("b")]
    house = House(limits=Limits(rollouts=1)).merge(TARGET, IMAGE, *documents).converge()
    house.merge(TARGET, IMAGE, meta(fleet("a", generation="2"), "a"), fleet("b", generation="2"))
    assert ops(house.plan(), "a") == []
    assert ops(house.plan(), "b")


def test_suspending_changes_no_digest_and_what_else_stands_in_the_way_is_still_said() -> None:
    house = settled()
    house.merge(TARGET, IMAGE, zone(), fleet("web", "balancer", generation="2"))
    digest = house.plan().digest
    house.merge(TARGET, IMAGE, zone(), meta(fleet("web", "balancer", generation="2"), "web"))
    assert house.plan().digest == digest
    house.world = replace(house.world, subnets=())
    found = item(house.plan())
    assert (found.blocked and found.blocked.code) == "unresolved"
    assert found.suspended


def test_a_pull_request_that_suspends_or_resumes_a_fleet_says_so_and_is_a_success() -> None:
    house = settled()
    plain = house.plan()
    house.merge(TARGET, IMAGE, zone(), meta(fleet("web", "balancer"), "web"))
    for before, after in ((plain, house.plan()), (house.plan(), plain)):
        found = compare(before, after)
        assert [i.name for i in found.caused] == ["web"]
        assert verdict((found,)) is Verdict.SUCCESS
    assert compare(house.plan(), house.plan()).caused == ()


def test_a_limit_may_be_approved_and_a_suspension_may_not() -> None:
    house = settled()
    house.merge(target(), IMAGE, zone(), meta(fleet("web", "balancer", generation="2"), "web"))
    house.limits = Limits(approved=(house.plan().digest,))
    plan = house.plan()
    assert plan.approved
    assert ops(plan) == []
