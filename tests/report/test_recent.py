"""The last log lines about a document, for the comment that says why a merge did not come about."""

from reconciler.report.document_events import (
    BlockedFound,
    RolloutRolledBack,
    RolloutStarted,
    StepApplied,
    StepFailed,
)
from reconciler.report.events import ReadFailed
from reconciler.report.log import HIDDEN, Redaction
from reconciler.report.recent import MOST, Recent
from tests.worlds import NOON

SECRET = "hunter2-and-more"
WEB = {"commit": "c" * 40, "target": "prod", "kind": "Fleet", "name": "web", "revision": "v1." + "a" * 40}
KEY = ("Fleet", "web", "prod")


def recent() -> Recent:
    return Recent(redaction=Redaction((SECRET,)), clock=lambda: NOON)


def failed(why: str) -> StepFailed:
    return StepFailed(**WEB, op="create-group", resource="web-aaaaaaaaaa", failure="refused", why=why)


def test_rollouts_and_trouble_are_kept_and_steps_that_were_done_are_not() -> None:
    lines = recent()
    done = StepApplied(**WEB, op="create-group", resource="web", because="", change="", already=False)
    for event in (
        RolloutStarted(**WEB, before="v1." + "b" * 40),
        done,
        failed("ValidationError"),
        BlockedFound(**(WEB | {"name": "other"}), code="freeze", why="frozen"),
        ReadFailed(commit="c" * 40, target="prod", why="AccessDenied"),
        RolloutRolledBack(**WEB, before="", code="not ready in time"),
    ):
        lines.see(event)
    assert lines.of(*KEY) == (
        "12:00:00 rollout.started before=bbbbbbbbbb",
        "12:00:00 step.failed op=create-group resource=web-aaaaaaaaaa failure=refused why=ValidationError",
        "12:00:00 rollout.rolled_back code=not ready in time",
    )
    assert lines.of("Zone", "web", "prod") == ()


def test_no_secret_stands_in_a_line() -> None:
    lines = recent()
    lines.see(failed(f"denied for {SECRET} with AKIAIOSFODNN7EXAMPLE"))
    (line,) = lines.of(*KEY)
    assert SECRET not in line
    assert "AKIA" not in line
    assert line.count(HIDDEN) == 2


def test_only_the_last_lines_are_kept() -> None:
    lines = recent()
    for n in range(MOST + 3):
        lines.see(failed(f"attempt {n}"))
    assert len(lines.of(*KEY)) == MOST
    assert lines.of(*KEY)[-1].endswith(f"attempt {MOST + 2}")
