"""The schedule over a real repository: at once on a commit, side by side, one at a time, each on its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from queue import Queue
from threading import Event as Flag

import pytest

from reconciler.daemon.answers import Answers
from reconciler.daemon.loop import Daemon
from reconciler.daemon.order import Order, Turn
from reconciler.report.events import PassDone, PassFailed
from reconciler.source.repository import Adopted
from tests.daemon.script import PATIENCE, Ear, Script, daemon_of, failing, nothing_to_do
from tests.repositories import Company, broken, target

pytestmark = pytest.mark.slow

GRACE = timedelta(seconds=PATIENCE)
TWO = {"a.yaml": target("seoul", "ap-northeast-2"), "b.yaml": target("tokyo", "ap-northeast-1")}


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@contextmanager
def running(daemon: Daemon) -> Iterator[Daemon]:
    daemon.start()
    try:
        yield daemon
    finally:
        for flag in daemon.tools.passes.held.values():  # type: ignore[attr-defined]
            flag.set()
        assert daemon.stop(GRACE)


def test_every_target_is_passed_over_at_once_on_each_new_commit(
    company: Company, script: Script, ear: Ear
) -> None:
    first = company.commit(TWO)
    with running(daemon_of(company.bare, script, ear)):
        assert {script.next(n).adopted.commit for n in ("seoul", "tokyo")} == {first}
        second = company.commit({"b.yaml": TWO["b.yaml"] + "# more\n"})
        assert {script.next(n).adopted.commit for n in ("seoul", "tokyo")} == {second}


def test_only_the_targets_that_were_asked_for_are_passed_over(
    company: Company, script: Script, ear: Ear
) -> None:
    company.commit(TWO)
    with running(daemon_of(company.bare, script, ear, only=("tokyo",))) as daemon:
        script.next("tokyo")
        assert list(daemon.lanes) == ["tokyo"]


def test_a_target_is_looked_at_again_every_interval(company: Company, script: Script, ear: Ear) -> None:
    company.commit(TWO)
    with running(daemon_of(company.bare, script, ear, interval=0.05)):
        for _ in range(4):
            script.next("seoul")
    assert script.most == 1


def test_a_stuck_target_holds_nobody_up_and_health_says_who_it_is(
    company: Company, script: Script, ear: Ear
) -> None:
    company.commit(TWO)
    script.held["seoul"] = Flag()
    with running(daemon_of(company.bare, script, ear, interval=0.05)) as daemon:
        script.next("seoul")
        for _ in range(5):
            script.next("tokyo")
        assert script.most == 1
        assert Answers(daemon=daemon).health() == (True, {"ok": True, "why": []})
        lane = daemon.lanes["seoul"]
        assert lane.running_since is not None
        lane.running_since -= 1000  # as if it had begun a quarter of an hour ago
        ear.wait_for("pass.stuck", target="seoul")
        well, said = Answers(daemon=daemon).health()
        assert not well
        assert "target seoul has run for 1000 s" in str(said["why"])


def test_twenty_stuck_targets_do_not_hold_up_the_next_one(company: Company, script: Script, ear: Ear) -> None:
    regions = [f"eu-{chr(97 + n)}-1" for n in range(21)]
    company.commit({f"{n}.yaml": target(f"t{n}", r) for n, r in enumerate(regions)})
    for n in range(20):
        script.held[f"t{n}"] = Flag()
    with running(daemon_of(company.bare, script, ear, interval=0.2)):
        for _ in range(3):
            script.next("t20")


def test_a_commit_in_mid_pass_is_taken_up_right_after_it(company: Company, script: Script, ear: Ear) -> None:
    first = company.commit(TWO)
    script.held["seoul"] = Flag()
    with running(daemon_of(company.bare, script, ear)):
        assert script.next("seoul").adopted.commit == first
        second = company.commit({"b.yaml": TWO["b.yaml"] + "# more\n"})
        ear.wait_for("commit.adopted", commit=second)
        script.held["seoul"].set()
        assert script.next("seoul").adopted.commit == second
    assert script.most == 1


class Board:
    """Hears what the job for pull requests is told of plans."""

    def __init__(self) -> None:
        self.told: Queue[tuple[str, frozenset[str]]] = Queue()

    def look(self, adopted: Adopted, _: object, of_it: frozenset[str]) -> None:
        self.told.put((adopted.commit, of_it))

    def until(self, commit: str, *targets: str) -> None:
        """Wait until it is told that these targets, and no others, are planned for a commit."""
        while self.told.get(timeout=PATIENCE) != (commit, frozenset(targets)):
            continue


def test_a_plan_of_the_commit_before_never_stands_for_the_one_in_force(
    company: Company, script: Script, ear: Ear
) -> None:
    first, daemon, board = company.commit(TWO), daemon_of(company.bare, script, ear), Board()
    daemon.pulls, daemon.pulls_every = board, timedelta(seconds=0.05)  # type: ignore[assignment]
    with running(daemon):
        board.until(first, "seoul", "tokyo")
        script.held["seoul"] = Flag()
        second = company.commit({"b.yaml": TWO["b.yaml"] + "# more\n"})
        board.until(second, "tokyo")
        script.held["seoul"].set()
        board.until(second, "seoul", "tokyo")


def test_errors_of_a_target_rest_that_target_alone(company: Company, script: Script, ear: Ear) -> None:
    company.commit(TWO)
    script.answer["seoul"] = failing("credentials")
    with running(daemon_of(company.bare, script, ear, interval=0.05)) as daemon:
        rests = [ear.wait_for("pass.failed", target="seoul") for _ in range(3)]
        spans = [r.next_in for r in rests if isinstance(r, PassFailed)]
        assert spans == [timedelta(seconds=s) for s in (0.05, 0.1, 0.2)]
        script.next("tokyo")
        well, said = Answers(daemon=daemon).ready()
        assert not well
        assert "target seoul had no complete pass yet: credentials: said so" in str(said["why"])
        script.answer["seoul"] = nothing_to_do
        ear.wait_for("pass.recovered", target="seoul")
        assert daemon.lanes["seoul"].failures == 0


def test_a_new_commit_does_not_wake_what_aws_asked_to_rest(
    company: Company, script: Script, ear: Ear
) -> None:
    company.commit(TWO)
    script.answer["seoul"] = failing("throttled")
    with running(daemon_of(company.bare, script, ear)):
        ear.wait_for("pass.failed", target="seoul")
        script.next("seoul")
        company.commit({"c.yaml": target("third", "us-east-1")})
        script.next("third")
        assert script.asked["seoul"].empty()


def test_credentials_mended_by_a_commit_are_tried_at_once(company: Company, script: Script, ear: Ear) -> None:
    company.commit(TWO)
    script.answer["seoul"] = failing("credentials")
    with running(daemon_of(company.bare, script, ear)):
        ear.wait_for("pass.failed", target="seoul")
        script.next("seoul")
        role = target("seoul", "ap-northeast-2").replace("}\n", "}\n", 1)
        role = role.replace("owner:", "assumeRole: arn:aws:iam::123456789012:role/reconciler, owner:")
        company.commit({"a.yaml": role})
        assert script.next("seoul").target.spec.assumeRole


def test_a_target_taken_out_of_git_is_released_and_one_that_comes_is_scheduled(
    company: Company, script: Script, ear: Ear
) -> None:
    company.commit(TWO)
    with running(daemon_of(company.bare, script, ear)) as daemon:
        script.next("seoul")
        company.commit({"a.yaml": None, "c.yaml": target("third", "us-east-1")})
        ear.wait_for("target.released", target="seoul")
        assert script.released.get(timeout=PATIENCE) == "seoul"
        script.next("third")
        assert sorted(daemon.lanes) == ["third", "tokyo"]
        company.commit(TWO)
        ear.wait_for("target.scheduled", target="seoul")
        script.next("seoul")


def test_a_target_that_comes_back_while_its_last_pass_runs_gets_no_second_one_beside_it(
    company: Company, script: Script, ear: Ear
) -> None:
    company.commit(TWO)
    script.held["seoul"] = Flag()
    with running(daemon_of(company.bare, script, ear)):
        script.next("seoul")
        company.commit({"a.yaml": None})
        ear.wait_for("target.released", target="seoul")
        again = company.commit(TWO)
        ear.wait_for("target.scheduled", target="seoul")
        script.held["seoul"].set()
        assert script.next("seoul").adopted.commit == again
    assert script.most == 1


def test_a_broken_commit_changes_nothing_and_is_told(company: Company, script: Script, ear: Ear) -> None:
    good = company.commit(TWO)
    with running(daemon_of(company.bare, script, ear)) as daemon:
        ear.wait_for("pass.done", target="seoul")
        company.commit({"x.yaml": broken()})
        ear.wait_for("commit.stale", commit=good)
        assert daemon.lanes["seoul"].adopted.commit == good
        _, said = Answers(daemon=daemon).ready()
        assert "x.yaml:2:7" in str(said["problems"])


def test_without_a_good_commit_no_pass_is_made_and_it_is_not_ready(
    company: Company, script: Script, ear: Ear
) -> None:
    company.commit({"x.yaml": broken()})
    with running(daemon_of(company.bare, script, ear)) as daemon:
        ear.wait_for("commit.stale", commit="")
        well, said = Answers(daemon=daemon).ready()
        assert (well, said["commit"]) == (False, None)
        assert "no commit is adopted" in str(said["why"])
        assert not script.asked


def test_a_repository_that_is_away_is_told_once_and_again_when_it_is_back(
    company: Company, script: Script, ear: Ear
) -> None:
    company.commit(TWO)
    away = company.bare.with_name("away.git")
    with running(daemon_of(company.bare, script, ear)) as daemon:
        script.next("seoul")
        company.bare.rename(away)
        ear.wait_for("poll.failed")
        for _ in range(2):  # polls go on, and so does what is in force
            daemon.wake("seoul")
            script.next("seoul")
        away.rename(company.bare)
        ear.wait_for("poll.recovered")
    assert [e.event for e in ear.heard].count("poll.failed") == 1


def test_rewritten_history_is_handed_to_every_target_until_nothing_names_it(
    company: Company, script: Script, ear: Ear
) -> None:
    base = company.commit(TWO)
    dropped = company.commit({"a.yaml": TWO["a.yaml"] + "# dropped\n"})
    with running(daemon_of(company.bare, script, ear)) as daemon:
        assert script.next("seoul").left == ()
        script.next("tokyo")
        company.back_to(base)
        company.commit({"a.yaml": TWO["a.yaml"] + "# other\n"})
        ear.wait_for("history.rewritten", before=dropped)
        assert script.next("seoul").left == (dropped,)
        ear.wait_for("pass.done", target="seoul")
        script.answer["seoul"] = nothing_to_do_and_left
        daemon.wake("seoul")
        assert script.next("seoul").left == (dropped,)
        ear.wait_for("history.accepted", target="seoul")
        daemon.wake("seoul")
        assert script.next("seoul").left == ()
        daemon.wake("tokyo")
        script.next("tokyo")
        assert daemon.lanes["tokyo"].left == (dropped,)


def nothing_to_do_and_left(order: Order) -> Turn:
    return replace(nothing_to_do(order), left=())


def test_a_fault_in_one_pass_is_told_with_its_place_and_ends_nothing(
    company: Company, script: Script, ear: Ear
) -> None:
    def fault(_order: object) -> None:
        raise KeyError("surprise")

    company.commit(TWO)
    script.answer["seoul"] = fault  # type: ignore[assignment]
    with running(daemon_of(company.bare, script, ear, interval=0.05)):
        failed = ear.wait_for("job.failed", job="pass:seoul")
        assert "surprise" in failed.why  # type: ignore[attr-defined]
        ear.wait_for("pass.failed", target="seoul", failures=2)
        script.next("tokyo")


def test_it_is_ready_once_each_target_had_a_complete_pass(company: Company, script: Script, ear: Ear) -> None:
    company.commit(TWO)
    script.held["seoul"] = Flag()
    with running(daemon_of(company.bare, script, ear)) as daemon:
        ear.wait_for("pass.done", target="tokyo")
        assert not Answers(daemon=daemon).ready()[0]
        script.held["seoul"].set()
        done = ear.wait_for("pass.done", target="seoul")
        assert isinstance(done, PassDone)
        assert (done.result, done.calls) == ("done", 1)
        assert Answers(daemon=daemon).ready()[0]
        passes = Answers(daemon=daemon).passes()["passes"]
        assert [p["target"] for p in passes] == ["seoul", "tokyo"]  # type: ignore[attr-defined]


def test_stopping_waits_for_the_pass_that_runs_and_begins_no_other(
    company: Company, script: Script, ear: Ear
) -> None:
    company.commit(TWO)
    script.held["seoul"] = Flag()
    daemon = daemon_of(company.bare, script, ear, interval=0.05)
    daemon.start()
    script.next("seoul")
    assert not daemon.stop(timedelta(0))  # it is held: not clean
    assert script.stopped.is_set()
    assert not daemon.alive
    script.held["seoul"].set()
    ear.wait_for("pass.done", target="seoul")
    assert script.asked["seoul"].empty()
