"""What is suspended is told when it is first seen and once a day after that, and stands in every rendering."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.facts import HAND, retagged
from reconciler.core.ids import Commit
from reconciler.plan.explain import explain
from reconciler.plan.model import Plan, TargetPlan
from reconciler.plan.status import status_of
from reconciler.report.as_json import plan_json
from reconciler.report.document_events import SuspendedReminder
from reconciler.report.event import Event
from reconciler.report.markdown import plan_markdown
from reconciler.report.story import NOTHING_TOLD, tell
from reconciler.report.text import plan_text
from reconciler.strategies.hand import Hand, Verb
from tests.plan.house import IMAGE, KEEPER, TARGET, House, fleet

COMMIT = Commit("c" * 40)
SUSPEND = '{name: %s, suspend: {reason: "incident 42", by: on-call}'


def settled() -> House:
    return House().merge(TARGET, IMAGE, fleet("web"), fleet("other")).converge()


def by_tag(generation: str = "1", *, verb: Verb = Verb.PAUSE, text: str = "looking") -> House:
    house = settled().merge(TARGET, IMAGE, fleet("web", generation=generation), fleet("other"))
    said = Hand(verb=verb, since=house.world.as_of, text=text).value()
    house.world = replace(
        house.world,
        groups=tuple(
            replace(g, tags=retagged(g.tags, {HAND: said})) if g.tag("reconciler:fleet") == "web" else g
            for g in house.world.groups
        ),
    )
    return house


def by_document(generation: str = "1") -> House:
    web = fleet("web", generation=generation).replace("{name: web", SUSPEND % "web", 1)
    return settled().merge(TARGET, IMAGE, web, fleet("other"))


def by_target(generation: str = "1") -> House:
    told = TARGET.replace("{name: prod", SUSPEND % "prod", 1)
    return settled().merge(told, IMAGE, fleet("web", generation=generation), fleet("other"))


WAYS = {"tag": by_tag, "document": by_document, "target": by_target}


def days(house: House, *, hours: int, passes: int) -> list[Event]:
    """Pass after pass; only what was told of suspensions."""
    memory, found = NOTHING_TOLD, []
    for _ in range(passes):
        memory, events = tell(memory, COMMIT, house.plan(), ())
        found += [e for e in events if e.event == "suspended.reminder"]
        house.pass_time(timedelta(hours=hours))
    return found


@pytest.mark.parametrize("way", WAYS)
def test_a_suspension_is_told_at_first_sight_and_then_once_a_day(way: str) -> None:
    house = WAYS[way]()
    found = days(house, hours=1, passes=24 * 3)
    assert 3 <= len(found) <= 4
    first = found[0]
    assert isinstance(first, SuspendedReminder)
    assert (first.kind, first.name) == (("Target", "prod") if way == "target" else ("Fleet", "web"))
    assert first.reason == ("looking" if way == "tag" else "incident 42")
    assert first.by == ("" if way == "tag" else "on-call")
    assert (first.since is None) is (way != "tag")
    assert first.where


def test_the_day_of_a_tag_is_counted_from_when_it_was_said_whatever_a_process_remembers() -> None:
    house = by_tag()
    assert len(days(house, hours=23, passes=1)) == 1
    memory, _ = tell(NOTHING_TOLD, COMMIT, house.plan(), ())
    _, same_day = tell(memory, COMMIT, house.plan(), ())
    house.pass_time(timedelta(hours=1))
    _, next_day = tell(memory, COMMIT, house.plan(), ())
    assert [e.event for e in (*same_day, *next_day)] == ["suspended.reminder"]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_suspended_is_blocked_only_where_it_has_something_to_do(way: str) -> None:
    for generation, names in (("1", []), ("2", ["web"])):
        _, events = tell(NOTHING_TOLD, COMMIT, WAYS[way](generation).plan(), ())
        assert [e.name for e in events if e.event == "blocked.found"] == names  # type: ignore[attr-defined]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("generation", ["1", "2"])
def test_every_rendering_says_who_suspended_and_why(way: str, generation: str) -> None:
    house = WAYS[way](generation)
    target: TargetPlan = house.plan(ahead=True)
    plan = Plan(commit=COMMIT, targets=(target,))
    reason = "looking" if way == "tag" else "incident 42"
    for text in (plan_text(plan), plan_markdown(plan)):
        assert "suspended" in text
        assert reason in text
    change = next(c for c in plan_json(plan)["changes"] if c["name"] == "web")
    assert change["suspended"]
    assert (change["suspended"]["said"], change["suspended"]["reason"]) == (way, reason)
    assert change["blocked"]
    assert change["blocked"]["code"] == "suspended"
    assert change["action"] == ("none" if generation == "1" else "blocked")
    (status,) = status_of(house.whole(), target, KEEPER, "web")
    told = "\n".join(explain(status, target))
    ways = {
        "tag": "way out: `reconciler resume web --target prod`",
        "document": "way out: take metadata.suspend out of git (all.yaml:",
        "target": "way out: take metadata.suspend of Target prod out of git (all.yaml:",
    }
    assert told.count(reason) == 1
    assert ways[way] in told
    assert ("reconciler resume" in told) is (way == "tag"), "`resume` ends none of git's"


@pytest.mark.parametrize(
    ("verb", "text", "words"),
    [
        (Verb.PROMOTE, "2", "is promoted past stage 2 since 2026-11-23"),
        (Verb.PROMOTE, "wave web-0123456789", "lets web-0123456789 go past its wave since"),
        (Verb.FULL, "hotfix", "takes all traffic, past holds and pauses, since 2026-11-23"),
        (Verb.ABORT, "5xx", "is aborted since 2026-11-23"),
    ],
)
def test_explain_tells_what_was_said_by_hand(verb: Verb, text: str, words: str) -> None:
    house = by_tag(verb=verb, text=text)
    plan = house.plan()
    (status,) = status_of(house.whole(), plan, KEEPER, "web")
    assert words in "\n".join(explain(status, plan))
