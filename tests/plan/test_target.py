"""One target's plan: images, what was not read, conflicts, the digest, and what is released."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.facts import Unread
from reconciler.core.ids import AmiId, ImageName, ZoneName
from reconciler.kinds.image.live import Resolved
from reconciler.kinds.record.live import ZoneProblem
from reconciler.kinds.register import World
from reconciler.plan import settle
from reconciler.plan.kept import Kept
from reconciler.plan.limits import Limits
from reconciler.plan.planner import plan_target
from reconciler.plan.released import released
from tests.effort import tries
from tests.plan.house import (
    IMAGE,
    NEWEST,
    TARGET,
    TRAFFIC,
    House,
    actions,
    altered,
    commit,
    desired,
    empty_world,
    fleet,
    group,
    item,
    live_zone,
    quiet,
    zone,
)
from tests.plan.strangers import foreign_balancer, foreign_target_group

LOST = Unread(what="it", why="throttled")
ALL = [
    fleet(n, TRAFFIC[k].replace("name: web", f"name: {n}"))
    for n, k in (("web", "balancer"), ("api", "listener"), ("old", "attach"), ("job", "none"))
]


def fleets(*names: str) -> list[str]:
    return [fleet(n) for n in names]


def small(*names: str, start: str = IMAGE) -> House:
    """Worker fleets, converged."""
    return House().merge(TARGET, start, *fleets(*names)).converge()


# Images


def test_a_pin_is_in_force_and_is_not_called_unpinned() -> None:
    house = House().merge(TARGET, NEWEST[:-2] + ", pin: {prod: ami-0777}}\n", fleet())
    assert house.plan().items[0].notes == ()
    house.converge()
    assert house.world.templates[0].image == "ami-0777"


def test_an_unpinned_image_stays_at_the_ami_that_serves_and_the_newer_one_is_told() -> None:
    house = House().merge(TARGET, NEWEST, fleet())
    assert item(house.plan()).notes == ("image base is unpinned: ami-0100 is what it gives now",)
    house.converge()
    house.world = replace(house.world, images=(Resolved(image=ImageName("base"), ami=AmiId("ami-0200")),))
    plan = house.plan()
    assert item(plan).action == "none"
    assert item(plan).notes == (
        "image base is unpinned: ami-0100 stays; ami-0200 is newer: pin it to adopt it",
    )


def test_an_image_that_gives_nothing_blocks_births_and_not_what_serves() -> None:
    house = House().merge(TARGET, NEWEST, fleet()).converge()
    house.world = replace(
        house.world, images=(Resolved(image=ImageName("base"), ami=None, why="no AMI matches"),)
    )
    house.merge(TARGET, NEWEST, fleet(), fleet("new"))
    plan = house.plan()
    assert item(plan).action == "none"
    assert item(plan, "new").blocked.code == "image"
    assert "no AMI matches" in item(plan, "new").blocked.why


# Unread


UNREAD: dict[str, tuple[Callable[[World], World], set[str]]] = {
    "groups": (lambda w: replace(w, groups=LOST), {"web", "api", "old", "job"}),
    "templates": (lambda w: replace(w, templates=LOST), {"web", "api", "old", "job"}),
    "subnets": (lambda w: replace(w, subnets=LOST), {"web", "api", "old", "job"}),
    "security groups": (lambda w: replace(w, security_groups=LOST), {"web", "api", "old", "job"}),
    "balancers and target groups": (lambda w: replace(w, balancers=LOST, target_groups=LOST), {"web", "api"}),
    "rules": (lambda w: replace(w, rules=LOST), {"api"}),
    "the zone": (
        lambda w: replace(
            w, zones=(ZoneProblem(zone=ZoneName("example-com"), unread=LOST, why="throttled"),)
        ),
        {"web"},
    ),
    "images": (lambda w: replace(w, images=LOST), set()),
}


@pytest.mark.parametrize("what", UNREAD)
@pytest.mark.parametrize("left", [False, True], ids=["in git", "gone from git"])
def test_what_was_not_read_freezes_what_depends_on_it_and_the_rest_goes_on(what: str, left: bool) -> None:
    lose, frozen = UNREAD[what]
    house = House(limits=Limits(retire=100)).merge(TARGET, IMAGE, zone(), fleet("stays"), *ALL).converge()
    if left:
        house.merge(TARGET, IMAGE, zone(), fleet("stays"))
    else:
        house.merge(
            TARGET,
            IMAGE,
            zone(),
            fleet("stays"),
            *(f.replace('generation: "1"', 'generation: "2"') for f in ALL),
        )
    house.world = lose(house.world)
    plan = house.plan()
    assert not plan.complete
    assert plan.unread
    moving = {i.name for i in plan.items if i.kind == "Fleet" and i.now}
    unread = {i.name for i in plan.items if i.kind == "Fleet" and i.action == "unread"}
    if left and what in ("groups", "templates"):
        assert not moving
    elif left and what in ("subnets", "security groups"):
        assert moving == {"web", "api", "old", "job"}, "taking away needs no network"
    else:
        assert moving == {"web", "api", "old", "job"} - frozen
        assert unread - {"stays"} == frozen


def test_a_fleet_of_a_zone_that_left_git_too_is_not_taken_from_under_its_records() -> None:
    house = (
        House(limits=Limits(retire=100))
        .merge(TARGET, IMAGE, zone(), fleet("stays"), fleet("web", "balancer"))
        .converge()
    )
    house.merge(TARGET, IMAGE, fleet("stays"))
    house.world = replace(house.world, zones=())
    assert item(house.plan()).blocked.code == "zone"
    assert not item(house.plan()).now


# Conflicts


def named(kind: str = "balancer") -> tuple[House, str]:
    house = House().merge(TARGET, IMAGE, zone(), fleet("web", kind))
    return house, item(house.plan()).now[0].name


def test_a_group_of_the_same_owner_and_another_source_is_a_conflict() -> None:
    house, name = named("none")
    other = House().merge(TARGET, IMAGE, zone(), fleet("web", "none")).converge()
    theirs = tuple((k, "ffffffffffff" if k == "reconciler:source" else v) for k, v in group(other.world).tags)
    house.world = replace(house.world, groups=(replace(group(other.world), tags=theirs),))
    assert item(house.plan()).blocked.code == "conflict"
    assert "from another repository" in item(house.plan()).blocked.why
    assert group(other.world).name == name


def test_a_launch_template_of_another_source_is_a_conflict() -> None:
    house, _ = named("none")
    other = House().merge(TARGET, IMAGE, zone(), fleet("web", "none")).converge()
    (template,) = other.world.templates
    house.world = replace(house.world, templates=(replace(template, tags=(("reconciler:owner", "shop"),)),))
    assert item(house.plan()).blocked.code == "conflict"


@pytest.mark.parametrize("what", ["target group", "balancer"])
def test_a_foreign_target_group_or_balancer_under_our_name_is_a_conflict_before_anything_is_made(
    what: str,
) -> None:
    house, name = named()
    if what == "balancer":
        house.world = replace(house.world, balancers=(foreign_balancer(name),))
    else:
        house.world = replace(house.world, target_groups=(foreign_target_group(name),))
    assert item(house.plan()).blocked.why == f"{what} {name} exists and is not ours"
    assert not item(house.plan()).now


def test_a_foreign_rule_at_our_priority_is_a_conflict() -> None:
    house = House().merge(TARGET, IMAGE, fleet("api", "listener"))
    other = House().merge(TARGET, IMAGE, fleet("api", "listener")).converge()
    house.world = replace(house.world, rules=tuple(replace(r, tags=()) for r in other.world.rules))
    assert "listener rule 10" in item(house.plan(), "api").blocked.why


def test_a_fleet_of_a_commit_that_is_no_ancestor_is_blocked_and_the_others_go_on() -> None:
    house = small("a", "b")
    house.merge(TARGET, IMAGE, fleet("a", generation="2"), fleet("b", generation="2"))
    odd = commit(99)
    house.world = replace(
        house.world,
        groups=tuple(
            replace(
                g,
                tags=tuple(
                    (k, odd if k == "reconciler:commit" and g.tag("reconciler:fleet") == "a" else v)
                    for k, v in g.tags
                ),
            )
            for g in house.world.groups
        ),
    )
    plan = house.plan()
    assert item(plan, "a").blocked.code == "commit"
    assert item(plan, "b").now


# The digest, and planning as a function


def test_the_digest_does_not_move_with_the_autoscaler_or_with_time() -> None:
    house = small("a", "b")
    house.merge(TARGET, IMAGE, fleet("a", generation="2"), fleet("b"), fleet("c"))
    digest = house.plan().digest
    house.pass_time(timedelta(hours=5))
    one = next(g for g in house.world.groups if g.tag("reconciler:fleet") == "a")
    house.world = settle.resized(house.world, one.name, replace(one.sizes, desired=5))
    assert house.plan().digest == digest
    house.merge(TARGET, IMAGE, fleet("a", generation="3"), fleet("b"), fleet("c"))
    assert house.plan().digest != digest


@settings(deadline=None, max_examples=tries(25), suppress_health_check=list(HealthCheck))
@given(
    passes=st.integers(0, 12), kinds=st.sets(st.sampled_from(list(TRAFFIC)), min_size=1), leave=st.booleans()
)
def test_the_same_goal_and_world_give_the_same_plan(passes: int, kinds: set[str], leave: bool) -> None:
    documents = [fleet(f"f-{k}", TRAFFIC[k].replace("name: web", f"name: f-{k}")) for k in sorted(kinds)]
    house = House().merge(TARGET, IMAGE, zone(), fleet("stays"), *documents)
    for n in range(passes):
        if n == 6:
            again = [] if leave else [d.replace('"1"', '"2"') for d in documents]
            house.merge(TARGET, IMAGE, zone(), fleet("stays"), *again)
        house.apply()
        house.wait()
    goal, world = house.goal(), house.whole()
    once = plan_target(goal, world)
    assert once == plan_target(goal, world) == plan_target(replace(goal, kept=Kept()), world)


def test_all_kinds_beside_each_other_converge_to_the_empty_plan() -> None:
    house = House().merge(TARGET, IMAGE, zone(), *ALL).converge()
    plan = house.plan(ahead=True)
    assert quiet(plan)
    assert set(actions(plan).values()) == {"none"}
    assert not plan.drift
    assert not plan.warnings


# Released


def test_a_target_or_zone_that_left_git_is_released_and_told() -> None:
    two = TARGET.replace("name: prod", "name: dr").replace("eu-west-1", "us-east-1")
    before = desired(
        TARGET, two, IMAGE, zone("[{name: www, type: A, ttl: 60, values: [192.0.2.1]}]"), fleet()
    )
    now = desired(TARGET, IMAGE, fleet())
    told = released(before, now)
    assert len(told) == 2
    assert "target dr (account 123456789012, region us-east-1) is released" in told[0]
    assert "zone example-com (example.com) is released: its 1 records stay" in told[1]
    assert released(now, now) == ()
    moved = desired(two, zone().replace("prod", "dr"))
    assert len(released(desired(TARGET, IMAGE, zone(), fleet()), moved)) == 1, (
        "the hosted zone has a document"
    )


def test_a_hand_on_a_group_changes_nothing_of_a_plan_but_its_drift() -> None:
    house = House().merge(TARGET, IMAGE, fleet()).converge()
    digest = house.plan().digest
    house.world = altered(house.world, sizes=replace(group(house.world).sizes, max=12))
    plan = house.plan()
    assert plan.digest == digest
    assert [(r.resource, r.field, r.want, r.live) for r in plan.drift] == [
        (f"group/{group(house.world).name}", "max", "6", "12")
    ]
    assert not item(plan).now
    assert live_zone(empty_world()).records == ()
