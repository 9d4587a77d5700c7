"""The desk over a real repository: heads are pushed, planned, and told in one comment and one status."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.daemon.desk import Desk
from reconciler.daemon.pull_commands import Commands
from reconciler.daemon.pull_endings import Endings
from reconciler.daemon.pull_notes import Notes
from reconciler.hosts.model import HostBusyError
from reconciler.report.words import rough
from tests.daemon.memory_host import ANN, EVE, ME
from tests.daemon.office import LIVE, Office
from tests.plan.house import IMAGE, TARGET, House, fleet, zone

pytestmark = pytest.mark.slow


def test_a_pushed_head_has_its_comment_and_its_status_and_then_there_is_silence(office: Office) -> None:
    head = office.propose(7, {"more.yaml": fleet("more")})
    assert office.look() == 1
    (note,) = office.host.ours(7)
    assert "### ✅ Fleet plan: 1 to create" in note.body
    assert "`more`" in note.body
    assert office.host.state(head) == "success"
    before = list(office.host.asked)
    for _ in range(10):
        assert office.look() == 0
    assert office.host.asked == before, "nothing new costs the host no call"


def test_what_was_pending_before_is_told_apart_from_what_this_causes(office: Office) -> None:
    office.propose(7, {"more.yaml": fleet("more")})
    office.look()
    (note,) = office.host.ours(7)
    assert "Merged before, not yet applied (" in note.body
    assert "not caused by this" in note.body
    assert "Fleet web in prod: create" in note.body


def test_a_second_push_edits_the_same_comment_and_tells_the_new_head(office: Office) -> None:
    office.propose(7, {"more.yaml": fleet("more")})
    office.look()
    (first,) = office.host.ours(7)
    head = office.propose(7, {"more.yaml": fleet("more"), "third.yaml": fleet("third")})
    assert office.look() == 1
    (second,) = office.host.ours(7)
    assert second.id == first.id
    assert "2 to create" in second.body
    assert office.host.state(head) == "success"


def test_a_base_that_moves_renews_the_plan(office: Office) -> None:
    office.propose(7, {"more.yaml": fleet("more")})
    office.look()
    office.company.commit({"third.yaml": fleet("third")})
    assert office.look() == 1
    (note,) = office.host.ours(7)
    assert f"base `{office.base().commit[:7]}`" in note.body


def test_a_live_world_that_moves_renews_the_plan_but_not_at_once(office: Office) -> None:
    office.propose(7, {"more.yaml": fleet("more")})
    office.look()
    assert office.look("live-2") == 0
    office.clock[0] += 301
    assert office.look("live-2") == 1
    assert "edit" not in office.host.asked, "an equal plan is not written again"


def test_a_risk_that_rises_is_a_new_comment_and_the_old_one_is_hidden(office: Office) -> None:
    office.propose(7, {"more.yaml": fleet("more")})
    office.look()
    (first,) = office.host.ours(7)
    head = office.propose(7, {"web.yaml": fleet("web").replace("min: 2", "min: 9")})
    office.look()
    (second,) = office.host.ours(7)
    assert second.id != first.id
    assert first.id in office.host.hidden
    assert "nothing was planned" in second.body
    assert "web.yaml" in second.body
    assert office.host.state(head) == "failure"


def test_a_conflict_has_its_own_form(office: Office) -> None:
    head = office.propose(7, {"web.yaml": fleet("web", generation="2")})
    office.company.commit({"web.yaml": fleet("web", generation="3")})
    office.look()
    (note,) = office.host.ours(7)
    assert "conflicts in 1 file" in note.body
    assert office.host.state(head) == "failure"


def test_a_pull_request_that_touches_nothing_of_ours_has_a_status_and_no_comment(office: Office) -> None:
    head = office.propose(7, {"notes.txt": "hello\n"})
    office.look()
    assert office.host.state(head) == "success"
    assert office.host.ours(7) == []
    head = office.propose(8, {"web.yaml": fleet("web") + "# a comment\n"})
    office.look()
    assert "nothing live would change" in office.host.ours(8)[0].body
    assert office.host.state(head) == "success"


def test_a_draft_is_planned_and_pending(office: Office) -> None:
    head = office.propose(7, {"more.yaml": fleet("more")}, draft=True)
    office.look()
    assert office.host.state(head) == "pending"
    assert "(draft)" in office.host.ours(7)[0].body


def test_a_fork_is_planned_for_a_label_that_names_its_head_set_by_somebody_who_may_push(
    office: Office,
) -> None:
    head = office.propose(7, {"more.yaml": fleet("more")}, fork=True)
    label = f"reconciler-plan:{head[:12]}"
    assert office.look() == 0
    assert office.host.state(head) == "pending"
    assert office.host.ours(7) == []
    for author, planned in ((EVE, 0), (ANN, 1)):
        office.host.open[7] = replace(office.host.open[7], labels=(label,))
        office.host.labels[7, label] = author
        office.clock[0] += 61
        assert office.look() == planned
    other = office.propose(7, {"more.yaml": fleet("more"), "third.yaml": fleet("third")})
    assert office.look() == 0, "the label was for another head"
    assert office.host.state(other) == "pending"


def test_a_reply_that_is_lost_makes_no_second_comment(office: Office) -> None:
    office.propose(7, {"more.yaml": fleet("more")})
    office.host.lose_next_reply = True
    with pytest.raises(HostBusyError):
        office.look()
    office.look()
    assert len(office.host.ours(7)) == 1


def test_a_process_that_starts_again_finds_its_comment_by_author_and_mark(office: Office) -> None:
    office.propose(7, {"more.yaml": fleet("more")})
    office.look()
    (note,) = office.host.ours(7)
    office.host.says(7, EVE, note.body)  # a copy of our text is nobody's mark
    again = Desk(
        host=office.host,
        library=office.library,
        plans=office.desk.plans,
        notes=Notes(host=office.host, key=b"secret"),
        rests=office.desk.rests,
        engine="0.1.0",
    )
    assert len(list(again.look(office.base(), "main", LIVE))) == 1
    assert [n.id for n in office.host.ours(7)] == [note.id]
    assert "edit" not in office.host.asked


@pytest.mark.parametrize(
    ("author", "edited", "done"),
    [(ANN, False, True), (EVE, False, False), (ANN, True, None), (ME, False, None)],
)
def test_a_command_counts_as_the_hosts_own_record_says(
    office: Office, author: object, edited: bool, done: bool | None
) -> None:
    office.propose(7, {"more.yaml": fleet("more")})
    office.look()
    commands = Commands(desk=office.desk, explain=lambda f: f"{f}: fine", hand=str, since=office.host.now)
    office.host.says(7, author, "/reconciler approve 0123456789\nplease", edited=edited)
    told = list(commands.look())
    assert [d for _, d in told] == ([] if done is None else [done])
    assert office.desk.held[7].approved == (("0123456789",) if done else ())
    assert list(commands.look()) == [], "a command is obeyed once"


def test_replan_plans_again_and_explain_answers_once(office: Office) -> None:
    office.propose(7, {"more.yaml": fleet("more")})
    office.look()
    commands = Commands(desk=office.desk, explain=lambda f: f"{f}: fine", hand=str, since=office.host.now)
    office.host.says(7, ANN, "/reconciler replan")
    office.host.says(7, ANN, "/reconciler explain more")
    assert len(list(commands.look())) == 2
    assert office.look() == 1
    answers = [n for n in office.host.ours(7) if "more: fine" in n.body]
    assert len(answers) == 1
    again = Commands(desk=office.desk, explain=lambda f: f"{f}: fine", hand=str, since=office.host.now)
    list(again.look())
    assert len([n for n in office.host.ours(7) if "more: fine" in n.body]) == 1


def test_after_the_merge_one_comment_says_how_it_ended(office: Office) -> None:
    office.propose(7, {"more.yaml": fleet("more")})
    office.look()
    before = office.company.head()
    merged = office.company.commit({"more.yaml": fleet("more")})
    office.host.merged[merged] = replace(office.host.open.pop(7), merged=merged)
    office.clock[0] += 61
    office.look()
    endings = Endings(desk=office.desk, library=office.library)
    house = House().merge(TARGET, IMAGE, zone(), fleet("web"), fleet("more"))
    endings.merged(before, office.base(), house.world.as_of)
    assert endings.look({"prod": house.plan()}, house.world.as_of) == 1
    assert "### ⏳ Applying" in office.host.ours(7)[-1].body
    house.converge()
    assert endings.look({"prod": house.plan()}, house.world.as_of) == 0
    told = office.host.ours(7)[-1].body
    assert "### 🚀 Applied" in told
    assert "Applied what the plan above said." in told
    assert len(office.host.ours(7)) == 2, "the plan, and the end"


def test_the_time_that_it_took_is_measured_by_the_clock_of_aws(office: Office) -> None:
    office.propose(7, {"more.yaml": fleet("more")})
    office.look()
    before = office.company.head()
    merged = office.company.commit({"more.yaml": fleet("more")})
    office.host.merged[merged] = replace(office.host.open.pop(7), merged=merged)
    endings = Endings(desk=office.desk, library=office.library)
    house = House().merge(TARGET, IMAGE, zone(), fleet("web"), fleet("more"))
    ours = house.world.as_of + timedelta(days=400)  # our clock says otherwise
    endings.merged(before, office.base(), ours)
    assert endings.look({}, ours) == 1, "no plan of the commit in force yet"
    assert "0 of 1 document done" in office.host.ours(7)[-1].body
    began = house.plan().as_of
    endings.look({"prod": house.plan()}, ours)
    house.converge()
    spent = rough(house.plan().as_of - began)
    assert endings.look({"prod": house.plan()}, ours) == 0
    (row,) = [x for x in office.host.ours(7)[-1].body.splitlines() if "`more`" in x]
    assert f"| {spent} |" in row
