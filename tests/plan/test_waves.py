"""One fleet in several targets: the order of `targets` is the order of waves, and a wave holds back only starts."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from reconciler.core.facts import Unread
from reconciler.plan.limits import Limits
from reconciler.plan.settle import pass_time
from tests.effort import tries
from tests.plan.house import altered, item, ops
from tests.plan.street import Street, spread

KEEP = "  rollout: {keepOld: 10m, readyWithin: 15m}\n"


def both(generation: str = "1", *names: str, more: str = KEEP) -> str:
    return spread(*(names or ("seoul", "tokyo")), generation=generation, more=more)


def settled(count: int = 2) -> Street:
    """Every target at the first revision."""
    return Street(count).merge(both("1", *("seoul", "tokyo", "dublin")[:count])).converge()


def fails(street: Street, name: str) -> None:
    """A rollout begins there, none of its instances comes into service, and it goes back."""
    house = street[name]
    street.run(name)
    house.world = pass_time(house.world, timedelta(minutes=20))
    for _ in range(6):
        street.run(name)
        house.wait()
    for other in street.houses.values():
        other.world = replace(other.world, as_of=street.now)
    assert item(street.run(name)).blocked.code == "failed"


def test_first_births_wait_for_nobody() -> None:
    street = Street().merge(both())
    assert ops(street.plan("tokyo"))[0] == "create-template"


def test_a_target_that_comes_to_a_fleet_is_born_though_the_earlier_one_is_not_read() -> None:
    street = Street().merge(both("1", "seoul")).converge().merge(both("2"))
    street.lose("seoul", "the region is down")
    assert ops(street.plan("tokyo"))[0] == "create-template"


def test_a_start_waits_until_the_earlier_target_has_shifted() -> None:
    street = settled().merge(both("2"))
    assert "at this commit" in item(street.plan("tokyo", ahead=True)).wait.why
    for _ in range(12):
        if street.shifted("seoul"):
            break
        street.run("seoul")
        waiting = item(street.run("tokyo"))
        assert waiting.wait.why.startswith("waits for wave: web in seoul")
        assert waiting.action == "replace"
        street.wait()
    street.run("seoul")
    assert item(street.run("tokyo")).now, "kept revisions of the earlier target hold nobody back"
    assert street.started[0][0] == "seoul"
    street.converge()
    assert street.shifted("tokyo")


def test_the_whole_way_of_a_later_wave_is_shown() -> None:
    street = settled().merge(both("2"))
    street.plan("seoul")
    found = item(street.plan("tokyo", ahead=True))
    assert not found.now
    assert "create-group" in [s.op for s in found.steps]
    assert found.steps[-1].op == "delete-template"


def test_sizes_are_changed_in_every_target_at_once() -> None:
    street = settled().merge(both("1", more=KEEP + "  capacity: {min: 1, max: 9, desired: 3}\n"))
    assert ops(street.plan("tokyo"))[0] == "set-sizes"


def test_a_rollout_that_has_begun_goes_on_whatever_becomes_of_the_earlier_target() -> None:
    street = settled().merge(both("2"))
    while not street.shifted("seoul"):
        street.run("seoul")
        street.wait()
    street.run("seoul")
    street.run("tokyo")
    street.lose("seoul")
    street.wait()
    for _ in range(6):
        street.houses["seoul"].world = replace(street["seoul"].world, as_of=street.now)
        street.run("tokyo")
        street.wait()
    assert street.shifted("tokyo")


STOPS = {
    "failed": "blocked (failed): revision web-",
    "not looked at": "not known: AccessDenied",
    "incomplete": "not known: templates could not be read: AccessDenied",
    "stale": "not known: it was last seen ",
}


def stopped(how: str) -> Street:
    """The earlier target of two will not get there by itself."""
    street = settled().merge(both("2"))
    street.run("seoul")
    if how == "failed":
        fails(street, "seoul")
    elif how == "not looked at":
        street.lose("seoul")
    else:
        street.wait(timedelta(minutes=3))
    if how == "incomplete":
        house = street["seoul"]
        house.world = replace(house.world, templates=Unread(what="templates", why="AccessDenied"))
        street.plan("seoul")
    return street


@pytest.mark.parametrize("how", STOPS)
def test_what_stops_the_earlier_target_blocks_the_later_ones_by_name(how: str) -> None:
    found = item(stopped(how).plan("tokyo"))
    assert (found.action, found.blocked.code) == ("blocked", "wave")
    assert found.blocked.why.startswith(f"wave: web in seoul is {STOPS[how]}")


def test_a_look_counts_for_two_intervals_whatever_came_after_it() -> None:
    street = settled().merge(both("2"))
    while not street.shifted("seoul"):
        street.run("seoul")
        street.wait()
    street.run("seoul")
    street.board.lost("seoul", "AccessDenied")
    assert item(street.plan("tokyo")).now
    street.wait(timedelta(minutes=2))
    assert item(street.plan("tokyo")).now
    street.wait(timedelta(minutes=1))
    assert item(street.plan("tokyo")).blocked.why == "wave: web in seoul is not known: AccessDenied"


@pytest.mark.parametrize("how", STOPS)
def test_a_person_may_go_past_a_wave(how: str) -> None:
    street = stopped(how)
    street.promote("tokyo")
    assert ops(street.plan("tokyo"))


def test_a_promotion_that_names_a_revision_is_of_that_one_alone() -> None:
    street = stopped("stale")
    meant = item(street.plan("tokyo")).to
    street.promote("tokyo", f"wave web-{meant.partition('.')[2][:10]}")
    assert item(street.plan("tokyo")).now
    street.merge(both("3"))
    assert not item(street.plan("tokyo")).now


def test_a_promotion_of_a_stage_goes_past_no_wave() -> None:
    street = stopped("stale")
    street.promote("tokyo", "2")
    assert item(street.plan("tokyo")).blocked.code == "wave"


def test_one_that_stopped_is_told_before_one_that_moves() -> None:
    street = settled(3).merge(both("2", "seoul", "tokyo", "dublin"))
    street.run("seoul")
    street.lose("tokyo")
    street.run("seoul")
    assert item(street.plan("dublin")).blocked.why == "wave: web in tokyo is not known: AccessDenied"


def test_three_waves_begin_one_after_another_and_a_fix_starts_again_with_the_first() -> None:
    names = ("seoul", "tokyo", "dublin")
    street = settled(3).merge(both("2", *names))
    while not any(name == "tokyo" for name, _ in street.started):
        for name in names:
            street.run(name)
        street.wait()
    street.merge(both("3", *names)).converge()
    order = [name for name, _ in street.started]
    assert order == ["seoul", "tokyo", "seoul", "tokyo", "dublin"]


def test_going_back_to_a_kept_revision_waits_for_no_wave() -> None:
    street = settled().merge(both("2", more="  rollout: {keepOld: 10h}\n"))
    for _ in range(20):
        street.run("seoul")
        street.run("tokyo")
        street.wait()
    assert street.shifted("tokyo")
    street.merge(both("1", more="  rollout: {keepOld: 10h}\n"))
    street.lose("seoul")
    assert item(street.run("tokyo")).now
    assert len(street.started) == 2, "no group was made"


def test_a_failing_rollout_goes_back_past_waves_limits_and_the_breaker() -> None:
    street = settled().merge(both("2"))
    while not street.shifted("seoul"):
        street.run("seoul")
        street.wait()
    street.run("seoul")
    street.run("tokyo")
    tokyo = street["tokyo"]
    tokyo.limits = Limits(retire=0, rollouts=1, failures=1)
    street.board.lost("seoul", "AccessDenied")
    tokyo.world = pass_time(tokyo.world, timedelta(hours=1))
    assert ops(street.run("tokyo"))[0] == "tag-template"
    for _ in range(6):
        tokyo.world = pass_time(tokyo.world, timedelta(minutes=5))
        street.run("tokyo")
        tokyo.wait()
    assert [g.tag("reconciler:failed") for g in tokyo.world.groups] == [""]
    assert item(street.run("tokyo")).blocked.code == "failed"


TRIED: Counter[str] = Counter()
EVENTS = ("seoul", "tokyo", "dublin") * 4 + ("wait",) * 6 + ("hours", "merge", "promote", "die", "lost")


@pytest.mark.slow
@settings(max_examples=tries(25), deadline=None)
@given(st.lists(st.sampled_from(EVENTS), min_size=20, max_size=70), st.data())
def test_no_later_target_starts_before_every_earlier_one_has_shifted(
    events: list[str], data: st.DataObject
) -> None:
    street, generation, promoted = settled(3), 1, False
    names = tuple(street.houses)
    proven: set[tuple[str, int]] = set()
    for event in events:
        note(event)
        TRIED[event] += 1
        if event in names:
            before = len(street.started)
            street.run(event)
            if street.shifted(event):
                proven.add((event, generation))
            if len(street.started) > before and not promoted:
                earlier = names[: names.index(event)]
                assert all((n, generation) in proven for n in earlier), (event, generation, proven)
        elif event == "wait":
            street.wait()
        elif event == "hours":
            street.wait(timedelta(hours=2))
        elif event == "merge":
            generation += 1
            street.merge(both(str(generation), *names))
        elif event == "promote" and street[names[-1]].world.groups:
            promoted = True
            street.promote(names[-1])
        elif event == "die":
            house = street[data.draw(st.sampled_from(names))]
            if len(house.world.groups) == 1:
                house.world = altered(house.world, instances=())
        elif event == "lost":
            name = data.draw(st.sampled_from(names))
            street.lose(name)
    street.converge(120)
    if not any(i.blocked for n in names for i in street.plan(n).items):
        assert all(street.shifted(n) for n in names)
