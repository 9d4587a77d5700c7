"""Errors at their lines: one check run on GitHub, by an App; nothing anywhere else."""

import pytest

from emulator.githost.forge import Check
from reconciler.core.ids import Commit
from reconciler.hosts.github_checks import BATCH, CHECK, MOST
from reconciler.hosts.model import Annotation, HostBusyError, HostError
from tests.hosts.conftest import Stage

pytestmark = pytest.mark.slow


def errors(count: int, word: str = "unknown field") -> tuple[Annotation, ...]:
    return tuple(
        Annotation(path="fleets/web.yaml", line=n, column=3, title=word, message=f"{word}; why; write this")
        for n in range(1, count + 1)
    )


@pytest.fixture
def head(stage: Stage) -> Commit:
    return Commit(stage.forge.open(stage.forge.account("ann")).head)


def newest(stage: Stage) -> Check:
    (found,) = stage.forge.checks_of(next(iter(stage.forge.pulls.values())).head, CHECK)
    return found


def writes(stage: Stage) -> int:
    return sum("check-runs" in c.path and c.method != "GET" for c in stage.site.calls)


def test_errors_stand_at_their_lines_where_the_host_has_a_place_for_them(stage: Stage, head: Commit):
    stage.host.annotate(head, errors(2))
    if stage.kind != "github app":
        assert stage.site.calls == [], "a user's token can't, and GitLab has no such thing: it is not asked"
        return
    check = newest(stage)
    assert (check.commit, check.status, check.conclusion) == (head, "completed", "failure")
    assert check.title == "2 errors"
    assert check.annotations[1] == {
        "path": "fleets/web.yaml",
        "start_line": 2,
        "end_line": 2,
        "start_column": 3,
        "end_column": 3,
        "annotation_level": "failure",
        "title": "unknown field",
        "message": "unknown field; why; write this",
    }


@pytest.fixture
def app(by_app: Stage) -> Stage:
    by_app.forge.open(by_app.forge.account("ann"))
    return by_app


def show(app: Stage, found: tuple[Annotation, ...]) -> None:
    app.host.annotate(Commit(app.forge.pulls[1].head), found)


def test_a_head_without_errors_has_no_check_run(app: Stage):
    show(app, ())
    assert app.forge.checks == {}


@pytest.mark.parametrize("restart", [False, True])
def test_equal_errors_write_nothing(app: Stage, restart: bool):
    show(app, errors(60))
    before = writes(app)
    if restart:
        app.again()
    show(app, errors(60))
    assert writes(app) == before
    assert len(app.forge.checks) == 1


def test_errors_that_are_gone_leave_a_check_run_that_says_so(app: Stage):
    show(app, errors(2))
    show(app, ())
    check = newest(app)
    assert (check.conclusion, check.title, check.annotations) == ("success", "no errors", [])
    before = writes(app)
    show(app, ())
    assert writes(app) == before


def test_other_errors_never_stand_beside_the_old_ones(app: Stage):
    show(app, errors(2))
    show(app, errors(1, "no such image"))
    assert [a["title"] for a in newest(app).annotations] == ["no such image"]


@pytest.mark.parametrize(
    ("count", "requests", "shown"),
    [(1, 1, 1), (BATCH, 1, BATCH), (BATCH + 1, 2, BATCH + 1), (MOST + 5, MOST // BATCH, MOST)],
)
def test_many_errors_are_told_in_requests_of_fifty_and_the_rest_is_counted(
    app: Stage, count: int, requests: int, shown: int
):
    show(app, errors(count))
    check = newest(app)
    assert (writes(app), len(check.annotations)) == (requests, shown)
    assert (check.status, check.title) == ("completed", f"{count} error{'s' if count > 1 else ''}")
    assert ("5 more are not shown" in (check.summary or "")) is (count > MOST)


def test_a_check_run_that_was_told_by_half_is_told_anew(app: Stage):
    app.fails("PATCH .*check-runs", status=502)
    with pytest.raises(HostBusyError):
        show(app, errors(60))
    assert newest(app).status == "in_progress"
    show(app, errors(60))
    assert (newest(app).status, len(newest(app).annotations)) == ("completed", 60)


def test_a_reply_that_is_lost_makes_no_second_check_run(app: Stage):
    app.fails("POST .*check-runs", status=502, after=True)
    with pytest.raises(HostBusyError):
        show(app, errors(2))
    show(app, errors(2))
    assert len(app.forge.checks) == 1


def test_a_check_run_of_that_name_by_somebody_else_is_not_ours(app: Stage):
    other = app.forge.account("other[bot]", "write", bot=True)
    app.forge.check(app.forge.pulls[1].head, other, CHECK).status = "completed"
    show(app, ())
    assert writes(app) == 0
    show(app, errors(1))
    assert writes(app) == 1


def test_an_app_without_the_permission_does_all_but_this(app: Stage):
    del app.site.app.app.permissions["checks"]  # type: ignore[attr-defined]
    show(app, errors(2))
    assert app.forge.checks == {}
    assert len(app.host.pulls()) == 1


def test_a_permission_that_was_taken_away_is_told_by_the_host(app: Stage):
    show(app, ())
    for token in app.site.app.tokens.values():  # type: ignore[attr-defined]
        token.may = {k: v for k, v in (token.may or {}).items() if k != "checks"}
    app.again()
    with pytest.raises(HostError, match="403 Resource not accessible by integration"):
        show(app, errors(1))
