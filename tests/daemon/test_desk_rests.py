"""What the host refuses of one pull request holds no other up, and is tried again by itself."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from reconciler.core.ids import Commit
from reconciler.daemon.desk import MOST, Desk
from reconciler.daemon.pull_commands import Commands
from reconciler.daemon.pull_endings import LONGEST, Endings
from reconciler.daemon.pull_job import PullJob
from reconciler.daemon.pull_notes import Notes
from reconciler.daemon.pull_rests import GROWTH, QUIET, Rests, Subject
from reconciler.hosts.model import HostBusyError, HostError, MissingError
from reconciler.report.event import Event
from reconciler.report.events import JobFailed
from reconciler.report.pull_events import HostFailed, PullCommand, PullFailed, PullPlanned
from tests.daemon.memory_host import ANN
from tests.daemon.office import LIVE, Office
from tests.plan.house import IMAGE, TARGET, House, fleet, zone

pytestmark = pytest.mark.slow

LOCKED = HostError("POST /repos/acme/fleet/issues/1/comments: 403 the conversation is locked")
BUSY = HostBusyError("the host asked for patience", after=timedelta(seconds=60))
SUBJECT = Subject(part="plan", pull=1)


def failed(told: list[Event]) -> list[PullFailed]:
    return [e for e in told if isinstance(e, PullFailed)]


def propose(office: Office, *numbers: int) -> None:
    for n in numbers:
        office.propose(n, {f"more-{n}.yaml": fleet(f"more-{n}")})


def commented(office: Office) -> set[int]:
    return {n for n in office.host.open if office.host.ours(n)}


def attempts(office: Office, number: int) -> int:
    """Return how often a pull request's look was attempted from now on, in 20 minutes of looks."""
    refusals = 0
    for _ in range(40):
        before = office.host.asked.count("add")
        office.look()
        refusals += office.host.asked.count("add") > before
        office.clock[0] += 30
    assert number not in commented(office)
    return refusals


def test_one_pull_request_that_always_fails_keeps_no_other_from_its_comment(office: Office) -> None:
    propose(office, *range(1, 7))
    office.host.refused[1] = LOCKED
    assert office.look() == 5
    assert commented(office) == {2, 3, 4, 5, 6}
    (event,) = failed(office.told)
    assert (event.pull, event.part, event.failures, event.why) == (1, "plan", 1, str(LOCKED))


def test_what_fails_is_tried_less_and_less_often_and_told_once(office: Office) -> None:
    propose(office, 1, 2)
    office.host.refused[1] = LOCKED
    assert attempts(office, 1) == 6, "after 30 s, 1, 2, 4 and 8 minutes"
    assert len(failed(office.told)) == 1


def test_what_succeeds_again_is_forgotten_and_told_anew_when_it_fails_again(office: Office) -> None:
    propose(office, 1)
    office.host.refused[1] = LOCKED
    office.look()
    office.clock[0] += 31
    del office.host.refused[1]
    assert office.look() == 1
    assert commented(office) == {1}
    office.host.refused[1] = LOCKED
    office.host.kept.clear()
    office.desk.notes.forget(1)
    office.desk.held[1].key = None
    office.look()
    assert [e.failures for e in failed(office.told)] == [1, 1]


@pytest.mark.parametrize("news", ["a push", "a command"])
def test_news_of_what_rests_ends_the_rest(office: Office, news: str) -> None:
    propose(office, 1)
    office.host.refused[1] = LOCKED
    for _ in range(8):
        office.look()
        office.clock[0] += 3600
    office.look()
    del office.host.refused[1]
    assert office.look() == 0
    if news == "a push":
        office.propose(1, {"third.yaml": fleet("third")})
    else:
        office.host.says(1, ANN, "/reconciler replan")
        commands = Commands(desk=office.desk, explain=str, hand=str, since=office.host.now)
        assert [done for _, done in commands.look()] == [True]
    assert office.look() == 1


def test_what_is_missing_is_tried_again_and_told_only_when_it_stays_missing(office: Office) -> None:
    propose(office, 1)
    office.host.refused[1] = MissingError("POST /repos/acme/fleet/issues/1/comments: 404 Not Found")
    for n in range(1, 5):
        office.look()
        assert len(failed(office.told)) == (1 if n >= QUIET else 0)
        office.clock[0] += 3600


