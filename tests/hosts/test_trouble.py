"""Hosts on a bad day: nothing is done twice, nothing is taken for complete that is not, no token gets out."""

import logging
import traceback
from datetime import timedelta
from typing import Any

import pytest

from reconciler.hosts.github import GitHub
from reconciler.hosts.model import PATIENCE, HostBusyError, HostError, MissingError, State, Status
from tests.hosts.conftest import TOKEN, Stage

pytestmark = pytest.mark.slow

BUSY = [
    ("a bad gateway", {"status": 502}, PATIENCE),
    ("an error page in HTML", {"status": 500, "body": "<h1>500</h1>"}, PATIENCE),
    (
        "maintenance that says how long",
        {"status": 503, "headers": {"Retry-After": "120"}},
        timedelta(minutes=2),
    ),
    ("too many requests", {"status": 429, "headers": {"Retry-After": "17"}}, timedelta(seconds=17)),
    ("too many requests, and no word for how long", {"status": 429}, PATIENCE),
    ("a second limit", {"status": 403, "headers": {"Retry-After": "60"}}, timedelta(minutes=1)),
    (
        "a second limit in words alone",
        {"status": 403, "body": {"message": "You have exceeded a secondary rate limit"}},
        PATIENCE,
    ),
    (
        "an hour's limit",
        {
            "status": 403,
            "headers": {
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": "1780300890",
                "Date": "Mon, 01 Jun 2026 08:00:00 GMT",
            },
        },
        timedelta(seconds=90),
    ),
    ("patience for years", {"status": 429, "headers": {"Retry-After": "999999999999"}}, timedelta(hours=1)),
    ("patience in no number", {"status": 429, "headers": {"Retry-After": "²"}}, PATIENCE),
    ("a connection that is cut", {"cut": True}, PATIENCE),
    ("an answer that is cut", {"status": 200, "body": '[{"number": 1, "he'}, PATIENCE),
]
REFUSED = [
    ("a refusal", {"status": 403, "body": {"message": "Resource not accessible by integration"}}),
    ("no such thing", {"status": 404, "body": {"message": "Not Found"}}),
    ("a token that is none", {"status": 401, "times": 2, "body": {"message": "Bad credentials"}}),
    ("a repository that moved", {"status": 301, "headers": {"Location": "/elsewhere"}}),
    ("a redirect to another host", {"status": 307, "headers": {"Location": "https://example.org/"}}),
    ("an answer of another shape", {"status": 200, "body": [{"number": 1}]}),
    ("no list at all", {"status": 200, "body": {"number": 1}}),
    ("a list of nothing", {"status": 200, "body": [None]}),
    ("nothing", {"status": 200, "body": "null"}),
]
LIST = "GET .*(pulls|merge_requests)$"
NOTE = "POST .*(comments|notes)$"


def fake(stage: Stage) -> Any:
    """What answers for the host."""
    return stage.site.app


@pytest.mark.parametrize(("what", "how", "after"), BUSY, ids=[c[0] for c in BUSY])
def test_a_busy_host_is_let_alone(stage: Stage, what, how, after: timedelta):
    stage.forge.open(stage.forge.account("ann"))
    stage.fails(LIST, **how)
    with pytest.raises(HostBusyError) as busy:
        stage.host.pulls()
    assert busy.value.after == after
    stage.clock.now += after.total_seconds()
    assert len(stage.host.pulls()) == 1


@pytest.mark.parametrize(("what", "how"), REFUSED, ids=[c[0] for c in REFUSED])
def test_a_refusal_is_an_operators_matter_and_says_which_call_it_was(stage: Stage, what, how):
    stage.forge.open(stage.forge.account("ann"))
    stage.fails(LIST, **how)
    with pytest.raises(HostError) as refused:
        stage.host.pulls()
    assert "pull" in str(refused.value) or "merge" in str(refused.value)
    assert "elsewhere" not in [c.path for c in stage.site.calls]
    stage.site.faults.clear()
    assert len(stage.host.pulls()) == 1


