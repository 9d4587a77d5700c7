"""Errors of a pull request are shown at their lines, beside the comment and never instead of it."""

from contextlib import nullcontext

import pytest

from reconciler.hosts.model import HostBusyError, HostError
from reconciler.report.pull_events import PullFailed
from tests.daemon.office import Office
from tests.plan.house import fleet
from tests.repositories import broken

pytestmark = pytest.mark.slow


def test_errors_are_shown_once_at_their_lines_and_taken_back_when_they_are_gone(office: Office) -> None:
    head = office.propose(7, {"fleets/x.yaml": broken()})
    office.look()
    (shown,) = office.host.annotations[head]
    assert (shown.path, shown.line, shown.column) == ("fleets/x.yaml", 2, 7)
    assert "Nope" in shown.message
    assert office.host.state(head) == "failure"
    asked = office.host.asked.count("annotate")
    office.look()
    office.company.commit({"more.yaml": fleet("more")})
    office.look()
    assert office.host.asked.count("annotate") == asked, "the same errors cost no call"
    mended = office.propose(7, {"x.yaml": fleet("x")})
    office.look()
    assert office.host.annotations[mended] == ()


def test_lines_are_those_of_the_repository_where_the_desired_state_is_a_folder_of_it(office: Office) -> None:
    office.library.path = office.desk.checks.path = "/state/"
    office.company.commit({"state/web.yaml": fleet("web"), "state/base.yaml": base(office)})
    head = office.propose(7, {"state/x.yaml": broken()})
    office.look()
    assert [a.path for a in office.host.annotations[head]] == ["state/x.yaml"]


def base(office: Office) -> str:
    return (office.company.clone / "base.yaml").read_text()


def test_what_has_no_line_is_told_by_the_comment_alone(office: Office) -> None:
    head = office.propose(7, {"base.yaml": None, "web.yaml": None, "README.md": "nothing"})
    office.look()
    assert office.host.annotations[head] == ()
    assert "❌" in office.host.ours(7)[0].body


@pytest.mark.parametrize("error", [HostError("403 Resource not accessible"), HostBusyError("be patient")])
def test_errors_that_can_not_be_shown_keep_nobody_from_the_comment(office: Office, error: Exception) -> None:
    head = office.propose(7, {"x.yaml": broken()})
    office.host.blind = error
    with pytest.raises(HostBusyError) if isinstance(error, HostBusyError) else nullcontext():
        office.look()
    refused = [e.part for e in office.told if isinstance(e, PullFailed)]
    assert refused == ([] if isinstance(error, HostBusyError) else ["check"])
    assert office.host.state(head) == "failure"
    assert len(office.host.ours(7)) == 1
    office.host.blind = None
    office.clock[0] += 3600
    office.look()
    assert len(office.host.annotations[head]) == 1
