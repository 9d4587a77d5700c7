"""The plan as GitHub-flavoured markdown, for a comment that many people and their mail programs read.

Every word from outside stands in a code span or a fenced block (report/escape.py); titles and summaries
hold our own words and numbers alone. What does not fit is left out by section, never cut in the middle,
and never the digests: a plan is approved by them.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.core.problem import Problem
from reconciler.plan.model import ActionKind, Plan
from reconciler.report import words
from reconciler.report.escape import cell, code
from reconciler.report.sections import (
    ROWS,
    counted,
    drift,
    more,
    notes,
    reasons,
    refusals,
    steps,
    table,
    unread,
)
from reconciler.report.summary import Summary, has_changes, summary

FITS: Final = 60_000  # bytes of UTF-8: GitHub takes 65,536 characters in a comment, and others add to ours

LEVELS: Final = (
    frozenset({"table", "reasons", "drift", "steps"}),
    frozenset({"table", "reasons", "drift"}),
    frozenset({"table", "reasons"}),
    frozenset({"table"}),
    frozenset[str](),
)
"""What is told, from all to the least: the first that fits is taken."""


def plan_markdown(plan: Plan, *, fits: int = FITS) -> str:
    """Return the plan as one comment of at most `fits` bytes, if its least form has no more."""
    text = ""
    for level in LEVELS:
        left = LEVELS[0] - level
        text = "\n".join(_plan(plan, level, left)) + "\n"
        if len(text.encode()) <= fits:
            break
    return text


def drift_markdown(plan: Plan) -> str:
    """Return what differs live from what the last applied commits say."""
    found = sum(len(t.drift) for t in plan.targets)
    lines = [f"### {'⚠️' if found else '✅'} Drift: {counted(found, 'difference')}"]
    lines += [*unread(plan.targets), *drift(plan.targets), *_foot(plan)]
    return "\n".join(lines) + "\n"


def problems_markdown(problems: Sequence[Problem]) -> str:
    """Return why nothing was planned: every error of a commit that is not valid."""
    files = len({p.at.file for p in problems})
    told = f"{counted(len(problems), 'error')} in {counted(files, 'file')}"
    lines = [
        f"### ❌ Fleet plan: {told}; nothing was planned",
        "",
        "| File | Line | What is wrong | Why | What to write instead |",
        "|---|--:|---|---|---|",
    ]
    lines += [
        f"| {cell(p.at.file)} | {p.at.line}:{p.at.column} | {cell(p.what)} | {cell(p.why)} | {cell(p.fix)} |"
        for p in problems[:ROWS]
    ]
    lines += more(len(problems))
    lines += [
        "",
        "**If merged like this, nothing of the commit is adopted: the last good commit stays in force.**",
    ]
    return "\n".join(lines) + "\n"


def _plan(plan: Plan, level: frozenset[str], left: frozenset[str]) -> Iterator[str]:
    counts = summary(plan)
    shown = [(t, i) for t in plan.targets for i in t.items if i.action is not ActionKind.NONE or i.steps]
    yield _title(plan, counts)
    digests = ", ".join(f"{code(t.target)} {code(t.digest)}" for t in plan.targets)
    yield f"{counts.unchanged} unchanged · {counts.drifted} drifted" + (
        f" · digest {digests}" if digests else ""
    )
    yield from refusals(plan.targets)
    yield from unread(plan.targets)
    if shown and "table" in level:
        yield from table(shown)
    if "reasons" in level:
        yield from reasons(shown)
    if "steps" in level:
        yield from steps(shown)
    if "drift" in level:
        yield from drift(plan.targets)
    if left:
        what = ", ".join(sorted(left))
        yield ""
        yield f"_Too long for a comment, so this is left out: {what}. `reconciler plan` tells all._"
    yield from notes(plan.targets)
    yield from _foot(plan)


def _title(plan: Plan, counts: Summary) -> str:
    parts = counts.told()
    if any(t.refusals and not t.approved for t in plan.targets):
        return "### ⛔ Fleet plan: blocked by a safety limit" + (f" ({', '.join(parts)})" if parts else "")
    if not has_changes(plan) and plan.complete:
        return "### ✅ Fleet plan: no changes"
    risky = counts.replace + counts.retire + counts.blocked + counts.unread or not plan.complete
    return f"### {'⚠️' if risky else '✅'} Fleet plan: {', '.join(parts) or 'no changes'}" + (
        "" if plan.complete else " (incomplete)"
    )


def _foot(plan: Plan) -> Iterator[str]:
    read = ", ".join(f"{code(t.target)} {words.clock(t.as_of)}" for t in plan.targets)
    yield ""
    yield f"<sub>commit {code(plan.commit[:12])}{f' · live state read: {read}' if read else ''}</sub>"
