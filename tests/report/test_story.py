"""What passes tell: each change once, whatever the number of passes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.core.ids import TargetName
from reconciler.kinds.group.steps import SetSizes
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.register import Blocked
from reconciler.plan.model import ActionKind, Drift, Item, Refusal, TargetPlan
from reconciler.report.outcome import Outcome, step_event
from reconciler.report.story import NOTHING_TOLD, tell
from tests.worlds import NOON

PROD = TargetName("prod")
COMMIT = "c" * 40
WEB = ("Fleet", "web")


def item(action: ActionKind = ActionKind.NONE, name: str = "web", **more: object) -> Item:
    return replace(Item(kind="Fleet", name=name, target=PROD, action=action, to="v1.aa", was="v1.aa"), **more)


def row(live: str = "12", *, heals: bool = False, resource: str = "group/web-1", field: str = "max") -> Drift:
    return Drift(
        kind="Fleet",
        name="web",
        target=PROD,
        resource=resource,
        field=field,
        want="10",
        live=live,
        heals=heals,
    )


def plan(*rows: Drift, items: tuple[Item, ...] = (item(),), minutes: int = 0, **more: object) -> TargetPlan:
    made = TargetPlan(
        target=PROD,
        as_of=NOON + timedelta(minutes=minutes),
        digest="d1",
        complete=True,
        items=items,
        drift=rows,
    )
    return replace(made, **more)


WRITE = Outcome(
    kind="Fleet",
    name="web",
    revision="v1.aa",
    step=SetSizes(name="web-1", expect=Sizes(min=1, max=2, desired=1), sizes=Sizes(min=1, max=2, desired=1)),
)

Pass = tuple[TargetPlan, tuple[Outcome, ...]]
UNREAD: Pass = (plan(unread=("groups could not be read: no",), complete=False), ())


def told(passes: list[Pass], looked: frozenset[str] = frozenset()) -> list[list[str]]:
    memory, found = NOTHING_TOLD, []
    for made, outcomes in passes:
        memory, events = tell(memory, COMMIT, made, outcomes, looked)
        found.append([e.event for e in events])
    return found


busy = (item(ActionKind.REPLACE, to="v1.bb", begun=True),)
unread = (item(ActionKind.UNREAD, blocked=Blocked(code="unread", why="groups")),)
conflict = (item(ActionKind.BLOCKED, blocked=Blocked(code="conflict", why="group web-1 is not ours")),)
frozen = (item(ActionKind.BLOCKED, blocked=Blocked(code="freeze", why="peak season")),)
stopped = (item(ActionKind.BLOCKED, blocked=Blocked(code="limit", why="over")),)
refusal = Refusal(target=PROD, limit="retire", count=3, of=5, allowed=1, why="3 of 5 go, 1 may")

STORIES: list[tuple[str, list[Pass], list[list[str]]]] = [
    ("nothing happens", [(plan(), ()), (plan(), ())], [[], []]),
    (
        "drift stays",
        [(plan(row()), ()), (plan(row()), ()), (plan(row()), ())],
        [["drift.found"], [], []],
    ),
    (
        "drift changes, and is taken back by hand",
        [(plan(row("12")), ()), (plan(row("14")), ()), (plan(), ()), (plan(), ())],
        [["drift.found"], ["drift.changed"], ["drift.gone"], []],
    ),
    (
        "drift is healed",
        [(plan(row(heals=True)), (WRITE,)), (plan(), ()), (plan(), ())],
        [["drift.found"], ["drift.healed"], []],
    ),
    (
        "drift is healed after some passes",
        [(plan(row(heals=True)), ()), (plan(row(heals=True)), (WRITE,)), (plan(), ())],
        [["drift.found"], [], ["drift.healed"]],
    ),
    (
        "drift that would be healed goes before we write",
        [(plan(row(heals=True)), ()), (plan(), ())],
        [["drift.found"], ["drift.gone"]],
    ),
    (
        "somebody sets it again and again",
        [(plan(row(heals=True)), (WRITE,)), (plan(), ())] * 4,
        [["drift.found"], ["drift.healed"]] * 3 + [["drift.contested"], ["drift.healed"]],
    ),
    (
        "a day of calm ends a quarrel",
        [(plan(row(heals=True)), (WRITE,)), (plan(), ())] * 3 + [(plan(row(heals=True), minutes=1441), ())],
        [["drift.found"], ["drift.healed"]] * 3 + [["drift.found"]],
    ),
    (
        "while nobody compares, a difference is not gone",
        [(plan(row()), ()), (plan(items=unread), ()), (plan(items=busy), ()), (plan(row()), ())],
        [["drift.found"], [], ["rollout.started"], ["rollout.rolled_back"]],
    ),
    (
        "what only an audit reads is not gone between audits",
        [(plan(row(resource="balancer/web-1")), ()), (plan(), ())],
        [["drift.found"], []],
    ),
    (
        "drift of a fleet that leaves is nobody's business",
        [(plan(row()), ()), (plan(items=(item(ActionKind.RETIRE),)), ()), (plan(items=()), ())],
        [["drift.found"], [], ["fleet.retired"]],
    ),
    (
        "a conflict is told once, and its end",
        [(plan(items=conflict), ()), (plan(items=conflict), ()), (plan(), ())],
        [["conflict.found"], [], ["conflict.gone"]],
    ),
    (
        "a freeze is told once, and its end",
        [(plan(items=frozen), ()), (plan(items=frozen), ()), (plan(), ())],
        [["blocked.found"], [], ["blocked.gone"]],
    ),
    (
        "what is unread ends no conflict",
        [(plan(items=conflict), ()), (plan(items=unread), ()), (plan(items=conflict), ())],
        [["conflict.found"], [], []],
    ),
    (
        "a limit is told once for its target, and again when the plan is another",
        [
            (plan(items=stopped, refusals=(refusal,)), ()),
            (plan(items=stopped, refusals=(refusal,)), ()),
            (plan(items=stopped, refusals=(refusal,), digest="d2"), ()),
        ],
        [["limit.refused"], [], ["limit.refused"]],
    ),
    (
        "an approved plan over a limit is not refused",
        [(plan(refusals=(refusal,), approved=True), ())],
        [[]],
    ),
    (
        "a read fails for a while",
        [UNREAD, UNREAD, (plan(), ())],
        [["read.failed"], [], ["read.recovered"]],
    ),
    (
        "while something is unread, a fleet that leaves is not gone",
        [
            (plan(items=(item(ActionKind.RETIRE),)), ()),
            (plan(items=(), complete=False), ()),
            (plan(items=()), ()),
        ],
        [[], [], ["fleet.retired"]],
    ),
    (
        "a fleet that comes back did not leave",
        [(plan(items=(item(ActionKind.RETIRE),)), ()), (plan(), ()), (plan(items=()), ())],
        [[], [], []],
    ),
    (
        "a warning is told once",
        [(plan(warnings=("start: frozen",)), ()), (plan(warnings=("start: frozen",)), ())],
        [["warning.found"], []],
    ),
    (
        "a rollout that was under way before this process is resumed",
        [(plan(items=busy), ()), (plan(items=busy), ())],
        [["rollout.resumed"], []],
    ),
    (
        "a rollout pauses, and is promoted",
        [
            (plan(items=busy), ()),
            (plan(items=(replace(busy[0], action=ActionKind.BLOCKED, blocked=Blocked(code="pause", why="")),)), ()),
            (plan(items=busy), ()),
        ],
        [["rollout.resumed"], ["rollout.paused", "blocked.found"], ["rollout.promoted", "blocked.gone"]],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("passes", "events"), [s[1:] for s in STORIES], ids=[s[0] for s in STORIES])
def test_what_passes_tell(passes: list[Pass], events: list[list[str]]) -> None:
    assert [sorted(e) for e in told(passes)] == [sorted(e) for e in events]


def test_an_audit_that_finds_no_difference_ends_it() -> None:
    passes: list[Pass] = [(plan(row(resource="balancer/web-1")), ()), (plan(), ())]
    assert told(passes, frozenset({"web"})) == [["drift.found"], ["drift.gone"]]


def test_a_step_is_told_with_what_it_did_or_why_it_failed() -> None:
    done = step_event(COMMIT, "prod", WRITE)
    failed = step_event(COMMIT, "prod", replace(WRITE, failure="busy", why="UpdateAutoScalingGroup: busy"))
    assert (done.event, done.op, done.resource) == ("step.applied", "set-sizes", "web-1")
    assert (failed.event, failed.op, failed.resource) == ("step.failed", "set-sizes", "web-1")
