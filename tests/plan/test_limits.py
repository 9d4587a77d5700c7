"""What may begin: pruning and its limits, approval, protection, freezes, and rollouts at a time."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.plan.freeze import Freeze
from reconciler.plan.limits import Limits
from reconciler.strategies.wanted import Hold
from tests.plan.house import (
    IMAGE,
    TARGET,
    TRAFFIC,
    House,
    altered,
    fleet,
    group,
    item,
    ops,
    zone,
)
from tests.worlds import NOON


def fleets(*names: str) -> list[str]:
    return [fleet(n) for n in names]


def small(*names: str, start: str = IMAGE) -> House:
    """Worker fleets, converged."""
    return House().merge(TARGET, start, *fleets(*names)).converge()


# Pruning


PRUNING = {
    "1 of 2 is the least that is always let": (2, 1, 30, []),
    "3 of 10 is within 30%": (10, 3, 30, []),
    "4 of 10 is over 30%": (10, 4, 30, ["retire"]),
    "3 of 11 is within, rounded down": (11, 3, 30, []),
    "4 of 11 is over, rounded down": (11, 4, 30, ["retire"]),
    "1 of 1 is the last": (1, 1, 100, ["last-fleet"]),
    "all of 3 are the last, even with 100%": (3, 3, 100, ["last-fleet"]),
    "all of 3 are over both": (3, 3, 30, ["last-fleet", "retire"]),
    "1 of 5 at 0% is still one": (5, 1, 0, []),
}


@pytest.mark.parametrize("case", PRUNING)
def test_fleets_that_left_git_are_counted_against_live_ones(case: str) -> None:
    live, gone, percent, limits = PRUNING[case]
    names = [f"f{n}" for n in range(live)]
    house = House(limits=Limits(retire=percent)).merge(TARGET, IMAGE, *fleets(*names)).converge()
    house.merge(TARGET, IMAGE, *fleets(*names[gone:]))
    plan = house.plan()
    assert [r.limit for r in plan.refusals] == limits
    assert bool([i for i in plan.items if i.now]) is not limits
    assert [r.of for r in plan.refusals] == [live] * len(limits)


def test_the_last_fleet_does_not_go_while_the_one_before_it_still_drains() -> None:
    house = small("a", "b")
    house.merge(TARGET, IMAGE, fleet("b"))
    house.apply()
    house.merge(TARGET, IMAGE)
    plan = house.plan()
    assert [r.limit for r in plan.refusals] == ["last-fleet", "retire"]
    assert item(plan, "a").action == "retire", "what has begun goes on"
    assert item(plan, "b").blocked.code == "limit"


def test_a_plan_over_a_limit_begins_nothing_and_what_has_begun_goes_on() -> None:
    house = small("a", "b", "c", "d")
    house.merge(TARGET, IMAGE, fleet("a", generation="2"), *fleets("b", "c", "d")).apply()
    more = "  capacity: {min: 1, max: 9, desired: 3}\n"
    house.merge(TARGET, IMAGE, fleet("a", generation="2"), fleet("d", more=more), fleet("new"))
    house.wait()
    plan = house.plan()
    assert [r.limit for r in plan.refusals] == ["retire"]
    assert "2 of 4 fleets left git; limits.retire (30%) is 1" in item(plan, "b").blocked.why
    assert item(plan, "a").now
    assert {n: item(plan, n).blocked.code for n in ("b", "c", "d", "new")} == dict.fromkeys(
        ["b", "c", "d", "new"], "limit"
    )


def test_an_approved_digest_passes_limits_and_freezes() -> None:
    frozen = Freeze(
        holds=("start", "retire", "records"), reason="peak", since=NOON, to=NOON + timedelta(days=30)
    )
    house = small("a", "b", "c")
    house.merge(TARGET, IMAGE, fleet("c"))
    house.freezes = (frozen,)
    plan = house.plan()
    assert plan.refusals
    assert not any(i.now for i in plan.items)
    house.limits = Limits(approved=(plan.digest,))
    plan = house.plan()
    assert plan.approved
    assert {i.name for i in plan.items if i.now} == {"a", "b"}


def test_a_protected_fleet_is_not_retired_by_the_commit_that_removes_it() -> None:
    house = House().merge(TARGET, IMAGE, fleet("a", meta="protect: true"), fleet("b")).converge()
    house.merge(TARGET, IMAGE, fleet("b"))
    assert item(house.plan(), "a").blocked.code == "protected"
    house.merge(TARGET, IMAGE, fleet("a"), fleet("b")).converge()
    house.merge(TARGET, IMAGE, fleet("b")).converge()
    assert {g.tag("reconciler:fleet") for g in house.world.groups} == {"b"}


def test_rewritten_history_prunes_nothing() -> None:
    house = small("a", "b")
    house.pruning = Hold(code="history", why="history was rewritten")
    house.merge(TARGET, IMAGE, fleet("b"))
    assert item(house.plan(), "a").blocked.code == "history"


# Freezes


def frozen(what: str) -> tuple[Freeze, ...]:
    return (
        Freeze(holds=(what,), reason="peak", since=NOON - timedelta(days=1), to=NOON + timedelta(days=300)),
    )


def test_a_freeze_of_starts_holds_births_replacements_and_pruning_and_lets_sizes_through() -> None:
    house = small("a", "b", "c")
    house.freezes = frozen("start")
    more = "  capacity: {min: 1, max: 9, desired: 3}\n"
    house.merge(TARGET, IMAGE, fleet("a", generation="2"), fleet("b", more=more), fleet("new"))
    plan = house.plan(ahead=True)
    assert {n: item(plan, n).blocked.code for n in ("a", "c", "new")} == dict.fromkeys(
        ["a", "c", "new"], "freeze"
    )
    assert "frozen until" in item(plan, "a").blocked.why
    assert [s.op for s in item(plan, "a").steps][-1] == "delete-template", "the way is shown all the same"
    assert ops(plan, "b")[0] == "set-sizes"
    assert any("frozen until" in w for w in plan.warnings)


def test_a_rollout_that_has_begun_goes_on_in_a_freeze_and_its_old_one_stays_until_retire_is_free() -> None:
    house = small("a", "b")
    house.merge(TARGET, IMAGE, fleet("a", generation="2"), fleet("b")).apply()
    house.freezes = (*frozen("start"), *frozen("retire"))
    for _ in range(12):
        plan = house.apply()
        house.wait(house.world.as_of + timedelta(minutes=20))
    assert item(plan, "a").blocked.code == "freeze"
    old = [g for g in house.world.groups if g.tag("reconciler:idle")]
    assert len(old) == 1
    house.freezes = ()
    house.converge()
    assert len(house.world.groups) == 2


def test_going_back_is_held_by_no_freeze() -> None:
    house = small("a")
    house.merge(TARGET, IMAGE, fleet("a", generation="2")).apply()
    house.freezes = frozen("start")
    house.pass_time(timedelta(hours=1))
    assert ops(house.plan(), "a")[0] == "tag-template"


def test_a_freeze_holds_the_new_try_of_a_failed_revision() -> None:
    house = small("a")
    house.merge(TARGET, IMAGE, fleet("a", generation="2")).apply()
    house.pass_time(timedelta(hours=1))
    for _ in range(5):
        house.apply()
        house.wait()
    house.freezes = frozen("start")
    house.merge(TARGET, IMAGE, fleet("a", generation="2", more="  rollout: {keepOld: 1m}\n"))
    assert item(house.plan(), "a").blocked.code == "freeze"
    house.freezes = ()
    house.converge()
    assert item(house.plan(), "a").action == "none"


def test_a_freeze_of_records_holds_the_zone_and_no_fleet() -> None:
    house = House(freezes=frozen("records")).merge(
        TARGET, IMAGE, zone("[{name: www, type: A, ttl: 60, values: [192.0.2.1]}]"), fleet()
    )
    plan = house.plan()
    assert item(plan, "example-com", "Zone").blocked.code == "freeze"
    assert item(plan).now


WINDOWS = {
    "inside": (
        Freeze(
            holds=("start",), reason="x", cron="0 18 * * 5", length=timedelta(hours=62), timezone="Asia/Seoul"
        ),
        datetime(2026, 11, 28, 3, tzinfo=UTC),
        True,
    ),
    "before": (
        Freeze(
            holds=("start",), reason="x", cron="0 18 * * 5", length=timedelta(hours=62), timezone="Asia/Seoul"
        ),
        datetime(2026, 11, 27, 8, 59, tzinfo=UTC),
        False,
    ),
    "first second": (
        Freeze(
            holds=("start",), reason="x", cron="0 18 * * 5", length=timedelta(hours=62), timezone="Asia/Seoul"
        ),
        datetime(2026, 11, 27, 9, 0, tzinfo=UTC),
        True,
    ),
    "end": (
        Freeze(
            holds=("start",), reason="x", cron="0 18 * * 5", length=timedelta(hours=62), timezone="Asia/Seoul"
        ),
        datetime(2026, 11, 29, 23, 0, tzinfo=UTC),
        False,
    ),
    "7 is Sunday": (
        Freeze(holds=("start",), reason="x", cron="0 0 * * 7", length=timedelta(hours=1)),
        datetime(2026, 11, 29, 0, 30, tzinfo=UTC),
        True,
    ),
    "from is inside": (Freeze(holds=("start",), reason="x", since=NOON, to=NOON + timedelta(1)), NOON, True),
    "to is outside": (Freeze(holds=("start",), reason="x", since=NOON - timedelta(1), to=NOON), NOON, False),
}


@pytest.mark.parametrize("case", WINDOWS)
def test_a_window_holds_from_its_start_to_before_its_end(case: str) -> None:
    window, now, holds = WINDOWS[case]
    assert (window.until(now) is not None) is holds


# Rollouts at a time


def test_rollouts_begin_by_order_and_a_shifted_one_frees_its_slot() -> None:
    def doc(n: int, generation: str) -> str:
        return fleet(f"f{n}", generation=generation, more=f"  rollout: {{order: {9 - n}, keepOld: 10h}}\n")

    house = House(limits=Limits(rollouts=2)).merge(TARGET, IMAGE, *(doc(n, "1") for n in range(4))).converge()
    house.merge(TARGET, IMAGE, *(doc(n, "2") for n in range(4)))
    plan = house.plan(ahead=True)
    assert {i.name for i in plan.items if i.now} == {"f3", "f2"}
    assert item(plan, "f0").wait.why == "2 rollouts are under way; limits.rollouts is 2"
    assert item(plan, "f0").action == "replace"
    assert item(plan, "f0").steps, "its way is shown"
    for _ in range(3):
        house.apply()
        house.wait()
    house.apply()
    assert len({g.tag("reconciler:fleet") for g in house.world.groups if not g.tag("reconciler:idle")}) == 4
    assert any(g.tag("reconciler:idle") for g in house.world.groups), "the old ones are still kept"
    newer = {t.tags for t in house.world.templates}
    assert len(newer) > 6


def test_births_do_not_count_as_rollouts() -> None:
    house = House(limits=Limits(rollouts=1)).merge(TARGET, IMAGE, *fleets("a", "b", "c"))
    assert {i.name for i in house.plan().items if i.now} == {"a", "b", "c"}


def test_the_stricter_limit_of_a_commit_and_its_parent_holds_and_approval_is_the_commits_own() -> None:
    own, before = (
        Limits(retire=100, rollouts=9, approved=("a",)),
        Limits(retire=10, dns_deletes=5, rollouts=2, approved=("b",)),
    )
    assert own.stricter(before) == Limits(
        retire=10, dns_deletes=5, dns_changes=30, rollouts=2, approved=("a",)
    )


# Deadlines


def test_a_revision_that_is_ready_is_not_failed_for_being_looked_at_late() -> None:
    house = small("a")
    house.merge(TARGET, IMAGE, fleet("a", generation="2")).apply()
    house.wait()
    house.pass_time(timedelta(hours=3))  # no pass was made
    house.converge()
    assert len(house.world.groups) == 1
    assert item(house.plan(), "a").action == "none"


@pytest.mark.parametrize("kind", TRAFFIC)
def test_the_only_revision_is_not_failed_because_its_stage_was_lost(kind: str) -> None:
    house = House().merge(TARGET, IMAGE, zone(), fleet("web", kind)).converge()
    name = group(house.world).name
    tags = tuple(t for t in group(house.world).tags if t[0] != "reconciler:stage")
    house.world = altered(house.world, tags=tags, instances=group(house.world).instances[:1])
    house.apply()
    house.pass_time(timedelta(hours=3))
    for _ in range(8):
        house.apply()
        house.wait()
    house.converge()
    assert group(house.world).name == name
    assert not house.plan().drift
