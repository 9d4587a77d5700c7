"""What every host must do for us: one suite over all of them, over HTTP."""

from datetime import timedelta

import pytest

from reconciler.core.ids import Commit
from reconciler.hosts.commands import command_of
from reconciler.hosts.model import CONTEXT, Author, State, Status
from tests.hosts.conftest import Stage

pytestmark = pytest.mark.slow


def author(account) -> Author:
    return Author(id=account.id, login=account.login, bot=account.bot)


def test_we_know_who_we_are(stage: Stage):
    assert stage.host.me() == author(stage.me)
    asked = stage.site.asked
    stage.host.me()
    assert stage.site.asked == asked


def test_every_open_pull_request_is_read_however_many_pages_there_are(stage: Stage):
    ann = stage.forge.account("ann", "write")
    for n in range(251):
        stage.forge.open(ann, f"change-{n}")
        stage.clock.now += 1
    stage.forge.close(stage.forge.pulls[7])
    stage.forge.merge(stage.forge.pulls[8])
    numbers = [p.number for p in stage.host.pulls()]
    assert numbers == [n for n in range(251, 0, -1) if n not in (7, 8)]


def test_a_pull_request_says_what_a_plan_of_it_rests_on(stage: Stage):
    ann = stage.forge.account("ann", "write")
    made = stage.forge.open(ann, "change", base="release", draft=True)
    stage.forge.label(made, "urgent", ann)
    stage.forge.label(made, "database", ann)
    stage.clock.now += 1
    (pull,) = stage.host.pulls()
    assert (pull.number, pull.head, pull.base_ref, pull.author) == (1, made.head, "release", author(ann))
    assert (pull.fork, pull.draft, pull.labels, pull.merged) == (False, True, ("database", "urgent"), None)
    assert stage.host.head_ref(1) in ("refs/pull/1/head", "refs/merge-requests/1/head")


@pytest.mark.parametrize("source", ["eve/fleet", None], ids=["of somebody else", "deleted since"])
def test_a_head_in_another_repository_is_a_fork(stage: Stage, source: str | None):
    made = stage.forge.open(stage.forge.account("eve"), "main")
    made.fork = source
    assert [p.fork for p in stage.host.pulls()] == [True]


def test_the_pull_request_of_a_merge_is_found_by_the_commit(stage: Stage):
    ann = stage.forge.account("ann", "write")
    made, other = stage.forge.open(ann), stage.forge.open(ann, "other")
    merge = stage.forge.merge(made)
    stage.clock.now += 60
    assert [(p.number, p.merged) for p in stage.host.pulls_of(Commit(merge))] == [(1, merge)]
    assert [(p.number, p.merged) for p in stage.host.pulls_of(Commit(other.head))] == [(2, None)]


def test_every_comment_is_read_oldest_first(stage: Stage):
    ann = stage.forge.account("ann")
    pull, other = stage.forge.open(ann), stage.forge.open(ann, "other")
    for n in range(120):
        stage.forge.comment(pull, ann, f"comment {n}")
        stage.clock.now += 1
    stage.forge.comment(other, ann, "elsewhere")
    notes = stage.host.notes(1)
    assert [n.body for n in notes] == [f"comment {n}" for n in range(120)]
    assert {(n.pull, n.author, n.edited) for n in notes} == {(1, author(ann), False)}


def test_a_comment_is_known_as_edited(stage: Stage):
    ann = stage.forge.account("ann")
    note = stage.forge.comment(stage.forge.open(ann), ann, "first")
    stage.clock.now += 1
    stage.forge.edit(note, "second")
    assert [(n.body, n.edited) for n in stage.host.notes(1)] == [("second", True)]


def test_what_a_deleted_account_wrote_is_nobodys(stage: Stage):
    ann = stage.forge.account("ann", "write")
    pull = stage.forge.open(ann)
    stage.forge.comment(pull, ann, "/reconciler replan")
    stage.forge.label(pull, "plan", ann)
    stage.forge.leave(ann)
    nobody = Author(id=0, login="")
    assert [p.author for p in stage.host.pulls()] == [nobody]
    assert [n.author for n in stage.host.notes(1)] == [nobody]
    assert stage.host.labelled_by(1, "plan") == nobody
    assert not stage.host.may_write(nobody)
    assert command_of(stage.host.notes(1)[0], stage.host.me()) is None


def test_new_comments_of_all_pull_requests_are_read_at_once(stage: Stage):
    ann = stage.forge.account("ann")
    one, two, _ = (stage.forge.open(ann, f"b{n}") for n in range(3))
    old = stage.forge.comment(one, ann, "old")
    stage.forge.comment(one, ann, "old, and left as it was")
    stage.clock.now += 60
    since = stage.forge.now()
    stage.forge.comment(99, ann, "on an issue", on_issue=True)
    for n in range(130):
        stage.forge.comment(one if n % 2 else two, ann, f"{n}")
        stage.clock.now += 1
    stage.forge.edit(old, "old, and edited")
    found = stage.host.notes_since(since)
    assert [(n.pull, n.body) for n in found[:3]] == [(2, "0"), (1, "1"), (2, "2")]
    assert len(found) == 131
    assert [n.body for n in found if n.edited] == ["old, and edited"]
    assert stage.host.notes_since(stage.forge.now() + timedelta(seconds=1)) == ()


