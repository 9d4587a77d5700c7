"""What polling costs: requests that the host counts against its limit."""

from datetime import timedelta
from itertools import count

import pytest

from reconciler.hosts.model import HostBusyError
from tests.hosts.conftest import Stage

pytestmark = pytest.mark.slow

LIMIT = 300  # counted requests an hour, for 50 open pull requests with nothing new
PULLS = 50
EVERY = 30  # seconds


def polled(stage: Stage, seconds: int) -> int:
    """Look as the daemon does, every half minute, and return what the host counted."""
    before, since = stage.site.counted, stage.forge.now()
    for _ in range(seconds // EVERY):
        stage.host.pulls()
        stage.host.notes_since(since)
        stage.clock.now += EVERY
    return stage.site.counted - before


@pytest.fixture
def quiet(stage: Stage) -> Stage:
    """Pull requests of yesterday, each with a comment."""
    ann = stage.forge.account("ann")
    for n in range(PULLS):
        stage.forge.comment(stage.forge.open(ann, f"b{n}"), ann, "a comment")
    stage.clock.now += 86_400
    return stage


def test_an_hour_with_nothing_new_costs_next_to_nothing(quiet: Stage):
    cost = polled(quiet, 3_600)
    assert cost <= 10  # the first look, and an App's new token with another first look
    assert len(quiet.site.calls) <= LIMIT
    assert quiet.host.api.counts.unchanged == quiet.site.unchanged


def test_an_hour_costs_no_more_where_the_host_knows_no_etags(quiet: Stage):
    quiet.site.conditional = False
    assert polled(quiet, 3_600) <= LIMIT


def test_one_push_costs_one_list(quiet: Stage):
    polled(quiet, 300)
    quiet.forge.push(quiet.forge.pulls[7], "e" * 40)
    cost = polled(quiet, 300)
    assert {p.number: p.head for p in quiet.host.pulls()}[7] == "e" * 40
    # GitLab has no list of all comments: it is asked once for those of what changed.
    assert cost == (6 if quiet.kind == "gitlab" else 3) or cost <= 6


def test_a_process_that_begins_anew_pays_for_one_look(quiet: Stage):
    polled(quiet, 300)
    quiet.again()
    assert polled(quiet, 300) <= 4


def written(stage: Stage) -> tuple[int, HostBusyError]:
    """Write until that is too much, and return how often it went well, and what was said."""
    for done in count():
        try:
            stage.host.add_note(1, "a note")
        except HostBusyError as error:
            return done, error
    raise AssertionError("never")


def test_writes_are_paced_below_what_hosts_refuse_and_reads_are_not(stage: Stage):
    stage.forge.open(stage.forge.account("ann"), "b")
    done, error = written(stage)
    assert (done, error.after) == (60, timedelta(seconds=60))
    sent = [c for c in stage.site.calls if c.method == "POST" and c.path.endswith(("/comments", "/notes"))]
    assert len(sent) == done, "what is too much is not sent"
    assert len(stage.host.notes(1)) == done
    for _ in range(7):
        stage.clock.now += 60
        more, error = written(stage)
        done += more
    assert done == 450
    assert "450 writes within 3600 seconds" in str(error)
    stage.clock.now += 3_600 - 7 * 60
    assert written(stage)[0] == 60
