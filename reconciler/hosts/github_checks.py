"""Errors of a commit at their lines, on GitHub: annotations of one check run, which only an App may make."""

from collections.abc import Sequence
from typing import Any, Final

from reconciler.core.digest import sha
from reconciler.core.ids import Commit
from reconciler.hosts.http import PAGE, Api, understood
from reconciler.hosts.model import Annotation

CHECK: Final = "reconciler/validate"
BATCH: Final = 50  # annotations that one request may hold
MOST: Final = 200  # annotations of one check run: the comment's table has the rest
TITLE: Final = 255  # characters


def show(api: Api, repository: str, login: str, commit: Commit, found: Sequence[Annotation]) -> None:
    """Have the newest check run of a commit tell these errors; none at all where there never were any.

    An equal one is left as it is. Annotations can only be added to, so other ones make another run, and
    that one counts. It is completed, and known as ours again, once all of its annotations are there.
    Source: GET /repos/{owner}/{repo}/commits/{ref}/check-runs; POST /repos/{owner}/{repo}/check-runs;
    PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}. Raises: HostError, HostBusyError.
    """
    at, key = f"repos/{repository}", sha([[a.path, a.line, a.column, a.message] for a in found], 16)
    said = api.get(f"{at}/commits/{commit}/check-runs", check_name=CHECK, filter="latest", per_page=PAGE)
    with understood("check runs"):
        ours = [r for r in said["check_runs"] if f"{(r.get('app') or {}).get('slug')}[bot]" == login]
        if any(r["external_id"] == key for r in ours) or not (ours or found):
            return
    first, *more = _requests(found, key)
    made = api.send("POST", f"{at}/check-runs", {"name": CHECK, "head_sha": commit, **first})
    with understood("our check run"):
        number = int(made["id"])
    for one in more:
        api.send("PATCH", f"{at}/check-runs/{number}", one)


def _requests(found: Sequence[Annotation], key: str) -> list[dict[str, Any]]:
    """Return the bodies that tell all annotations, in turn; the last one completes the run."""
    shown = found[:MOST]
    batches = [shown[n : n + BATCH] for n in range(0, len(shown), BATCH)] or [()]
    title = f"{len(found)} {'error' if len(found) == 1 else 'errors'}" if found else "no errors"
    why = "Nothing of this is adopted as it stands." if found else "The errors that were told here are gone."
    left = f" {len(found) - MOST} more are not shown at their lines." if len(found) > MOST else ""
    end = {"status": "completed", "conclusion": "failure" if found else "success", "external_id": key}
    return [
        {
            **(end if n == len(batches) else {"status": "in_progress"}),
            "output": {"title": title, "summary": why + left, "annotations": [_shape(a) for a in batch]},
        }
        for n, batch in enumerate(batches, 1)
    ]


def _shape(one: Annotation) -> dict[str, Any]:
    return {
        "path": one.path,
        "start_line": one.line,
        "end_line": one.line,
        "start_column": one.column,
        "end_column": one.column,
        "annotation_level": "failure",
        "title": one.title[:TITLE],
        "message": one.message,
    }