@pytest.mark.parametrize("status", [403, 429])
def test_while_a_host_asks_for_patience_it_is_asked_nothing(stage: Stage, status: int):
    pull = stage.forge.open(stage.forge.account("ann"))
    stage.host.pulls()
    stage.fails(NOTE, status=status, headers={"Retry-After": "30"})
    with pytest.raises(HostBusyError):
        stage.host.add_note(1, "plan")
    sent = len(stage.site.calls)
    stage.clock.now += 29
    for call in (
        stage.host.pulls,
        lambda: stage.host.add_note(1, "plan"),
        lambda: stage.host.set_status(pull.head, Status(state=State.PENDING, description="x")),
    ):
        with pytest.raises(HostBusyError) as busy:
            call()
        assert busy.value.after == timedelta(seconds=1)
    assert len(stage.site.calls) == sent
    stage.clock.now += 1
    stage.host.add_note(1, "plan")
    assert [n.body for n in stage.host.notes(1)] == ["plan"]


@pytest.mark.parametrize("how", [{"status": 502}, {"cut": True}], ids=["bad gateway", "cut"])
def test_a_write_whose_answer_is_lost_is_found_by_looking_and_made_once(stage: Stage, how):
    stage.forge.open(stage.forge.account("ann"))
    assert stage.host.notes(1) == ()
    stage.fails(NOTE, after=True, **how)
    with pytest.raises(HostBusyError):
        stage.host.add_note(1, "plan")
    assert [(n.body, n.author.id) for n in stage.host.notes(1)] == [("plan", stage.me.id)]
    assert len(stage.forge.comments) == 1


def test_what_was_made_a_moment_ago_may_be_missing_still(stage: Stage):
    pull = stage.forge.open(stage.forge.account("ann"))
    missing = {"status": 404, "body": {"message": "Not Found"}}
    stage.fails("GET .*(comments|notes)$", **missing)
    stage.fails("POST .*/statuses/", **missing)
    stage.fails(NOTE, **missing)
    status = Status(state=State.PENDING, description="x")
    for call in (
        lambda: stage.host.notes(1),
        lambda: stage.host.add_note(1, "plan"),
        lambda: stage.host.set_status(pull.head, status),
    ):
        with pytest.raises(MissingError):
            call()
        call()


def test_a_comment_that_somebody_deleted_is_missing(stage: Stage):
    stage.forge.open(stage.forge.account("ann"))
    note = stage.host.add_note(1, "plan")
    stage.forge.comments.clear()
    with pytest.raises(MissingError):
        stage.host.edit_note(note, "plan, again")
    with pytest.raises(MissingError):
        stage.host.hide_note(note)


@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_list_is_read_whole_or_not_at_all(stage: Stage, page: int):
    ann = stage.forge.account("ann")
    for n in range(250):
        stage.forge.open(ann, f"b{n}")
    stage.host.me()
    for _ in range(page - 1):
        stage.fails(LIST)  # the true answer
    stage.fails(LIST, status=500)
    with pytest.raises(HostBusyError):
        stage.host.pulls()


def test_no_pull_request_is_lost_while_others_close_and_move(stage: Stage):
    ann = stage.forge.account("ann")
    for n in range(230):
        stage.forge.open(ann, f"b{n}")
        stage.clock.now += 1
    forge = stage.forge
    stage.after("page=2", lambda: forge.close(forge.pulls[200]))
    stage.after("direction=desc", lambda: forge.push(forge.pulls[3], "e" * 40))
    stage.after("sort=desc", lambda: forge.push(forge.pulls[3], "e" * 40))
    found = {p.number: p.head for p in stage.host.pulls()}
    assert found == {p.number: p.head for p in forge.opened()}
    assert found[3] == "e" * 40


def test_a_list_that_never_stands_still_is_not_taken_for_complete(stage: Stage):
    ann = stage.forge.account("ann")
    for n in range(101):
        stage.forge.open(ann, f"b{n}")

    def again() -> None:
        stage.clock.now += 1
        stage.forge.open(ann)
        stage.after("per_page", again)

    again()
    with pytest.raises(HostBusyError, match="faster"):
        stage.host.pulls()


