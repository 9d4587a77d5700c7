"""The plan as GitHub-flavoured markdown, for a comment that many people and their mail programs read.

Every word from outside stands in a code span or a fenced block (report/escape.py); titles and summaries
hold our own words and numbers alone. What does not fit is left out by section, never cut in the middle,
and never the digests: a plan is approved by them.
"""

from collections.abc import Iterator, Sequence

from reconciler.core.problem import Problem
from reconciler.plan.model import ActionKind, Plan
from reconciler.report import words
from reconciler.report.effect import effect
from reconciler.report.escape import cell, code
from reconciler.report.levels import FITS, Level, fitted, more
from reconciler.report.sections import (
    counted,
    drift,
    notes,
    reasons,
    refusals,
    steps,
    table,
    unread,
)
from reconciler.report.summary import Summary, has_changes, summary


def plan_markdown(plan: Plan, *, fits: int = FITS) -> str:
    """Return the plan as one comment of at most `fits` bytes, if its least form has no more."""
    return fitted(lambda level: _plan(plan, level), fits)


def drift_markdown(plan: Plan) -> str:
    """Return what differs live from what the last applied commits say."""
    found = sum(len(t.drift) for t in plan.targets)
    lines = [f"### {'⚠️' if found else '✅'} Drift: {counted(found, 'difference')}"]
    lines += [*unread(plan.targets), *drift(plan.targets), *_foot(plan)]
    return "\n".join(lines) + "\n"


def problems_markdown(problems: Sequence[Problem], *, fits: int = FITS) -> str:
    """Return why nothing was planned: every error of a commit that is not valid."""
    return fitted(lambda level: _problems(problems, level), fits)


def _problems(problems: Sequence[Problem], level: Level) -> Iterator[str]:
    files = counted(len({p.at.file for p in problems}), "file")
    yield f"### ❌ Fleet plan: {counted(len(problems), 'error')} in {files}; nothing was planned"
    yield "**If merged like this, nothing of the commit is adopted: the last good commit stays in force.**"
    yield ""
    yield "| Where | What is wrong | Why | What to write instead |"
    yield "|---|---|---|---|"
    for p in problems[: level.rows]:
        yield f"| {cell(str(p.at))} | {cell(p.what)} | {cell(p.why)} | {cell(p.fix)} |"
    yield from more(len(problems), level.rows)


def _plan(plan: Plan, level: Level) -> Iterator[str]:
    counts = summary(plan)
    shown = [(t, i) for t in plan.targets for i in t.items if i.action is not ActionKind.NONE or i.steps]
    yield _title(plan, counts)
    yield from effect(shown, "applied")
    digests = ", ".join(f"{code(t.digest)} ({code(t.target)})" for t in plan.targets)
    yield ""
    yield f"{counts.unchanged} unchanged · {counts.drifted} drifted" + (
        f" · digest {digests}" if digests else ""
    )
    yield from refusals(plan.targets, level)
    yield from _ways_past(plan)
    yield from unread(plan.targets, level)
    if "table" in level.sections:
        yield from table(shown, level)
    if "reasons" in level.sections:
        yield from reasons(shown)
    if "steps" in level.sections:
        yield from steps(shown)
    if "drift" in level.sections:
        yield from drift(plan.targets)
    yield from left_out(level)
    yield from notes(plan.targets, level)
    yield from _foot(plan)


def _ways_past(plan: Plan) -> Iterator[str]:
    for target in plan.targets:
        if target.refusals and not target.approved:
            yield ""
            yield (
                f"Nothing begins in {code(target.target)}. Make the change smaller, or accept **this exact "
                f"plan**: put {code(target.digest)} into the Target's `limits.approved`. "
                "It is void when the plan changes."
            )


def left_out(level: Level) -> Iterator[str]:
    """Say what does not stand in a comment, and where it does."""
    if level.left_out or level.risky:
        what = ", ".join((*level.left_out, *(["what is made or changed in place"] if level.risky else [])))
        yield ""
        yield f"_Too long for a comment, so this is left out: {what}. `reconciler plan` tells all._"


def _title(plan: Plan, counts: Summary) -> str:
    parts = counts.told()
    if any(t.refusals and not t.approved for t in plan.targets):
        return "### ⛔ Fleet plan: blocked by a safety limit" + (f" ({', '.join(parts)})" if parts else "")
    if not plan.complete:
        told = f"; {', '.join(parts)}" if parts else ""
        return f"### ❓ Fleet plan: incomplete, something could not be read{told}"
    if not has_changes(plan):
        return "### ✅ Fleet plan: no changes"
    risky = counts.replace + counts.retire + counts.blocked
    return f"### {'⚠️' if risky else '✅'} Fleet plan: {', '.join(parts) or 'drift is put right'}"


def _foot(plan: Plan) -> Iterator[str]:
    read = ", ".join(f"{code(t.target)} {words.clock(t.as_of)}" for t in plan.targets)
    yield ""
    yield f"<sub>commit {code(plan.commit[:12])}{f' · live state read: {read}' if read else ''}</sub>"
