"""What a person asks by hand: the word that is written, once, or the sentence that says why it means nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.facts import COMMIT, FAILED, HAND, Unread
from reconciler.core.ids import FleetName
from reconciler.kinds.group.steps import ReplaceInstance, TagGroup
from reconciler.kinds.register import Blocked
from reconciler.kinds.template.steps import TagTemplate
from reconciler.plan import hands
from reconciler.plan.hands import Answer, Ask, Facts, NoMeaningError, facts_of, fleet_of_instance
from reconciler.plan.simulate import do
from reconciler.strategies.hand import Verb, parse_hand
from tests.plan.house import IMAGE, KEEPER, TARGET, House, fleet, zone

ABORT = hands.abort("5xx")


def facts(house: House, *, later: bool = False, blocked: Blocked | None = None) -> Facts:
    here = house.history[-1].fleet(FleetName("web"), "prod") is not None
    targets = ("dev", "prod") if later else ("prod",) if here else ()
    found = facts_of(house.whole(), house.plan(), KEEPER, "web", targets)
    return replace(found, item=replace(found.item, blocked=blocked)) if blocked and found.item else found


def write(house: House, ask: Ask, **of: object) -> Answer:
    """Ask, write what comes of it, and ask again: the second time nothing is written."""
    answer = ask(facts(house, **of))
    for step in answer.steps:
        house.world, _ = do(house.world, step)
    assert ask(facts(house, **of)).steps == ()
    return answer


def words(house: House) -> dict[str, tuple[Verb, str]]:
    """What the groups of web say, by name."""
    said = {g.name: parse_hand(g.tag(HAND)) for g in house.world.groups}
    return {name: (hand.verb, hand.text) for name, hand in said.items() if hand}


def document(generation: str = "1", *, hold: bool = False) -> tuple[str, ...]:
    more = f"  rollout: {{keepOld: 1h, onFailure: {'hold' if hold else 'rollback'}}}\n"
    return (TARGET, IMAGE, zone(), fleet("web", "balancer", more, generation=generation))


def at_rest() -> House:
    return House().merge(*document()).converge()


def rolling() -> House:
    """Two groups, and the old one serves."""
    house = at_rest().merge(*document("2"))
    house.apply()
    return house


def shifted() -> House:
    """All traffic is with the new one, and the old one is kept."""
    house = rolling()
    for _ in range(40):
        plan = house.apply()
        if any(g.tag("reconciler:idle") for g in house.world.groups):
            return house
        waits = [i.wait.until for i in plan.items if i.wait and i.wait.until]
        house.wait(min(waits, default=house.world.as_of + timedelta(minutes=1)))
    raise AssertionError("it never shifted")


def retired() -> House:
    return at_rest().merge(*document("2")).converge()


def failed() -> House:
    """The new one was not ready in time, and is a tombstone."""
    return late(rolling())


def late(house: House) -> House:
    """Let the newest one have no instance when its time is over."""
    house.pass_time(timedelta(hours=1))
    house.world = replace(
        house.world,
        groups=tuple(
            replace(g, instances=()) if g is house.world.groups[-1] else g for g in house.world.groups
        ),
    )
    for _ in range(3):
        house.apply()
    return house


def new(house: House) -> str:
    return max(house.world.groups, key=lambda g: g.tag("reconciler:born")).name


def nobody() -> House:
    return House().merge(*document())


def gone() -> House:
    return at_rest().merge(TARGET, IMAGE, zone(), fleet("other"))


@pytest.mark.parametrize("house", [at_rest, rolling, shifted], ids=lambda h: h.__name__)
def test_a_pause_stands_on_every_group_that_works_and_is_read_back_by_the_plan(
    house: Callable[[], House],
) -> None:
    made = house()
    answer = write(made, hands.pause("looking at it"))
    working = {g.name for g in made.world.groups if not g.tag("reconciler:idle")}
    assert words(made) == dict.fromkeys(working, (Verb.PAUSE, "looking at it"))
    found = facts(made).item
    assert found
    assert found.suspended
    assert found.suspended.reason == "looking at it"
    assert "`reconciler resume web` ends it" in answer.told
    made.pass_time(timedelta(days=1))
    assert facts(made).item.suspended


def test_a_pause_said_again_keeps_its_begin_and_takes_the_new_reason_and_end() -> None:
    house = at_rest()
    write(house, hands.pause("one"))
    began = house.world.as_of
    house.pass_time(timedelta(hours=1))
    answer = hands.pause("two", timedelta(hours=2))(facts(house))
    (step,) = answer.steps
    assert isinstance(step, TagGroup)
    hand = parse_hand(dict(step.put)[HAND])
    assert hand
    assert (hand.since, hand.text) == (began, "two")
    assert hand.until == house.world.as_of + timedelta(hours=2)
    assert f"until {hand.until:%Y-%m-%d %H:%M} UTC" in answer.told


def test_a_pause_does_not_take_the_place_of_what_was_said_to_a_rollout() -> None:
    house = rolling()
    write(house, ABORT)
    write(house, hands.pause("wait"))
    assert words(house)[new(house)] == (Verb.ABORT, "5xx")
    assert sorted(v for v, _ in words(house).values()) == ["abort", "pause"]
    for step in hands.resume("done")(facts(house)).steps:
        house.world, _ = do(house.world, step)
    assert words(house) == {new(house): (Verb.ABORT, "5xx")}


def test_resume_takes_a_pause_off_wherever_it_stands() -> None:
    house = rolling()
    write(house, hands.pause("wait"))
    assert len(words(house)) == 2
    for step in hands.resume("seen enough")(facts(house)).steps:
        house.world, _ = do(house.world, step)
    assert words(house) == {}
    with pytest.raises(NoMeaningError, match="web is not paused in prod"):
        hands.resume("again")(facts(house))


def test_resume_says_where_git_suspends_too() -> None:
    house = at_rest()
    told = document()[3].replace("metadata: {name: web", "metadata: {name: web, suspend: {reason: incident}")
    house.merge(*document()[:3], told)
    with pytest.raises(NoMeaningError, match=r"suspended in git \(all.yaml:\d+\): take that out"):
        hands.resume("x")(facts(house))
    write(house, hands.pause("wait"))
    answer = hands.resume("x")(facts(house))
    assert len(answer.steps) == 1
    assert "still suspended in git" in answer.told


def test_a_pause_that_is_over_is_none() -> None:
    house = at_rest()
    write(house, hands.pause("wait", timedelta(hours=1)))
    house.pass_time(timedelta(hours=2))
    assert facts(house).item.suspended is None
    with pytest.raises(NoMeaningError, match="not paused"):
        hands.resume("x")(facts(house))


def test_promote_names_the_stage_that_the_rollout_stands_at() -> None:
    house = rolling()
    paused = Blocked(code="pause", why="paused at 10%")
    answer = write(house, hands.promote(), blocked=paused)
    assert words(house) == {new(house): (Verb.PROMOTE, "0")}
    assert "goes past its pause" in answer.told


def test_promote_goes_past_a_wave_for_the_one_revision_that_waits() -> None:
    for blocked in (Blocked(code="wave", why="wave: web in dev failed"), None):
        house = at_rest().merge(*document("2"))
        write(house, hands.promote(), blocked=blocked, later=True)
        (hand,) = words(house).values()
        wanted = next(s.name for s in house.plan().items[0].now if s.op == "create-template")
        assert hand == (Verb.PROMOTE, f"wave {wanted}")


def test_full_is_said_to_the_revision_that_rolls() -> None:
    house = rolling()
    answer = write(house, hands.full("hotfix"))
    assert words(house) == {new(house): (Verb.FULL, "hotfix")}
    assert "as soon as its gates hold" in answer.told


@pytest.mark.parametrize("house", [rolling, shifted], ids=lambda h: h.__name__)
def test_abort_is_said_until_the_one_before_is_retired(house: Callable[[], House]) -> None:
    made = house()
    answer = write(made, ABORT)
    assert words(made) == {new(made): (Verb.ABORT, "5xx")}
    old = next(g.name for g in made.world.groups if g.name != new(made))
    assert f"traffic goes back to {old}" in answer.told


def test_a_suspended_rollout_may_be_aborted_and_stays_suspended() -> None:
    house = rolling()
    write(house, hands.pause("wait"))
    write(house, ABORT)
    assert words(house)[new(house)] == (Verb.ABORT, "5xx")
    assert facts(house).item.suspended


REFUSED: dict[str, tuple[Callable[[], House], Ask, str]] = {
    "pause of nobody": (nobody, hands.pause("x"), "suspend it in git by metadata.suspend"),
    "promote of one that nothing holds": (at_rest, hands.promote(), "web waits for nobody in prod"),
    "promote of one that gets ready": (rolling, hands.promote(), "waits for nobody in prod: web-"),
    "promote of one that left git": (gone, hands.promote(), "web is not in git for prod"),
    "full at rest": (at_rest, hands.full("x"), "no rollout of web is under way"),
    "full once it was shifted": (shifted, hands.full("x"), "no rollout of web is under way"),
    "full of the first": (nobody, hands.full("x"), "no rollout of web is under way"),
    "abort at rest": (at_rest, ABORT, "the revision before is retired; revert the commit"),
    "abort once the old one is gone": (retired, ABORT, "the revision before is retired; revert the commit"),
    "abort before it began": (nobody, ABORT, "no rollout is under way; revert the commit"),
    "abort of one that failed": (failed, ABORT, "has failed and goes back already"),
    "retry at rest": (at_rest, hands.retry("f" * 40), "no revision of web failed in prod"),
    "retry of a rollout that waits": (rolling, hands.retry("f" * 40), "no revision of web failed in prod"),
    "abort of one that left git": (gone, ABORT, "no revision that git wants"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_means_nothing_now_is_refused_with_why(case: str) -> None:
    house, ask, why = REFUSED[case]
    with pytest.raises(NoMeaningError, match=why.replace("(", r"\(")):
        ask(facts(house()))


@pytest.mark.parametrize("ask", [hands.promote(), hands.full("x")], ids=["promote", "full"])
def test_a_suspended_rollout_is_resumed_first(ask: Ask) -> None:
    house = rolling()
    write(house, hands.pause("wait"))
    with pytest.raises(NoMeaningError, match="web is suspended: wait; resume it first"):
        ask(facts(house))


def test_one_that_goes_back_takes_no_more_traffic() -> None:
    house = rolling()
    write(house, ABORT)
    with pytest.raises(NoMeaningError, match="goes back: 5xx"):
        hands.full("x")(facts(house))


def marked(house: House) -> list[str]:
    """Which revisions carry the mark of a failure."""
    return [t.name for t in house.world.templates if t.failed]


def test_a_tombstone_is_tried_again_and_counts_for_the_commit_at_hand() -> None:
    house = failed().converge()
    (name,) = marked(house)
    assert name not in {g.name for g in house.world.groups}, "a tombstone has no group"
    answer = hands.retry(house.head)(facts(house))
    assert answer.told == f"{name} is tried again"
    (step,) = answer.steps
    assert isinstance(step, TagTemplate)
    assert (step.name, step.put, step.drop) == (name, ((COMMIT, house.head),), (FAILED,))
    house.world, _ = do(house.world, step)
    assert marked(house) == []
    assert facts(house).item.blocked is None


def test_a_failed_revision_whose_group_is_still_there_gets_its_time_anew_before_its_mark_goes() -> None:
    house, name = rolling(), new(rolling())
    mine = next(t for t in house.world.templates if t.name == name)
    why = f"hash;{house.world.as_of.timestamp():.0f};not ready"
    house.world, _ = do(
        house.world, TagTemplate(name=name, id=mine.id, put=((FAILED, why),), because="not ready in time")
    )
    word, mark = hands.retry(house.head)(facts(house)).steps
    assert isinstance(word, TagGroup)
    hand = parse_hand(dict(word.put)[HAND])
    assert (word.name, hand.verb, hand.since) == (name, Verb.RETRY, house.world.as_of)
    assert (mark.name, mark.drop) == (name, (FAILED,))


def test_a_held_revision_stays_where_it_failed_until_retry_gives_it_its_time_anew() -> None:
    house = House().merge(*document(hold=True)).converge().merge(*document("2", hold=True))
    house.apply()
    late(house)
    (name,) = marked(house)
    assert name in {g.name for g in house.world.groups if not g.deleting}, "it is held, and not taken back"
    assert facts(house).item.blocked
    answer = hands.retry(house.head)(facts(house))
    for step in answer.steps:
        house.world, _ = do(house.world, step)
    assert marked(house) == []
    item = facts(house).item
    assert item.blocked is None
    assert item.wait.deadline
    assert item.wait.deadline > house.world.as_of
    house.converge()
    assert {g.name for g in house.world.groups} == {name}


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 201, "a\x1b[2J"])
def test_a_reason_is_one_that_a_tag_holds_and_people_can_read(reason: str) -> None:
    for verb in (hands.pause, hands.full, *(() if reason == "" else (hands.resume, hands.abort))):
        with pytest.raises(NoMeaningError, match="reason"):
            verb(reason)
    with pytest.raises(NoMeaningError, match="reason"):
        hands.replace_instance("i-1", reason)


def test_a_pause_of_no_time_is_refused() -> None:
    with pytest.raises(NoMeaningError, match="of no time"):
        hands.pause("x", timedelta())


def test_nothing_is_said_where_the_groups_could_not_be_read() -> None:
    house = at_rest()
    blind = replace(house.whole(), groups=Unread(what="groups", why="denied"))
    with pytest.raises(NoMeaningError, match="groups could not be read: denied"):
        facts_of(blind, house.plan(), KEEPER, "web", ("prod",))
    with pytest.raises(NoMeaningError, match="groups could not be read: denied"):
        fleet_of_instance(blind, KEEPER, "i-1")


# One instance


def instance(house: House, name: str) -> str:
    return next(i.id for g in house.world.groups if g.name == name for i in g.instances)


def test_an_instance_is_replaced_by_its_group_which_keeps_its_size() -> None:
    house = at_rest()
    one = instance(house, new(house))
    assert fleet_of_instance(house.whole(), KEEPER, one) == "web"
    answer = hands.replace_instance(one, "bad disk")(facts(house))
    assert answer.steps == (
        ReplaceInstance(name=house.world.groups[0].name, instance=one, because="bad disk"),
    )
    house.world, _ = do(house.world, answer.steps[0])
    assert fleet_of_instance(house.whole(), KEEPER, one) is None
    house.wait()
    assert len(house.world.groups[0].instances) == 3


def test_an_instance_that_ends_already_is_not_asked_for_again_and_a_last_one_is_told() -> None:
    house = at_rest()
    group = house.world.groups[0]
    one = group.instances[0]
    ending = replace(group, instances=(replace(one, lifecycle="Terminating:Wait"), *group.instances[1:]))
    house.world = replace(house.world, groups=(ending,))
    assert hands.replace_instance(one.id, "x")(facts(house)).steps == ()
    house.world = replace(house.world, groups=(replace(group, instances=(one,)),))
    assert "nothing serves until the next one is" in hands.replace_instance(one.id, "x")(facts(house)).told


def test_an_instance_is_not_replaced_where_it_would_do_harm() -> None:
    house = rolling()
    house.wait()
    serving = next(g.name for g in house.world.groups if g.name != new(house))
    with pytest.raises(NoMeaningError, match="is in a rollout, which is judged by its instances"):
        hands.replace_instance(instance(house, new(house)), "x")(facts(house))
    assert hands.replace_instance(instance(house, serving), "x")(facts(house)).steps
    write(house, hands.pause("wait"))
    with pytest.raises(NoMeaningError, match="web is suspended: wait"):
        hands.replace_instance(instance(house, serving), "x")(facts(house))
    house = at_rest()
    stuck = replace(house.world.groups[0], suspended=(("Launch", "by hand"),))
    house.world = replace(house.world, groups=(stuck,))
    with pytest.raises(NoMeaningError, match=r"process Launch of web-.* is suspended"):
        hands.replace_instance(stuck.instances[0].id, "x")(facts(house))
