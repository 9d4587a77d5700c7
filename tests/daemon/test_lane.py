"""One target's passes: when the next one is, what is told, who rests."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.facts import Unread
from reconciler.core.ids import Commit, ResourceName, TargetName
from reconciler.daemon.lane import Lane, Tempo, Tools
from reconciler.daemon.order import Order, Turn
from reconciler.kinds.group.steps import SetSizes
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.register import Wait
from reconciler.plan.model import ActionKind, Drift, Item, TargetPlan
from reconciler.plan.reach import Report
from reconciler.report.events import PassDone, PassFailed
from reconciler.report.metrics import Metrics
from reconciler.report.outcome import Outcome
from reconciler.source.repository import Adopted
from tests.daemon.script import Ear, Script, failing, nothing_to_do
from tests.report.drive import desired_of
from tests.repositories import target
from tests.worlds import NOON

MINUTE = timedelta(minutes=1)
SIZES = Sizes(min=1, max=2, desired=1)
STEP = SetSizes(name=ResourceName("web-1"), expect=SIZES, sizes=SIZES)
DONE = Outcome(kind="Fleet", name="web", revision="v1.aa", step=STEP)
ALREADY = replace(DONE, already=True)
FAILED = replace(DONE, failure="invalid", why="ValidationError")


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Here:
    """One lane with all around it in hand."""

    def __init__(self, folder: Path) -> None:
        (folder / "t.yaml").write_text(target())
        desired = desired_of(folder)
        self.script, self.ear, self.clock, self.metrics = Script(), Ear(), Clock(), Metrics()
        tools = Tools(
            passes=self.script, metrics=self.metrics, emit=self.ear, chance=lambda: 0.5, now=self.clock
        )
        self.adopted = Adopted(commit=Commit("c" * 40), desired=desired, parent=None, source="s")
        self.lane = Lane(
            target=desired.targets[0],
            adopted=self.adopted,
            tempo=Tempo(interval=MINUTE, audit=timedelta(hours=1)),
            tools=tools,
        )

    def run(self, answer: Callable[[Order], Turn] = nothing_to_do) -> timedelta:
        """Make one pass with this answer."""
        self.script.answer["prod"] = answer
        return self.lane.run()

    def told(self) -> list[str]:
        """Return the names of the events since the last call."""
        names = []
        while not self.ear.events.empty():
            event = self.ear.events.get()
            self.ear.heard.append(event)
            names.append(event.event)
        return names

    def order(self) -> Order:
        """Return what the last pass was asked for."""
        return self.script.asked["prod"].get_nowait()


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


def turn(*outcomes: Outcome, **more: Any) -> Callable[[Order], Turn]:
    """Return an answer with these outcomes."""
    return lambda order: replace(nothing_to_do(order), outcomes=outcomes, **more)


def planned(*items: Item, **more: Any) -> Callable[[Order], Turn]:
    """Return an answer with a plan of these items."""
    plan = TargetPlan(target=TargetName("prod"), as_of=NOON, digest="d", complete=True, items=items, drift=())
    return turn(plan=replace(plan, **more))


def waiting(until: timedelta | None) -> Item:
    return Item(
        kind="Fleet",
        name="web",
        target=TargetName("prod"),
        action=ActionKind.REPLACE,
        wait=Wait(why="it boots", until=None if until is None else NOON + until),
    )


NEXT: list[tuple[str, Callable[[Order], Turn], timedelta]] = [
    ("in sync: after an interval", nothing_to_do, MINUTE),
    ("it wrote: soon", turn(DONE), timedelta(seconds=5)),
    ("the effect was there already: after an interval", turn(ALREADY), MINUTE),
    ("a step failed: after an interval", turn(FAILED), MINUTE),
    ("one failed and one was done: soon", turn(FAILED, replace(DONE, name="api")), timedelta(seconds=5)),
    ("it waits for no known time: after an interval", planned(waiting(None)), MINUTE),
    ("it waits for twenty seconds: then", planned(waiting(timedelta(seconds=20))), timedelta(seconds=20)),
    ("it waits for a second: not that soon", planned(waiting(timedelta(seconds=1))), timedelta(seconds=5)),
    ("it waits for an hour: after an interval", planned(waiting(timedelta(hours=1))), MINUTE),
    ("its time is past: not at once", planned(waiting(timedelta(seconds=-9))), timedelta(seconds=5)),
]


@pytest.mark.parametrize(("answer", "span"), [n[1:] for n in NEXT], ids=[n[0] for n in NEXT])
def test_when_the_next_pass_is(here: Here, answer: Callable[[Order], Turn], span: timedelta) -> None:
    assert here.run(answer) == span


def test_a_pass_ends_in_one_line_with_all_counts(here: Here) -> None:
    items = tuple(
        Item(kind="Fleet", name=f"f{n}", target=TargetName("prod"), action=action)
        for n, action in enumerate(ActionKind)
    )
    row = Drift(
        kind="Fleet", name="f4", target=TargetName("prod"), resource="r", field="a", want="1", live="2"
    )
    drift = (row, replace(row, field="b"))
    made = planned(*items, drift=drift)
    here.run(lambda order: replace(made(order), outcomes=(DONE, FAILED), calls={"ec2:A": 3, "sts:B": 1}))
    names = here.told()
    assert names[-1] == "pass.done"
    assert names.count("pass.done") == 1
    line = here.lane.last
    assert isinstance(line, PassDone)
    counts = [line.create, line.replace, line.update, line.retire, line.unchanged, line.blocked, line.unread]
    assert counts == [1] * 7
    assert (line.drifted, line.applied, line.failed, line.calls) == (1, 1, 1, 4)
    assert (line.result, line.commit, line.target) == ("done", "c" * 40, "prod")


def test_steps_are_told_as_they_happen(here: Here) -> None:
    here.run(turn(DONE, FAILED))
    assert here.told()[:2] == ["step.applied", "step.failed"]


def test_an_incomplete_pass_is_no_complete_one(here: Here) -> None:
    here.run(planned(complete=False, unread=("groups could not be read: no",)))
    assert here.told() == ["read.failed", "pass.done"]
    assert here.lane.last
    assert (here.lane.last.result, here.lane.complete) == ("incomplete", None)


def test_a_failed_pass_rests_longer_each_time_and_the_first_good_one_ends_it(here: Here) -> None:
    spans = []
    for _ in range(7):
        spans.append(here.run(failing("credentials")).total_seconds())
        here.clock.now += 1.0
    assert spans == [60, 120, 240, 480, 900, 900, 900]
    assert here.lane.due_in() == timedelta(seconds=899)
    here.told()
    assert here.run() == MINUTE
    assert here.told() == ["pass.recovered", "pass.done"]
    assert here.lane.due_in() == timedelta()


def test_a_document_that_fails_rests_alone_and_a_new_commit_wakes_it(here: Here) -> None:
    web = ("Fleet", "web")
    here.run(turn(FAILED))
    assert here.order().resting == frozenset()
    here.run()
    assert here.order().resting == {web}
    here.clock.now += 5.0
    here.run(turn(FAILED))
    assert here.order().resting == frozenset()
    here.clock.now += 5.0
    here.run()
    assert here.order().resting == {web}
    here.lane.follow(here.adopted, here.lane.target, ())
    here.run()
    assert here.order().resting == frozenset()


def test_a_failure_of_a_commit_that_is_not_in_force_any_more_puts_nothing_to_rest(here: Here) -> None:
    newer = replace(here.adopted, commit=Commit("d" * 40))

    def overtaken(order: Order) -> Turn:
        here.lane.follow(newer, here.lane.target, ())
        return turn(FAILED)(order)

    here.run(overtaken)
    here.run()
    here.order()
    assert here.order().resting == frozenset()


def test_a_pass_that_ends_with_the_program_is_no_failure(here: Here) -> None:
    here.run(failing("stopped"))
    assert here.told() == ["pass.done"]
    assert here.lane.last
    assert (here.lane.last.result, here.lane.failures) == ("stopped", 0)


def test_rewritten_history_holds_until_nothing_names_it_even_if_more_comes_meanwhile(here: Here) -> None:
    first, second = Commit("1" * 40), Commit("2" * 40)
    here.lane.follow(here.adopted, here.lane.target, (first,))

    def accepted_while_rewritten_again(order: Order) -> Turn:
        here.lane.follow(here.adopted, here.lane.target, (second,))
        return replace(nothing_to_do(order), left=())

    here.run(accepted_while_rewritten_again)
    here.order()
    here.run(lambda order: replace(nothing_to_do(order), left=()))
    assert here.order().left == (second,)
    here.run()
    assert here.order().left == ()
    assert here.told().count("history.accepted") == 2


def test_metrics_say_what_the_log_says(here: Here) -> None:
    item = waiting(None)
    row = Drift(
        kind="Fleet", name="web", target=TargetName("prod"), resource="r", field="a", want="1", live="2"
    )
    made = planned(item, drift=(row,))
    here.run(lambda order: replace(made(order), calls={"ec2:DescribeImages": 2}))
    for event in _heard(here):
        here.metrics.see(event)
    text = here.metrics.text().decode()
    for line in (
        'reconciler_passes_total{result="done",target="prod"} 1.0',
        'reconciler_aws_calls_total{operation="DescribeImages",service="ec2",target="prod"} 2.0',
        'reconciler_drift_rows{target="prod"} 1.0',
        'reconciler_documents{action="replace",kind="Fleet",target="prod"} 1.0',
        'reconciler_last_success_timestamp_seconds{target="prod"}',
        'reconciler_pass_seconds_count{target="prod"} 1.0',
    ):
        assert line in text


def _heard(here: Here) -> list[Any]:
    here.told()
    return here.ear.heard


def test_a_failed_pass_says_what_it_was(here: Here) -> None:
    here.run(failing("throttled"))
    assert here.told() == ["pass.failed", "pass.done"]
    (failed,) = [e for e in here.ear.heard if isinstance(e, PassFailed)]
    assert (failed.failure, failed.failures, failed.next_in) == ("throttled", 1, MINUTE)
    assert here.lane.last_failure == "throttled: said so"


def seen(order: Order) -> Turn:
    """A complete pass that tells what it planned before it writes."""
    found = nothing_to_do(order)
    assert found.plan
    order.planned(found.plan)
    return found


def test_a_pass_knows_what_the_last_look_at_every_target_gave_for_two_intervals(here: Here) -> None:
    here.run(seen)
    assert here.order().waves == {}
    here.clock.now += 120
    here.run(seen)
    report = here.order().waves["prod"]
    assert isinstance(report, Report)
    assert (report.commit, report.as_of) == (here.adopted.commit, NOON)
    here.clock.now += 121
    here.run(seen)
    assert here.order().waves["prod"] == Unread(what="target prod", why="it was last seen 2m1s ago")


def test_a_failed_pass_leaves_the_last_complete_look_there_until_it_is_old(here: Here) -> None:
    here.run(seen)
    here.run(lambda order: Turn(plan=None, failure="credentials", why="ExpiredToken", left=order.left))
    here.order()
    here.order()
    here.run(seen)
    assert isinstance(here.order().waves["prod"], Report)
    here.clock.now += 121
    here.run(lambda order: Turn(plan=None, failure="credentials", why="ExpiredToken", left=order.left))
    here.run(seen)
    here.order()
    assert here.order().waves["prod"] == Unread(what="target prod", why="ExpiredToken")