@pytest.mark.parametrize("count", [99, 100, 101, 200])
def test_a_comment_that_begins_a_new_page_is_seen(stage: Stage, count: int):
    ann = stage.forge.account("ann")
    pull = stage.forge.open(ann)
    for n in range(count):
        stage.forge.comment(pull, ann, f"{n}")
    since = stage.forge.now()
    assert len(stage.host.notes(1)) == len(stage.host.notes_since(since)) == count
    assert len(stage.host.notes(1)) == len(stage.host.notes_since(since)) == count
    stage.clock.now += 1
    stage.forge.comment(pull, ann, "one more")
    assert stage.host.notes(1)[-1].body == "one more"
    assert stage.host.notes_since(since)[-1].body == "one more"


def test_a_next_page_on_another_host_is_not_asked_for(stage: Stage):
    stage.forge.open(stage.forge.account("ann"))
    link = '<https://example.org/pulls?page=2>; rel="next"'
    stage.fails(LIST, headers={"Link": link})
    with pytest.raises(HostError, match="another host"):
        stage.host.pulls()


def test_a_list_without_an_end_is_an_error(stage: Stage):
    stage.forge.open(stage.forge.account("ann"))
    link = f'<{stage.host.base}/{"projects/acme%2Ffleet/merge_requests" if stage.kind == "gitlab" else "repos/acme/fleet/pulls"}>; rel="next"'
    stage.fails(LIST, headers={"Link": link}, times=60)
    with pytest.raises(HostError, match="more than 50 pages"):
        stage.host.pulls()


