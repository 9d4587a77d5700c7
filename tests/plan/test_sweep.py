"""A floor whose lease has expired is ended where nobody else ends it, and never under a rollout that goes on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.facts import LEASE, retagged
from reconciler.core.ids import FleetName, Revision, resource_name
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import SetSizes, TagGroup
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.register import Blocked, Move, Wait
from reconciler.plan.status import overdue, status_of
from reconciler.strategies.floor import SLACK
from reconciler.strategies.slice import Lease, Live, Slice
from reconciler.strategies.sweep import expired, sweeps
from reconciler.strategies.wanted import TrafficKind
from tests.plan.house import (
    IMAGE,
    KEEPER,
    TARGET,
    TRAFFIC,
    House,
    fleet,
    group,
    item,
    quiet,
    zone,
)
from tests.plan.strangers import foreign_balancer
from tests.plan.test_suspended import hand, meta
from tests.strategies.gated import first, live
from tests.worlds import NOON, wanted

MORE = "  scaling: [{metric: cpu, target: 60}]\n"
WANT = wanted(2, TrafficKind.NONE, sizes=Sizes(min=2, max=6, desired=3))
HELD = Lease(least=9, until=NOON)


def seen(sizes: Sizes, lease: Lease | None = HELD, later: timedelta = timedelta()) -> Slice:
    one = live(WANT, 1)
    assert one.group
    tags = retagged(one.group.tags, {LEASE: lease.text()} if lease else {})
    made: Live = replace(one, group=replace(one.group, sizes=sizes, tags=tags))
    return replace(first(WANT, made), as_of=NOON + later)


def test_first_the_sizes_that_the_floor_raised_go_back_then_its_tag() -> None:
    raised = Sizes(min=9, max=9, desired=9)
    step = expired(WANT, seen(raised))
    assert isinstance(step, SetSizes)
    assert (step.expect, step.sizes) == (raised, Sizes(min=2, max=6, desired=3))
    step = expired(WANT, seen(step.sizes))
    assert isinstance(step, TagGroup)
    assert (step.put, step.drop) == ((), (LEASE,))
    assert expired(WANT, seen(Sizes(min=2, max=6, desired=3), None)) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Sizes(min=9, max=20, desired=12), Sizes(min=2, max=20, desired=12)),
        (Sizes(min=4, max=9, desired=9), Sizes(min=4, max=6, desired=4)),
    ],
)
def test_what_something_else_set_since_stays(before: Sizes, after: Sizes) -> None:
    step = expired(WANT, seen(before))
    assert isinstance(step, SetSizes)
    assert step.sizes == after


def test_a_lease_that_is_in_force_stays() -> None:
    assert expired(WANT, seen(Sizes(min=9, max=9, desired=9), later=-timedelta(seconds=1))) is None


def test_of_a_fleet_that_git_no_longer_has_the_tag_alone_goes() -> None:
    step = expired(None, seen(Sizes(min=9, max=9, desired=9)))
    assert isinstance(step, TagGroup)
    assert step.drop == (LEASE,)


@pytest.mark.parametrize(
    ("move", "swept"),
    [
        (None, True),
        (Blocked(code="failed", why=""), True),
        (Blocked(code="held", why=""), True),
        (Blocked(code="freeze", why=""), True),
        (Blocked(code="pause", why=""), False),
        (Blocked(code="suspended", why=""), False),
        (Wait(why="it boots"), False),
        (TagGroup(name=WANT.name), False),
    ],
)
def test_it_runs_where_nobody_moves_the_fleet(move: Move, swept: bool) -> None:
    assert sweeps(move) is swept


# In whole plans


def leased(house: House, least: int = 5, age: timedelta = timedelta(hours=1)) -> LiveGroup:
    """The fleet's group as a rollout left it that nobody ended: its floor and its lease are still there."""
    one = group(house.world)
    lease = Lease(least=least, until=house.world.as_of - age)
    left = replace(
        one,
        sizes=Sizes(min=least, max=max(least, 6), desired=least),
        tags=retagged(one.tags, {LEASE: lease.text()}),
    )
    house.world = replace(house.world, groups=tuple(left if g is one else g for g in house.world.groups))
    house.wait()
    return left


