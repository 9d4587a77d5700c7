"""Which commit is in force: real repositories, all that can happen to them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.daemon.follow import UNKNOWN, Follower, Standing
from reconciler.report.event import Event
from reconciler.report.events import CommitAdopted, CommitRejected, CommitStale, HistoryRewritten
from reconciler.source.git import Repository, SourceError
from reconciler.source.repository import Library
from tests.repositories import Company, broken, target

pytestmark = pytest.mark.slow


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


@pytest.fixture
def follower(company: Company) -> Follower:
    return Follower(library=Library(Repository(str(company.bare), company.folder / "mirror")), ref=None)


Told = list[type[Event]]
Look = Callable[[], tuple[str | None, Told]]


@pytest.fixture
def look(follower: Follower) -> Look:
    """Follow once more; return what is in force and what was told."""
    standing: list[Standing] = [UNKNOWN]

    def once() -> tuple[str | None, Told]:
        standing[0], events = follower.look(standing[0])
        adopted = standing[0].adopted
        return (adopted.commit if adopted else None), [type(e) for e in events]

    return once


def test_the_newest_commit_is_in_force_and_told_once(company: Company, look: Look) -> None:
    first = company.commit({"t.yaml": target()})
    assert look() == (first, [CommitAdopted])
    assert look() == (first, [])
    second = company.commit({"t.yaml": target() + "# more\n"})
    assert look() == (second, [CommitAdopted])


def test_a_broken_commit_leaves_the_last_good_one_in_force(company: Company, look: Look) -> None:
    good = company.commit({"t.yaml": target()})
    look()
    company.commit({"a.yaml": broken(), "b.yaml": broken()})
    assert look() == (good, [CommitRejected, CommitRejected, CommitStale])
    assert look() == (good, [])
    mended = company.commit({"a.yaml": None, "b.yaml": None})
    assert look() == (mended, [CommitAdopted])


def test_every_problem_is_told_with_its_place_and_what_to_write(company: Company, follower: Follower) -> None:
    company.commit({"t.yaml": target(), "fleets/a.yaml": broken()})
    _, events = follower.look(UNKNOWN)
    (said,) = [e for e in events if isinstance(e, CommitRejected)]
    assert (said.at, said.number, said.problems) == ("fleets/a.yaml:2:7", 1, 1)
    assert said.what
    assert said.why
    assert said.fix


def test_on_start_the_newest_good_ancestor_is_in_force(company: Company, look: Look) -> None:
    good = company.commit({"t.yaml": target()})
    company.commit({"a.yaml": broken()})
    company.commit({"a.yaml": broken() + "# still\n"})
    assert look() == (good, [CommitRejected, CommitAdopted, CommitStale])


def test_on_start_without_any_good_commit_none_is_in_force(company: Company, look: Look) -> None:
    company.commit({"a.yaml": broken()})
    assert look() == (None, [CommitRejected, CommitStale])
    good = company.commit({"a.yaml": target()})
    assert look() == (good, [CommitAdopted])


def test_a_push_of_a_good_and_a_broken_commit_brings_the_good_one(company: Company, look: Look) -> None:
    company.commit({"t.yaml": target()})
    look()
    good = company.commit({"t.yaml": target() + "# more\n"}, push=False)
    company.commit({"a.yaml": broken()})
    assert look() == (good, [CommitRejected, CommitAdopted, CommitStale])


def test_rewritten_history_is_told(company: Company, follower: Follower) -> None:
    base = company.commit({"t.yaml": target()})
    dropped = company.commit({"t.yaml": target() + "# dropped\n"})
    standing, _ = follower.look(UNKNOWN)
    company.back_to(base)
    other = company.commit({"t.yaml": target() + "# other\n"})
    standing, events = follower.look(standing)
    assert [type(e) for e in events] == [HistoryRewritten, CommitAdopted]
    assert (standing.adopted and standing.adopted.commit, standing.left) == (other, (dropped,))


def test_a_branch_taken_back_is_rewritten_history(company: Company, follower: Follower) -> None:
    base = company.commit({"t.yaml": target()})
    company.commit({"t.yaml": target() + "# dropped\n"})
    standing, _ = follower.look(UNKNOWN)
    company.back_to(base)
    company.push()
    standing, events = follower.look(standing)
    assert [type(e) for e in events] == [HistoryRewritten, CommitAdopted]


def test_rewritten_history_with_a_broken_head_changes_nothing(company: Company, look: Look) -> None:
    base = company.commit({"t.yaml": target()})
    kept = company.commit({"t.yaml": target() + "# kept\n"})
    look()
    company.back_to(base)
    company.commit({"a.yaml": broken()})
    assert look() == (kept, [CommitRejected, CommitStale])


def test_a_merge_is_one_step_forward(company: Company, look: Look) -> None:
    company.commit({"t.yaml": target()})
    look()
    company._git("checkout", "--quiet", "-b", "topic")
    company.commit({"u.yaml": target("other", "us-east-1")}, push=False)
    company._git("checkout", "--quiet", "main")
    company._git("merge", "--quiet", "--no-ff", "-m", "Merge", "topic")
    company.push()
    assert look() == (company.head(), [CommitAdopted])


def test_an_empty_repository_says_so(follower: Follower) -> None:
    with pytest.raises(SourceError, match="is it empty"):
        follower.look(UNKNOWN)


def test_a_look_that_failed_is_made_again(company: Company, follower: Follower) -> None:
    with pytest.raises(SourceError):
        follower.look(UNKNOWN)
    commit = company.commit({"t.yaml": target()})
    standing, _ = follower.look(UNKNOWN)
    assert standing.newest == commit