def test_no_token_gets_into_an_error_or_a_log(stage: Stage, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    stage.forge.open(stage.forge.account("ann"))
    stage.host.pulls()
    token = stage.token() if stage.token else TOKEN
    said = [repr(stage.host), repr(stage.token)]
    echo = {"message": f"bad token {token}\n\x1b[31m", "errors": [{"message": token}]}
    for how in (
        {"status": 403, "body": echo},
        {"status": 400, "body": echo},
        {"status": 502, "body": echo},
        {"status": 301, "headers": {"Location": "https://example.org/"}},
        {"status": 200, "body": [echo]},
        {"cut": True},
    ):
        stage.fails(LIST, **how)
        with pytest.raises((HostError, HostBusyError)) as failed:
            stage.host.pulls()
        said += [repr(failed.value), *traceback.format_exception(failed.value)]
    said += [r.getMessage() for r in caplog.records]
    assert "bad token ***" in "".join(said)
    for canary in (token, "PRIVATE KEY", "\x1b"):
        assert canary not in "".join(said)


@pytest.mark.parametrize("token", ["ghp_canary\n", "ghp_canary\r\nX-Evil: 1", "ghp_canär", "ghp_canary\0"])
def test_a_token_that_no_header_may_hold_is_an_operators_matter(github: Stage, token: str):
    host = GitHub("acme/fleet", lambda: token, github.host.base)
    with pytest.raises(HostError, match="token can't be sent") as refused:
        host.pulls()
    text = "".join(traceback.format_exception(refused.value))
    assert "ghp_can" not in text
    assert github.site.calls == []
    host.close()


def test_a_host_that_is_not_there_is_busy():
    host = GitHub("acme/fleet", lambda: TOKEN, "http://127.0.0.1:9")
    with pytest.raises(HostBusyError, match="no answer"):
        host.pulls()
    host.close()


def test_a_token_that_may_not_write_says_so(github: Stage):
    github.forge.open(github.forge.account("ann"))
    fake(github).tokens[TOKEN].reads = True
    with pytest.raises(HostError, match="403 Resource not accessible by personal access token"):
        github.host.add_note(1, "plan")


@pytest.mark.parametrize("length", [65_536, 65_537])
def test_a_body_that_is_too_long_is_refused_whole(github: Stage, length: int):
    github.forge.open(github.forge.account("ann"))
    if length <= 65_536:
        assert github.host.add_note(1, "x" * length).id
    else:
        with pytest.raises(HostError, match="422 Validation Failed: Body is too long"):
            github.host.add_note(1, "x" * length)
        assert github.forge.comments == {}
        assert "is too long" in github.found.pop()


def test_a_commit_takes_a_thousand_statuses_and_no_more(github: Stage):
    pull = github.forge.open(github.forge.account("ann"))
    for _ in range(1_000):
        github.forge.set_status(pull.head, github.me, state="pending", context="reconciler/plan")
    with pytest.raises(HostError, match="maximum number of statuses"):
        github.host.set_status(pull.head, Status(state=State.SUCCESS, description="x"))


def test_a_commit_that_the_host_does_not_know_is_refused(github: Stage):
    with pytest.raises(HostError, match="No commit found"):
        github.host.set_status("f" * 40, Status(state=State.SUCCESS, description="x"))
    with pytest.raises(HostError, match="No commit found"):
        github.host.pulls_of("f" * 40)


def test_a_custom_role_is_no_right_by_its_name(github: Stage):
    ann = github.forge.account("ann", "read")
    real = fake(github).shapes.permission(ann)
    github.fails("permission$", status=200, body={**real, "role_name": "write"})
    github.forge.open(ann)
    (pull,) = github.host.pulls()
    assert not github.host.may_write(pull.author)


@pytest.mark.parametrize("user", [None, {"login": "ann"}], ids=["null", "without an id"])
def test_a_permission_of_nobody_in_particular_is_none(github: Stage, user):
    github.forge.open(github.forge.account("ann", "admin"))
    (pull,) = github.host.pulls()
    said = {"permission": "admin", "role_name": "admin", "user": user}
    github.fails("permission$", status=200, body=said)
    assert not github.host.may_write(pull.author)
    assert github.host.may_write(pull.author)


def test_a_merge_request_without_a_head_is_left_for_later(gitlab: Stage):
    ann = gitlab.forge.account("ann")
    gitlab.forge.open(ann, "one"), gitlab.forge.open(ann, "two")
    fake(gitlab).unprepared.add(2)
    assert [p.number for p in gitlab.host.pulls()] == [1]


def test_a_status_goes_into_the_newest_pipeline(gitlab: Stage):
    pull = gitlab.forge.open(gitlab.forge.account("ann"))
    fake(gitlab).pipelines[pull.head] = [5, 6]
    seen: list[object] = []
    gitlab.site.check = lambda request, *_: seen.append(request.json().get("pipeline_id"))
    gitlab.host.set_status(pull.head, Status(state=State.SUCCESS, description="x"))
    assert seen == [None, 6]


def test_a_fork_whose_head_is_on_no_branch_takes_no_status_and_that_is_no_error(gitlab: Stage):
    pull = gitlab.forge.open(gitlab.forge.account("eve"), fork="eve/fleet")
    gitlab.host.set_status(pull.head, Status(state=State.PENDING, description="a fork"))
    assert gitlab.forge.statuses == []


@pytest.mark.parametrize(
    ("login", "bot"),
    [("project_12_bot", True), ("group_3_bot_9f2c", True), ("ann", False), ("project_bot", False)],
)
def test_the_account_of_an_access_token_is_a_bot(gitlab: Stage, login: str, bot: bool):
    gitlab.forge.open(gitlab.forge.account(login, "admin"))
    (pull,) = gitlab.host.pulls()
    assert pull.author.bot is bot
    assert gitlab.host.may_write(pull.author) is not bot


def test_a_member_who_is_blocked_may_not_command(gitlab: Stage):
    gitlab.forge.open(gitlab.forge.account("ann", "admin"))
    (pull,) = gitlab.host.pulls()
    gitlab.fails("members/all", status=200, body={"state": "blocked", "access_level": 50})
    assert not gitlab.host.may_write(pull.author)
    assert gitlab.host.may_write(pull.author)