def test_a_fault_of_ours_in_one_pull_request_keeps_no_other_from_its_comment(office: Office) -> None:
    propose(office, 1, 2)
    office.host.refused[1] = AttributeError("nobody foresaw this")
    assert office.look() == 1
    assert commented(office) == {2}
    (event,) = office.told
    assert isinstance(event, JobFailed)
    assert (event.job, event.why) == ("plan 1", "nobody foresaw this")
    assert office.look() == 0, "it rests"
    assert office.told == [event]


def test_a_host_that_is_busy_is_left_alone_as_a_whole(office: Office) -> None:
    propose(office, *range(1, 7))
    office.host.refused[3] = BUSY
    with pytest.raises(HostBusyError):
        office.look()
    assert commented(office) == {1, 2}
    assert office.told == []


def test_the_next_look_begins_with_those_that_the_last_one_did_not_reach(office: Office) -> None:
    propose(office, *range(1, 7))
    office.host.refused[1] = BUSY
    for _ in range(2):
        with pytest.raises(HostBusyError):
            office.look()
    assert commented(office) == {2, 3, 4, 5, 6}


def test_more_than_one_look_can_plan_are_planned_in_turn_and_refusals_count(office: Office) -> None:
    numbers = range(1, MOST + 8)
    propose(office, *numbers)
    office.host.refused = dict.fromkeys(range(1, 6), LOCKED)
    assert office.look() == MOST - 5
    assert office.look() == 7
    assert commented(office) == set(numbers) - set(range(1, 6))


def test_a_tree_of_the_merge_queue_that_is_refused_holds_no_other_up(office: Office) -> None:
    base = office.company.head()
    for n in (1, 2):
        office.company.commit({f"more-{n}.yaml": fleet(f"more-{n}")}, push=False)
        ref = f"refs/heads/gh-readonly-queue/main/pr-{n}"
        office.company._git("push", "--quiet", str(office.company.bare), f"HEAD:{ref}")
        office.company._git("reset", "--quiet", "--hard", base)
    queued = office.library.repository.refs("refs/heads/gh-readonly-queue/main/*")
    first, second = (queued[k] for k in sorted(queued))
    office.host.unknown[first] = HostError("POST /repos/acme/fleet/statuses: 422 no commit found")
    office.look()
    assert office.host.state(second) == "success"
    assert [(e.part, e.of) for e in failed(office.told)] == [("queue", first)]
    del office.host.unknown[first]
    office.clock[0] += 31
    office.look()
    assert office.host.state(first) == "success"


def test_a_reaction_that_is_refused_leaves_the_command_done_and_done_once(office: Office) -> None:
    propose(office, 1)
    office.look()
    office.host.locked = LOCKED
    office.host.says(1, ANN, "/reconciler explain more-1")
    office.host.says(1, ANN, "/reconciler approve 0123456789")
    commands = Commands(desk=office.desk, explain=lambda f: f"{f}: fine", hand=str, since=office.host.now)
    assert [done for _, done in commands.look()] == [True, True]
    assert office.desk.held[1].approved == ("0123456789",)
    assert list(commands.look()) == []


def test_a_command_that_can_not_be_answered_yet_is_answered_later_and_others_go_first(
    office: Office,
) -> None:
    propose(office, 1, 2)
    office.look()
    office.host.refused[1] = LOCKED
    office.host.says(1, ANN, "/reconciler explain more-1")
    office.host.says(2, ANN, "/reconciler replan")
    commands = Commands(desk=office.desk, explain=lambda f: f"{f}: fine", hand=str, since=office.host.now)
    assert [c.verb for c, _ in commands.look()] == ["replan"]
    del office.host.refused[1]
    assert list(commands.look()) == []
    office.clock[0] += 31
    assert [c.verb for c, _ in commands.look()] == ["explain"]


def merged(office: Office, number: int) -> str:
    commit = office.company.commit({f"more-{number}.yaml": fleet(f"more-{number}")})
    office.host.merged[commit] = replace(office.host.open.pop(number), merged=commit)
    return commit


def test_merges_are_told_of_whatever_the_host_refuses_of_another_one(office: Office) -> None:
    propose(office, 1, 2, 3)
    office.look()
    before, house = office.company.head(), House().merge(TARGET, IMAGE, zone(), fleet("web"))
    commits = [merged(office, n) for n in (1, 2, 3)]
    office.host.unknown[commits[0]] = MissingError("GET /repos/acme/fleet/commits: 404 Not Found")
    office.host.refused[2] = LOCKED
    endings = Endings(desk=office.desk, library=office.library)
    endings.merged(Commit(before), office.base(), house.world.as_of)
    look = partial(endings.look, {"prod": house.plan()})
    assert look(house.world.as_of) == 1, "3 is told of, 2 rests, and 1 is not known there yet"
    assert "🚀 Applied" in office.host.ours(3)[-1].body
    office.host.unknown, office.host.refused = {}, {}
    office.clock[0] += 31
    assert look(house.world.as_of) == 0
    for number in (1, 2):
        assert "🚀 Applied" in office.host.ours(number)[-1].body


