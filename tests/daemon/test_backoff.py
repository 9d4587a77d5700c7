"""What failed is left alone for longer and longer; going back is never put off."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.apply.executor import goes_back
from reconciler.core.facts import FAILED
from reconciler.core.ids import Arn, FleetName, ResourceName, Revision, TargetName, resource_name
from reconciler.daemon.audit import Audit
from reconciler.daemon.backoff import Growth, Rest, rest_after, resting, without
from reconciler.kinds.balancer.steps import SetRule
from reconciler.kinds.group.steps import Detach, SetSizes
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.register import Step
from reconciler.kinds.template.steps import TagTemplate
from reconciler.plan.model import ActionKind, Item, TargetPlan
from reconciler.report.outcome import Outcome
from tests.effort import tries
from tests.worlds import NOON

GROWTH = Growth(least=timedelta(seconds=5), most=timedelta(minutes=15))
MINUTE = timedelta(minutes=1)
NEW, OLD = Revision("v1." + "a" * 40), Revision("v1." + "b" * 40)
NEW_NAME, OLD_NAME = resource_name(FleetName("web"), NEW), resource_name(FleetName("web"), OLD)
SIZES = Sizes(min=1, max=2, desired=1)


def sizes(because: str = "") -> SetSizes:
    return SetSizes(name=NEW_NAME, expect=SIZES, sizes=SIZES, because=because)


def rule(to: ResourceName) -> SetRule:
    return SetRule(name=to, arn=Arn("r"), expect=(), weights=(), mark=to, stage="1/x")


def item(*now: Step, name: str = "web") -> Item:
    return Item(
        kind="Fleet",
        name=name,
        target=TargetName("prod"),
        action=ActionKind.REPLACE,
        was=OLD,
        to=NEW,
        now=now,
    )


def plan(*items: Item) -> TargetPlan:
    return TargetPlan(target=TargetName("prod"), as_of=NOON, digest="d", complete=True, items=items, drift=())


def failed(name: str = "web", failure: str = "invalid") -> Outcome:
    return Outcome(kind="Fleet", name=name, revision=NEW, step=sizes(), failure=failure, why="no")


def succeeded(name: str = "web") -> Outcome:
    return Outcome(kind="Fleet", name=name, revision=NEW, step=sizes())


def detach(name: ResourceName) -> Detach:
    return Detach(name=name, target_groups=(Arn("arn:shared"),), classic=())


WAYS: list[tuple[str, Item, bool]] = [
    ("traffic goes on to the wanted revision", item(rule(NEW_NAME)), False),
    ("traffic returns to another one", item(rule(OLD_NAME)), True),
    ("traffic returns once the floor is raised", item(sizes(), rule(OLD_NAME)), True),
    ("a failed revision ends", item(sizes("failed: not ready in time")), True),
    (
        "the failure is marked",
        item(TagTemplate(name=NEW_NAME, id="lt-1", put=((FAILED, "x;1;y"),), because="failed: y")),
        True,
    ),
    ("the wanted one leaves its target groups", item(detach(NEW_NAME)), True),
    ("another one leaves them", item(detach(OLD_NAME)), False),
    ("sizes are written", item(sizes("capacity changed")), False),
    ("nothing", item(), False),
]


@pytest.mark.parametrize(("one", "back"), [w[1:] for w in WAYS], ids=[w[0] for w in WAYS])
def test_what_goes_back_is_known_and_is_done_though_it_rests(one: Item, back: bool) -> None:
    assert goes_back(one) is back
    made = without(plan(one), frozenset({("Fleet", "web")}))
    assert made.items[0].now == (one.now if back else ())


def test_what_does_not_rest_goes_on() -> None:
    made = without(plan(item(sizes()), item(sizes(), name="api")), frozenset({("Fleet", "web")}))
    assert [bool(i.now) for i in made.items] == [False, True]


def test_only_what_failed_rests_and_longer_each_time() -> None:
    rests: dict[tuple[str, str], Rest] = {}
    until = []
    for _ in range(12):
        rests = rest_after(rests, [failed(), succeeded("api")], 0.0, 0.5, GROWTH, MINUTE)
        until.append(rests["Fleet", "web"].until)
    assert set(rests) == {("Fleet", "web")}
    assert until[:4] == [5.0, 10.0, 20.0, 40.0]
    assert until[-1] == 900.0
    assert resting(rests, 899.0) == {("Fleet", "web")}
    assert resting(rests, 900.0) == frozenset()


@pytest.mark.parametrize("failure", ["credentials", "throttled", "deadline"])
def test_what_ends_the_whole_pass_makes_no_single_document_rest(failure: str) -> None:
    assert rest_after({}, [failed(failure=failure)], 0.0, 0.5, GROWTH, MINUTE) == {}


def test_a_success_ends_the_rest_and_the_count() -> None:
    rests = rest_after({}, [failed()] * 2, 0.0, 0.5, GROWTH, MINUTE)
    rests = rest_after(rests, [succeeded()], 10.0, 0.5, GROWTH, MINUTE)
    assert rests == {}


def test_a_step_that_was_done_before_another_failed_is_no_success() -> None:
    rests = rest_after({}, [succeeded(), failed()], 0.0, 0.5, GROWTH, MINUTE)
    assert rests["Fleet", "web"].failures == 1


@pytest.mark.parametrize("failure", ["not-yet", "busy", "changed"])
def test_what_time_mends_never_rests_longer_than_an_interval(failure: str) -> None:
    rests: dict[tuple[str, str], Rest] = {}
    for _ in range(12):
        rests = rest_after(rests, [failed(failure=failure)], 0.0, 1.0, GROWTH, MINUTE)
    assert rests["Fleet", "web"].until == 60.0


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_rest_is_never_shorter_than_four_fifths_nor_longer_than_the_most(
    failures: int, chance: float
) -> None:
    span = GROWTH.after(failures, chance)
    assert GROWTH.least * 0.8 <= span <= GROWTH.most * 1.2 + timedelta(microseconds=1)


@settings(deadline=None, max_examples=tries(40))
@given(st.integers(1, 700), st.floats(5, 120), st.sampled_from([600.0, 3600.0]))
def test_an_audit_reaches_every_fleet_within_its_time(count: int, interval: float, every: float) -> None:
    names = [f"f{n}" for n in range(count)]
    audit = Audit(every=every, interval=interval)
    seen: set[str] = set()
    now, most = 0.0, 0
    while now <= every + 2 * interval:
        due = audit.due(names, now)
        audit.done(due, now)
        seen |= due
        most = max(most, len(due))
        now += interval
    assert seen == set(names)
    assert most <= 2 * (count * interval / every + 1)


def test_a_pass_that_failed_leaves_its_turns_to_the_next() -> None:
    audit = Audit(every=60.0, interval=60.0)
    assert audit.due(["a", "b"], 0.0) == {"a", "b"}
    assert audit.due(["a", "b"], 60.0) == {"a", "b"}
    audit.done(frozenset({"a", "b"}), 60.0)
    assert audit.due(["a", "b"], 61.0) <= {"a", "b"}