def settled(kind: str = "none") -> House:
    return House().merge(TARGET, IMAGE, zone(), fleet("web", kind, MORE)).converge()


def conflicting(house: House) -> None:
    """Somebody else has the name that the next revision needs."""
    house.merge(TARGET, IMAGE, zone(), fleet("web", "balancer", MORE, generation="2"))
    name = resource_name(FleetName("web"), Revision(item(house.plan()).to))
    house.world = replace(house.world, balancers=(*house.world.balancers, foreign_balancer(name)))


def failed(house: House) -> None:
    """The next revision misses its time, and is gone."""
    house.merge(TARGET, IMAGE, zone(), fleet("web", "balancer", MORE, generation="2"))
    house.apply()
    house.pass_time(timedelta(minutes=16))
    for _ in range(20):
        plan = house.apply()
        if item(plan).action == "blocked" and not item(plan).now:
            return
        waits = [i.wait.until for i in plan.items if i.wait and i.wait.until]
        house.wait(min(waits, default=None))
    raise AssertionError(item(plan))


def unchanged(house: House) -> None:
    """Nothing is to be done."""


WAYS: dict[str, tuple[Callable[[House], None], str]] = {
    "at rest": (unchanged, "none"),
    "failed": (failed, "blocked"),
    "in conflict": (conflicting, "blocked"),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_expired_floor_is_ended_by_the_next_pass_whatever_holds_the_fleet(way: str) -> None:
    happened, action = WAYS[way]
    house = settled("balancer")
    happened(house)
    leased(house)
    house.told.clear()
    house.apply()
    for _ in range(3):
        plan = house.apply()
    live_group = group(house.world)
    assert not live_group.tag(LEASE)
    assert live_group.sizes.min == 2
    assert {type(s) for s in house.told} <= {SetSizes, TagGroup}
    assert item(plan).action == action
    assert quiet(plan), "and it is ended once"


@pytest.mark.parametrize("way", ["its document", "its tag"])
def test_a_suspended_fleet_keeps_its_floor_and_status_says_so(way: str) -> None:
    house = settled("balancer")
    one = leased(house)
    document = fleet("web", "balancer", MORE)
    if way == "its tag":
        hand(house)
    house.merge(TARGET, IMAGE, zone(), meta(document, "web") if way == "its document" else document)
    house.told.clear()
    plan = house.apply()
    assert not house.told
    (found,) = status_of(house.world, plan, KEEPER, "web")
    assert found.revisions[0].floor
    (line,) = overdue(found)
    assert line.startswith(f"{one.name} keeps its floor of 5, which ended at ")
    assert line.endswith("while it is suspended")


@pytest.mark.parametrize("kind", TRAFFIC)
def test_a_rollout_that_goes_on_writes_its_lease_anew_and_keeps_its_floor(kind: str) -> None:
    house = settled(kind)
    house.merge(TARGET, IMAGE, zone(), fleet("web", kind, MORE, generation="2"))
    for _ in range(2):
        house.apply()
    house.world = replace(
        house.world,
        groups=tuple(
            replace(g, tags=retagged(g.tags, {LEASE: f"3;{int(house.world.as_of.timestamp())}"}))
            if g.tag(LEASE)
            else g
            for g in house.world.groups
        ),
    )
    house.apply()
    found = [g for g in house.world.groups if g.tag("reconciler:fleet") == "web"]
    leases = [g.tag(LEASE) for g in found if g.tag(LEASE)]
    assert leases
    ends = [int(x.partition(";")[2]) for x in leases]
    assert all(e > (house.world.as_of + SLACK).timestamp() for e in ends)
    assert all(g.sizes.min >= 3 for g in found if g.tag(LEASE))