def test_a_comment_is_written_edited_and_hidden(stage: Stage):
    pull = stage.forge.open(stage.forge.account("ann"))
    note = stage.host.add_note(pull.number, "### plan\n")
    assert (note.body, note.author.id, note.edited) == ("### plan\n", stage.me.id, False)
    stage.clock.now += 1
    stage.host.edit_note(note, "### plan, again\n")
    (kept,) = stage.host.notes(pull.number)
    assert kept.body == "### plan, again\n"
    stage.again()
    stage.host.hide_note(kept)
    (real,) = stage.forge.comments.values()
    assert real.hidden == (stage.kind != "gitlab"), "GitLab can't mark a note as outdated"
    assert real.body.startswith("<details><summary>Superseded</summary>\n\n### plan, again")


@pytest.mark.parametrize("state", State)
def test_a_status_stands_on_the_head(stage: Stage, state: State):
    pull = stage.forge.open(stage.forge.account("ann"))
    told = Status(state=state, description="one fleet is replaced, " * 20, url="https://example.com/plan")
    stage.host.set_status(Commit(pull.head), told)
    stage.host.set_status(Commit(pull.head), told)
    kept = stage.forge.status_of(pull.head, CONTEXT)
    assert kept
    words = {State.FAILURE: "failed", State.ERROR: "failed"} if stage.kind == "gitlab" else {}
    assert kept.state == words.get(state, state.value)
    assert (kept.description, kept.url) == (told.description[:140], told.url)


def test_a_status_goes_from_any_state_to_any_other(stage: Stage):
    pull = stage.forge.open(stage.forge.account("ann"))
    for state in [s for a in State for b in State for s in (a, b)]:
        stage.host.set_status(Commit(pull.head), Status(state=state, description="x"))
        kept = stage.forge.status_of(pull.head, CONTEXT)
        assert kept
        assert kept.state in (state.value, "failed")


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("admin", True),
        ("maintain", True),
        ("write", True),
        ("triage", False),
        ("read", False),
        ("none", False),
    ],
)
def test_who_may_push_may_command(stage: Stage, role, may: bool):
    assert stage.host.may_write(author(stage.forge.account("ann", role))) is may


def test_bots_and_accounts_that_are_gone_may_not_command(stage: Stage):
    bot = stage.forge.account("helper[bot]", "admin", bot=True)
    gone = stage.forge.account("bob", "admin")
    stage.forge.leave(gone)
    assert not stage.host.may_write(author(bot))
    assert not stage.host.may_write(author(gone))


def test_a_permission_is_asked_for_anew_each_time(stage: Stage):
    ann = stage.forge.account("ann", "write")
    assert stage.host.may_write(author(ann))
    ann.role = "read"
    assert not stage.host.may_write(author(ann))


def test_whoever_takes_a_login_that_was_given_up_is_not_trusted(stage: Stage):
    eve = stage.forge.account("ann", "read")
    pull = stage.forge.open(eve)
    stage.forge.comment(pull, eve, "/reconciler approve 3f9c21ab")
    (note,) = stage.host.notes(1)
    eve.login = "eve"
    stage.forge.account("ann", "admin")
    assert not stage.host.may_write(note.author)


def test_who_put_a_label_on_last_is_known(stage: Stage):
    ann, bob = stage.forge.account("ann"), stage.forge.account("bob")
    pull = stage.forge.open(ann)
    stage.forge.label(pull, "plan", ann)
    assert stage.host.labelled_by(1, "plan") == author(ann)
    for n in range(55):
        stage.forge.label(pull, f"other-{n}", ann)
        stage.forge.label(pull, f"other-{n}", ann, on=False)
    stage.forge.label(pull, "plan", bob)
    assert stage.host.labelled_by(1, "plan") == author(bob)
    stage.forge.label(pull, "plan", bob, on=False)
    assert stage.host.labelled_by(1, "plan") is None
    assert stage.host.labelled_by(1, "never") is None


@pytest.mark.parametrize("done", [True, False], ids=["taken", "not taken"])
def test_a_command_that_was_taken_still_counts_after_its_acknowledgement(stage: Stage, done: bool):
    ann = stage.forge.account("ann", "write")
    stage.forge.comment(stage.forge.open(ann), ann, "/reconciler approve 3f9c21ab")
    (note,) = stage.host.notes(1)
    stage.clock.now += 60
    stage.host.acknowledge(note, done=done)
    (real,) = stage.forge.comments.values()
    assert ("confused" in {content for _, content in real.reactions}) is not done
    (after,) = stage.host.notes(1)
    assert after.edited == (stage.kind == "gitlab" and not done), "an emoji counts as an edit on GitLab"
    assert after.edited or command_of(after, stage.host.me()) is not None
