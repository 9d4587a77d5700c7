"""How a merge ended: by what the plan of the commit in force says of each document that it changed."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from reconciler.core.ids import Commit
from reconciler.daemon.pull_endings import LATE, LONGEST, Endings, as_shown, judged
from reconciler.kinds.register import Blocked, Wait
from reconciler.plan.model import ActionKind, Item
from reconciler.report.ended import Ended
from tests.daemon.office import Office
from tests.plan.house import IMAGE, PROD, TARGET, House, fleet, zone

KEY = ("Fleet", "web", "prod")
ITEM = Item(kind="Fleet", name="web", target=PROD, action=ActionKind.NONE)
FROZEN = Blocked(code="freeze", why="frozen until Monday")


@dataclass(frozen=True)
class Case:
    id: str
    item: Item | None
    result: str
    why: str = ""
    complete: bool = True
    before: str = "going on"


CASES = [
    Case("live is what git says", ITEM, "done"),
    Case("it is gone, and all was read", None, "done"),
    Case("it is in no plan, but not all was read", None, "going on", complete=False),
    Case("it waits", replace(ITEM, wait=Wait(why="boots")), "going on"),
    Case("it is replaced", replace(ITEM, action=ActionKind.REPLACE), "going on"),
    Case(
        "it failed",
        replace(ITEM, blocked=Blocked(code="failed", why="not ready")),
        "rolled back",
        "not ready",
    ),
    Case("a freeze holds it", replace(ITEM, blocked=FROZEN), "held", "frozen until Monday"),
    Case("the freeze is over", replace(ITEM, wait=Wait(why="boots")), "going on", before="held"),
    Case("it was held, and is done", ITEM, "done", before="held"),
    Case(
        "it was not read",
        replace(ITEM, action=ActionKind.UNREAD, blocked=Blocked(code="unread", why="AccessDenied")),
        "going on",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_document_stands_as_its_plan_says(case: Case) -> None:
    plan = House().merge(TARGET, IMAGE).plan()
    plan = replace(plan, items=(case.item,) if case.item else (), complete=case.complete)
    row = Ended(item=ITEM, result=case.before, why="held before" if case.before == "held" else "")
    found = judged(row, KEY, plan)
    assert (found.result, found.why) == (case.result, case.why)
    assert (found.at is not None) == (case.result in ("done", "rolled back"))


def test_what_is_held_is_followed_and_after_two_days_it_is_told_as_not_applied(office: Office) -> None:
    office.propose(7, {"more.yaml": fleet("more")})
    office.look()
    before = office.company.head()
    merged = office.company.commit({"more.yaml": fleet("more")})
    office.host.merged[merged] = replace(office.host.open.pop(7), merged=merged)
    endings = Endings(desk=office.desk, library=office.library, log=lambda *of: (f"a line about {of[1]}",))
    house = House().merge(TARGET, IMAGE, zone(), fleet("web"), fleet("more"))
    endings.merged(Commit(before), office.base(), house.world.as_of)
    plan = house.plan()
    frozen = replace(
        plan, items=tuple(replace(i, blocked=FROZEN, now=()) if i.name == "more" else i for i in plan.items)
    )
    assert endings.look({"prod": frozen}, house.world.as_of) == 1
    assert "✋ Held" in office.host.ours(7)[-1].body
    assert "a line about" not in office.host.ours(7)[-1].body
    late = house.world.as_of + LONGEST + timedelta(seconds=1)
    assert endings.look({"prod": plan}, late) == 0
    told = office.host.ours(7)[-1].body
    assert "🔥 Not applied" in told
    assert LATE in told
    assert "Fleet more in prod: a line about more" in told


REPLACED = replace(ITEM, action=ActionKind.REPLACE, was="v1.a", to="v1.b")
SHOWN = {
    "the same": (REPLACED, REPLACED, True),
    "all traffic has moved by now": (REPLACED, replace(REPLACED, was="v1.b"), True),
    "it is done by now": (REPLACED, replace(ITEM, was="v1.b", to="v1.b"), True),
    "it failed": (REPLACED, replace(REPLACED, action=ActionKind.BLOCKED, was=""), True),
    "it is retired by now": (replace(ITEM, action=ActionKind.RETIRE, was="v1.a"), None, True),
    "it went on from another revision": (REPLACED, replace(REPLACED, was="v1.c"), False),
    "an image was found anew": (REPLACED, replace(REPLACED, to="v1.d"), False),
    "it was made meanwhile": (replace(REPLACED, was=""), REPLACED, False),
    "nobody remembers": (None, REPLACED, False),
    "it could not be planned": (replace(REPLACED, action=ActionKind.UNREAD), REPLACED, False),
}


@pytest.mark.parametrize("case", SHOWN)
def test_it_came_as_shown_where_it_went_from_and_to_what_reviewers_saw(case: str) -> None:
    planned, found, same = SHOWN[case]
    plan = replace(House().merge(TARGET, IMAGE).plan(), items=(found,) if found else ())
    assert as_shown(planned, KEY, plan) is same


@pytest.mark.parametrize("moved", [False, True])
def test_applied_as_planned_is_said_where_tree_and_live_state_were_those_of_the_plan(
    office: Office, moved: bool
) -> None:
    office.propose(7, {"more.yaml": fleet("more")})
    office.look()
    before = office.company.head()
    merged = office.company.commit({"more.yaml": fleet("more")})
    office.host.merged[merged] = replace(office.host.open.pop(7), merged=merged)
    endings = Endings(desk=office.desk, library=office.library)
    house = House().merge(TARGET, IMAGE, zone(), fleet("web"), fleet("more"))
    endings.merged(Commit(before), office.base(), house.world.as_of)
    plan = house.plan()
    if moved:
        plan = replace(plan, items=tuple(replace(i, to="v1.other") for i in plan.items))
    assert endings.look({"prod": plan}, house.world.as_of) == 1
    done = house.converge().plan()
    assert endings.look({"prod": done}, house.world.as_of + timedelta(minutes=1)) == 0
    told = office.host.ours(7)[-1].body
    assert ("Applied what the plan above said." in told) is not moved
    assert ("live had changed since" in told) is moved
