"""The comment after the merge: how it goes, and at last how it ended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reconciler.plan.model import Item
from reconciler.plan.pulls import Risk, Verdict
from reconciler.report import words
from reconciler.report.escape import block, cell, code
from reconciler.report.levels import FITS, Level, fitted, more
from reconciler.report.pull import WHY, Told, offered
from reconciler.report.sections import counted, details

OTHERWISE: Final = (
    "Live is what git says. It may differ from the plan above: another tree was merged, live had changed "
    "since, or that plan is not remembered."
)
OPEN: Final = ("going on", "held")
RESULTS: Final = {
    "done": "✅",
    "going on": "⏳",
    "held": "✋",
    "rolled back": "🔥",
    "blocked": "⛔",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one document came out after the merge."""

    item: Item  # as it was planned
    result: str  # a key of RESULTS
    at: datetime | None = None
    why: str = ""
    log: tuple[str, ...] = ()  # its last log lines, redacted when they were made


def ended(commit: str, rows: Sequence[Ended], *, as_planned: bool, since: datetime, fits: int = FITS) -> Told:
    """Return the comment after the merge: how it goes, and at last how it ended."""
    good, results = sum(r.result == "done" for r in rows), {r.result for r in rows}
    bad, over = results - {"done", *OPEN}, not results & {*OPEN}

    def render(level: Level) -> Iterator[str]:
        done = f"{good} of {counted(len(rows), 'document')} done"
        yield f"### {_outcome(results)}: merged as {code(commit[:7])}, {done}"
        if over and not bad:
            yield "Applied what the plan above said." if as_planned else OTHERWISE
        yield from _back(results)
        yield from _results(rows, since, level)
        yield from _log(rows, level)
        yield from _steer(rows)

    return Told(
        verdict=Verdict.FAILURE if bad else Verdict.SUCCESS if over else Verdict.PENDING,
        risk=Risk.STOP if bad else Risk.NONE,
        title=f"{good} of {len(rows)} done",
        body=fitted(render, fits),
    )


def _outcome(results: set[str]) -> str:
    if "rolled back" in results:
        return "🔥 Rolled back"
    if "blocked" in results:
        return "🔥 Not applied"
    if "held" in results:
        return "✋ Held"
    return "⏳ Applying" if results & {*OPEN} else "🚀 Applied"


def _back(results: set[str]) -> Iterator[str]:
    if "rolled back" in results:
        yield (
            "What was rolled back runs on the revision that it had, and the failed one is not tried again by "
            "itself. Revert this pull request, or fix forward."
        )
    elif "blocked" in results:
        yield "Revert this pull request, or fix forward."
    elif "held" in results:
        yield "What is held goes on by itself once its reason is gone; what waits for a person says so."


def _results(rows: Sequence[Ended], since: datetime, level: Level) -> Iterator[str]:
    order = {result: place for place, result in enumerate(reversed(RESULTS))}
    told = sorted(rows, key=lambda r: order[r.result])[: None if level.sections else level.rows]
    yield ""
    yield "| | Document | Target | Result | After | Note |"
    yield "|:-:|---|---|---|--:|---|"
    for row in told:
        yield (
            f"| {RESULTS[row.result]} | {row.item.kind} {cell(row.item.name)} | {cell(row.item.target)} "
            f"| {_came_out(row)} | {words.rough(row.at - since) if row.at else ''} "
            f"| {cell(row.why, WHY) if row.why else ''} |"
        )
    yield from more(len(rows), len(told))


def _came_out(row: Ended) -> str:
    was, to = (words.short(v) for v in (row.item.was, row.item.to))
    if row.result == "rolled back" and was:
        return f"rolled back to {cell(was)}"
    return f"{row.result} {cell(was)} → {cell(to)}" if was and to and was != to else row.result


def _log(rows: Sequence[Ended], level: Level) -> Iterator[str]:
    lines = [f"{r.item.kind} {r.item.name} in {r.item.target}: {line}" for r in rows for line in r.log]
    if lines:
        told = lines[-level.rows :]
        yield from details(f"Log ({counted(len(told), 'line')})", block(told, most=WHY))


def _steer(rows: Sequence[Ended]) -> Iterator[str]:
    """Offer what steers a rollout that is under way, or held: for one fleet, as an example of all."""
    open_ = [r.item for r in rows if r.result in OPEN and r.item.kind == "Fleet" and r.item.was]
    if not open_:
        return
    one = next((i for i in open_ if i.blocked), open_[0])
    name, code_ = f"{one.target}/{one.name}", one.blocked.code if one.blocked else ""
    verbs = {
        "suspended": (f"resume {name}",),
        "pause": (f"promote {name}", f"abort {name}"),
        "held": (f"promote {name}", f"abort {name}"),
        "wave": (f"promote {name}",),
        "": (f"pause {name} REASON", f"abort {name}"),
    }
    said = (f"explain {one.name}", *verbs.get(code_, ()))
    yield from offered([f"/reconciler {s}" for s in said])
