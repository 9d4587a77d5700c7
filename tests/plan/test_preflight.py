"""Preflight: what a plan tells of a rollout that has launched nothing yet, by table and in a whole plan."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.facts import Unread
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.image.live import Ami
from reconciler.kinds.network.live import Subnet
from reconciler.plan.model import ActionKind
from reconciler.plan.preflight import Ground, findings
from reconciler.strategies import recreate, rolling
from reconciler.strategies.slice import Live
from reconciler.strategies.wanted import TrafficKind, Wanted
from tests.plan.house import IMAGE, TARGET, House, fleet, item, zone
from tests.strategies.gated import first, live
from tests.worlds import ami, wanted

AMI = "ami-2"  # of `wanted(2)`
LOST = Unread(what="it", why="throttled")


def subnets(free: Mapping[str, int]) -> tuple[Subnet, ...]:
    return tuple(Subnet(id=i, vpc="vpc-1", zone=i[-1], free=n, tags=()) for i, n in free.items())


def want_of(kind: TrafficKind = TrafficKind.NONE, desired: int = 4, **rollout: Any) -> Wanted:
    want = wanted(2, kind, sizes=Sizes(min=1, max=20, desired=desired))
    return replace(want, rollout=replace(want.rollout, **rollout))


def old(want: Wanted, desired: int) -> Live:
    """The revision that serves, of a size."""
    found = live(want, 1)
    assert found.group
    return replace(found, group=replace(found.group, sizes=Sizes(min=1, max=20, desired=desired)))


def told(
    want: Wanted,
    a: int = 100,
    b: int = 100,
    *,
    serving: int | None = None,
    amis: tuple[Ami, ...] | Unread = (ami(AMI),),
    fixed: bool = True,
    unread: bool = False,
    new: Live | None = None,
) -> list[str]:
    ground = Ground(
        subnets=LOST if unread else subnets({"subnet-a": a, "subnet-b": b}),
        amis=amis,
        fixed=fixed,
        architecture="arm64",
    )
    s = first(want, *([new] if new else []))
    return list(findings(want, s, None if serving is None else old(want, serving), ground))


def test_where_all_is_well_nothing_is_said() -> None:
    for kind in TrafficKind:
        assert told(want_of(kind)) == []


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (2, 2, []),
        (4, 4, []),
        (
            0,
            3,
            ["4 instances are to be born, and 3 addresses are free for them: subnet-a has 0, subnet-b has 3"],
        ),
        (
            1,
            9,
            ["of 4 instances 2 fall to each subnet, and subnet-a has 1 free addresses: the others get more"],
        ),
    ],
)
def test_free_addresses_are_held_against_the_instances_to_be_born(a: int, b: int, said: list[str]) -> None:
    assert told(want_of(), a, b) == said


@pytest.mark.parametrize(
    ("serving", "strategy", "surge", "needs"),
    [
        (None, "blue-green", 25, 4),
        (2, "blue-green", 25, 2),
        (9, "blue-green", 25, 9),
        (None, rolling.NAME, 25, 4),
        (8, rolling.NAME, 25, 2),
        (3, rolling.NAME, 25, 1),
        (8, recreate.NAME, 25, 0),
        (None, recreate.NAME, 25, 4),
    ],
    ids=str,
)
def test_as_many_addresses_are_needed_as_instances_run_beside_the_old_ones(
    serving: int | None, strategy: str, surge: int, needs: int
) -> None:
    want = want_of(strategy=strategy, surge=surge)
    assert told(want, needs, 0, serving=serving) == [] or needs > 1
    if needs:
        (line,) = told(want, needs - 1, 0, serving=serving)
        assert line.startswith(f"{needs} instances are to be born, and {needs - 1} addresses")
    else:
        assert told(want, 0, 0, serving=serving) == []


@pytest.mark.parametrize(("type_", "needs"), [("application", 8), ("network", 1)])
def test_a_balancer_needs_addresses_in_each_of_its_subnets_beside_the_instances(
    type_: str, needs: int
) -> None:
    want = want_of(TrafficKind.DNS)
    assert want.balancer
    want = replace(want, balancer=replace(want.balancer, type=type_))
    assert told(want, needs + 2, needs + 2) == []
    said = told(want, needs - 1, needs + 9)
    assert said[0] == (
        f"the {type_} balancer needs {needs} free addresses in each subnet: subnet-a has {needs - 1}"
    )
    (line,) = told(want, needs + 1, needs + 4)
    assert line.startswith("of 4 instances 2 fall to each subnet, and subnet-a has 1 free")
    (line,) = told(want, needs, needs)
    assert line.startswith("4 instances are to be born, and 0 addresses are free")


def test_once_its_balancer_is_there_it_needs_no_more_and_once_its_group_is_nothing_is_said() -> None:
    want = want_of(TrafficKind.DNS)
    made = live(want)
    assert told(want, 2, 2, new=replace(made, group=None)) == []
    assert told(want, 0, 0, new=made, amis=()) == []


@pytest.mark.parametrize(
    ("amis", "fixed", "said"),
    [
        ((), True, []),  # it blocks instead
        ((), False, []),
        (LOST, True, []),
        ((ami(AMI, "pending"),), True, [f"{AMI} is pending: nothing can be launched from it"]),
        ((ami(AMI, "disabled"),), False, [f"{AMI} is disabled: nothing can be launched from it"]),
        ((ami(AMI, architecture="x86_64"),), True, [f"{AMI} is x86_64, and its Image says arm64"]),
    ],
)
def test_the_ami_is_told_of_where_nothing_can_be_launched_from_it(
    amis: tuple[Ami, ...] | Unread, fixed: bool, said: list[str]
) -> None:
    assert told(want_of(), amis=amis, fixed=fixed) == said


def test_nothing_is_born_from_an_ami_that_git_names_and_that_is_not_there() -> None:
    house = House().merge(TARGET, IMAGE, zone(), fleet("web", "balancer"), fleet("job")).converge()
    house.merge(TARGET, IMAGE.replace("ami-0001", "ami-0002"), zone(), fleet("web", "balancer"), fleet("job"))
    house.world = replace(house.world, amis=())
    for one in (i for i in house.plan().items if i.kind == "Fleet"):
        assert not one.now
        assert one.blocked is not None
        assert one.blocked.code == "image"
        assert "is not there, or not shared with this account" in one.blocked.why


def test_on_subnets_that_were_not_read_nothing_is_foretold() -> None:
    assert told(want_of(), unread=True) == []


def test_a_plan_tells_it_of_what_starts_and_of_nothing_at_rest() -> None:
    house = House().merge(TARGET, IMAGE, zone(), fleet("web", "balancer"), fleet("job")).converge()
    full = tuple(replace(s, free=1) for s in house.world.subnets)
    house.world = replace(house.world, subnets=full)
    assert [i.notes for i in house.plan().items if i.kind == "Fleet"] == [(), ()]
    house.merge(TARGET, IMAGE, zone(), fleet("web", "balancer", generation="2"), fleet("job"))
    plan = house.plan(ahead=True)
    found = item(plan)
    assert found.action is ActionKind.REPLACE
    assert found.now, "it is told, and stops nothing"
    assert found.notes == (
        "the application balancer needs 8 free addresses in each subnet: subnet-a has 1, subnet-b has 1",
        "3 instances are to be born, and 0 addresses are free for them: subnet-a has 0, subnet-b has 0",
    )
    assert item(plan, "job").notes == ()