def test_a_merge_that_can_never_be_told_of_is_given_up(office: Office) -> None:
    propose(office, 1)
    office.look()
    before, house = office.company.head(), House().merge(TARGET, IMAGE, zone(), fleet("web"))
    merged(office, 1)
    office.host.refused[1] = LOCKED
    endings = Endings(desk=office.desk, library=office.library)
    endings.merged(Commit(before), office.base(), house.world.as_of)
    plans = {"prod": house.plan()}
    assert endings.look(plans, house.world.as_of) == 1
    assert endings.look(plans, house.world.as_of + LONGEST + timedelta(seconds=1)) == 0


def test_the_plan_of_what_was_merged_stays_as_it_was_told(office: Office) -> None:
    propose(office, 1)
    office.look()
    (plan,) = office.host.ours(1)
    merged(office, 1)
    assert office.look() == 0
    assert office.host.ours(1) == [plan]


def test_a_part_that_is_refused_as_a_whole_keeps_no_other_part_from_its_work(office: Office) -> None:
    propose(office, 1)
    office.look()
    commands = Commands(desk=office.desk, explain=str, hand=str, since=office.host.now)
    job = PullJob(
        desk=office.desk,
        commands=commands,
        endings=Endings(desk=office.desk, library=office.library),
        branch=lambda: "main",
        emit=office.told.append,
        clock=lambda: office.host.now,
        now=lambda: office.clock[0],
    )
    job.look(office.base(), {}, frozenset())
    office.host.deaf = HostError("GET /repos/acme/fleet/pulls: 403 not for this token")
    office.host.says(1, ANN, "/reconciler approve 0123456789")
    office.clock[0] += 61
    job.look(office.base(), {}, frozenset())
    kinds = [type(e) for e in office.told if not isinstance(e, PullPlanned)]
    assert kinds == [PullCommand, HostFailed]


def test_an_old_plan_that_could_not_be_hidden_is_hidden_by_a_later_look(office: Office) -> None:
    propose(office, 1)
    office.look()
    office.propose(1, {"web.yaml": fleet("web").replace("min: 2", "min: 9")})
    office.host.busy_to_hide = True
    with pytest.raises(HostBusyError):
        office.look()
    first, second = office.host.ours(1)
    assert office.host.statuses[-1][0] == office.host.open[1].head, "the status does not wait for it"
    office.host.busy_to_hide = False
    office.look()
    assert [n.id for n in office.host.ours(1)] == [second.id]
    assert office.host.hidden == {first.id}


def test_a_process_that_starts_again_hides_what_the_last_one_left_and_nothing_twice(office: Office) -> None:
    propose(office, 1)
    office.look()
    office.propose(1, {"web.yaml": fleet("web").replace("min: 2", "min: 9")})
    office.host.busy_to_hide = True
    with pytest.raises(HostBusyError):
        office.look()
    office.host.busy_to_hide = False
    for hides in (2, 2):
        again = Desk(
            host=office.host,
            library=office.library,
            plans=office.desk.plans,
            notes=Notes(host=office.host, key=b"secret"),
            rests=Rests(emit=office.told.append),
            engine="0.1.0",
        )
        list(again.look(office.base(), "main", LIVE))
        assert len(office.host.ours(1)) == 1
        assert office.host.asked.count("hide") == hides, "one that failed, one that did it"


def test_a_rest_has_an_end_and_what_rests_no_more_is_forgotten() -> None:
    clock = [0.0]
    rests = Rests(emit=lambda _: None, now=lambda: clock[0], chance=lambda: 1.0)

    def refuse() -> None:
        raise LOCKED

    for _ in range(30):
        rests.attempt(SUBJECT, refuse)
        assert rests.resting(SUBJECT)
        clock[0] += 1.2 * GROWTH.most.total_seconds()
        assert not rests.resting(SUBJECT)
    clock[0] += 2 * GROWTH.most.total_seconds()
    rests.attempt(replace(SUBJECT, pull=2), refuse)
    assert list(rests._rests) == [replace(SUBJECT, pull=2)]
