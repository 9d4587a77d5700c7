"""The circuit breaker: what failed too often does not begin again, until a newer commit or `retry` says so."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.facts import FAILED
from reconciler.kinds.register import World
from reconciler.plan.limits import Limits
from reconciler.plan.settle import pass_time
from tests.plan.house import IMAGE, TARGET, House, actions, fleet, item, ops

NAMES = ("a", "b", "c", "d")
OTHER = IMAGE.replace("ami-0001", "ami-0002")


def docs(generation: str, image: str = IMAGE) -> list[str]:
    """Four fleets, which begin one after another by their order."""
    return [
        TARGET,
        image,
        *(
            fleet(n, generation=generation, more=f"  rollout: {{order: {at}, keepOld: 1m}}\n")
            for at, n in enumerate(NAMES)
        ),
    ]


def small(failures: int = 2, rollouts: int = 1) -> House:
    limits = Limits(failures=failures, rollouts=rollouts)
    return House(limits=limits).merge(*docs("1")).converge()


def failing(house: House, rollouts: int = 1) -> None:
    """What may begin begins, none of it launches an instance, and it goes back."""
    for _ in range(rollouts):
        for span in (timedelta(), timedelta(hours=1), *[timedelta()] * 4):
            house.world = pass_time(house.world, span)
            house.apply()
            house.world = _starved(house.world)
            house.wait()


def _starved(world: World) -> World:
    """The groups of replacements launch nothing."""
    born = {g.name: g.tag("reconciler:born") for g in world.groups}
    oldest = {
        g.tag("reconciler:fleet"): g.name for g in sorted(world.groups, key=lambda g: born[g.name])[::-1]
    }
    stuck = (("Launch", "no capacity"),)
    groups = (
        g if oldest[g.tag("reconciler:fleet")] == g.name else replace(g, suspended=stuck)
        for g in world.groups
    )
    return replace(world, groups=tuple(groups))


def blocked(house: House) -> dict[str, str]:
    return {i.name: i.blocked.code for i in house.plan().items if i.blocked}


def buried(house: House) -> int:
    return sum(bool(t.failed) for t in house.world.templates)


def test_after_two_failed_rollouts_of_a_commit_no_third_begins() -> None:
    house = small().merge(*docs("2"))
    failing(house, 3)
    assert blocked(house) == {"a": "failed", "b": "failed", "c": "breaker", "d": "breaker"}
    assert buried(house) == 2
    why = f"2 rollouts of commit {house.head[:12]} failed in prod (a, b); limits.failures is 2"
    assert item(house.plan(ahead=True), "c").blocked.why == why
    assert item(house.plan(ahead=True), "c").steps, "its way is shown all the same"


def test_a_newer_commit_closes_the_breaker() -> None:
    house = small().merge(*docs("2"))
    failing(house, 2)
    house.merge(*docs("3"))
    assert not set(blocked(house).values())
    house.converge()
    assert set(actions(house.plan()).values()) == {"none"}


def test_taking_the_marks_off_closes_the_breaker() -> None:
    house = small().merge(*docs("2"))
    failing(house, 2)
    house.world = replace(
        house.world,
        templates=tuple(
            replace(t, tags=tuple(x for x in t.tags if x[0] != FAILED)) for t in house.world.templates
        ),
    )
    assert not blocked(house)
    house.converge()
    assert set(actions(house.plan()).values()) == {"none"}


def test_an_ami_that_failed_under_several_commits_stops_with_the_first_failure_of_a_newer_one() -> None:
    house = small().merge(*docs("1", OTHER))
    failing(house, 1)
    house.merge(*docs("1", OTHER), fleet("new"))
    failing(house, 1)
    assert blocked(house) == {"a": "failed", "b": "failed"}, "both were born by the commit before"
    failing(house, 1)
    assert blocked(house) == {"a": "failed", "b": "failed", "c": "failed", "d": "breaker"}
    why = "3 rollouts of ami-0002 failed in prod (a, b, c); limits.failures is 2"
    assert item(house.plan(), "d").blocked.why == why


@pytest.mark.parametrize("failures", [1, 3])
def test_as_many_may_fail_as_the_target_says(failures: int) -> None:
    house = small(failures).merge(*docs("2"))
    failing(house, 4)
    assert buried(house) == failures


def test_what_began_beside_those_that_failed_goes_on() -> None:
    house = small(1, rollouts=2).merge(*docs("2"))
    house.apply()
    newest = max(
        (t for t in house.world.templates if t.name.startswith("a-")),
        key=lambda t: dict(t.tags)["reconciler:born"],
    )
    failed = replace(newest, tags=tuple(sorted((*newest.tags, (FAILED, "x;1;not ready in time")))))
    house.world = replace(
        house.world, templates=tuple(failed if t is newest else t for t in house.world.templates)
    )
    house.wait()
    plan = house.plan()
    assert item(plan, "b").action == "replace"
    assert item(plan, "b").now
    assert item(plan, "c").blocked.code == "breaker"


def test_births_and_sizes_pass_the_breaker() -> None:
    house = small(1).merge(*docs("2"))
    failing(house, 1)
    head = house.history[-1]
    house.merge(*docs("2"), fleet("new"))
    house.history[-2:] = [house.history[-1]]  # the same commit: only what it says is more
    assert head is not house.history[-1]
    assert blocked(house)["b"] == "breaker"
    assert ops(house.plan(), "new")[0] == "create-template"


def test_one_slot_is_taken_by_one_fleet_after_another_until_all_have_shifted() -> None:
    house = small(rollouts=1).merge(*docs("2"))
    seen: list[str] = []
    for _ in range(80):
        plan = house.apply()
        under_way = [i.name for i in plan.items if i.action == "replace" and i.begun and not i.shifted]
        assert len(under_way) <= 1
        seen += [n for n in under_way if n not in seen]
        if not any(i.now or i.wait for i in plan.items):
            break
        waits = [i.wait.until for i in plan.items if i.wait and i.wait.until]
        house.wait(min(waits) if waits else house.world.as_of + timedelta(minutes=1))
    assert seen == list(NAMES)
    assert set(actions(house.plan()).values()) == {"none"}
