"""The comment of a pull request, in each of its forms."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from reconciler.core.ids import Commit
from reconciler.core.problem import Problem
from reconciler.plan.model import ActionKind, Item, Plan, TargetPlan
from reconciler.plan.pulls import Compared, Risk, Verdict, risk, verdict
from reconciler.report import words
from reconciler.report.escape import block, code
from reconciler.report.guarded import Guarded, guarded_lines
from reconciler.report.markdown import FITS, LEVELS, problems_markdown
from reconciler.report.sections import (
    counted,
    details,
    drift,
    notes,
    reasons,
    refusals,
    steps,
    table,
    unread,
)
from reconciler.report.summary import summary

TRUST: Final = "trust the `reconciler/plan` check, not copies of this text"
ICONS: Final = {Risk.NONE: "✅", Risk.LOW: "✅", Risk.HIGH: "⚠️", Risk.STOP: "⛔"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """What a comment is valid for."""

    head: str
    base: str
    tree: str  # of the merge result
    engine: str  # version of this program


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A comment and the status beside it."""

    verdict: Verdict
    risk: Risk
    title: str  # of the status: our own words and numbers alone
    body: str  # empty: nothing of ours is touched, and there is no comment


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A pull request that could be planned."""

    stamp: Stamp
    found: tuple[Compared, ...]
    files: tuple[str, ...]  # below our folder, that differ from the base
    draft: bool = False
    overlaps: tuple[tuple[int, tuple[str, ...]], ...] = ()  # other pull requests, and shared documents
    released: tuple[str, ...] = ()
    guarded: tuple[Guarded, ...] = ()  # by rules that ask for a signature


def planned(told: Planned, *, fits: int = FITS) -> Told:
    """Return the comment of a plan: caused by this pull request, pending before it, drift."""
    title = _title(told)
    verdict_ = verdict(told.found, draft=told.draft)
    if not told.files and not any(c.caused for c in told.found):
        return Told(verdict=verdict_, risk=Risk.NONE, title="no fleet files changed", body="")
    body = ""
    for level in LEVELS:
        body = "\n".join(_planned(told, title, level)) + "\n"
        if len(body.encode()) <= fits:
            break
    return Told(verdict=verdict_, risk=risk(told.found), title=title, body=body)


def _title(told: Planned) -> str:
    if told.found and any(c.refusals and not c.merged.approved for c in told.found):
        return "blocked by a safety limit"
    counts = summary(_plan(tuple(c.shown for c in told.found)))
    off = sum(len(c.called_off) for c in told.found) + counts.unchanged
    parts = counts.told() + ([f"{off} called off"] if off else [])
    if not all(c.merged.complete for c in told.found):
        parts.append("something could not be read")
    return ", ".join(parts) or "no changes"


def _plan(targets: tuple[TargetPlan, ...]) -> Plan:
    return Plan(commit=Commit(""), targets=targets)


def _planned(told: Planned, title: str, level: frozenset[str]) -> Iterator[str]:
    shown = [(c.shown, i) for c in told.found for i in c.caused]
    targets = tuple(c.shown for c in told.found)
    draft = " (draft)" if told.draft else ""
    yield f"### {ICONS[risk(told.found)]} Fleet plan: {title}{draft}"
    yield _coverage(told)
    if not shown:
        yield ""
        yield f"This touches {counted(len(told.files), 'file')} of ours, but nothing live would change."
    yield from refusals(targets)
    if any(c.refusals and not c.merged.approved for c in told.found):
        for one in told.found:
            if one.refusals and not one.merged.approved:
                yield ""
                yield f"Or say, with write access: {code(f'/reconciler approve {one.merged.digest}')}"
    yield from unread([c.merged for c in told.found])
    if shown and "table" in level:
        yield from table(shown)
    if "reasons" in level:
        yield from reasons(shown)
    if "steps" in level:
        yield from steps(shown)
    yield from _pending(told.found)
    if "drift" in level:
        yield from drift([replace(c.merged, drift=c.drift) for c in told.found])
    yield from notes(targets)
    yield from _released(told)
    yield from _overlaps(told)
    yield from guarded_lines(told.guarded)
    if left := LEVELS[0] - level:
        yield ""
        yield f"_Too long for a comment, so this is left out: {', '.join(sorted(left))}._"
    yield from _commands(shown)
    yield from _foot(told)


def _coverage(told: Planned) -> str:
    merged = [c.merged for c in told.found]
    every = sum(len(t.items) for t in merged)
    blind = sum(t.count(ActionKind.UNREAD) for t in merged)
    digests = ", ".join(f"{code(t.target)} {code(t.digest)}" for t in merged)
    return (
        f"{every - blind} of {counted(every, 'document')} planned in {counted(len(merged), 'target')}"
        f" · {sum(len(c.drift) for c in told.found)} drifted fields"
        + (f" · digest {digests}" if digests else "")
    )


def _pending(found: tuple[Compared, ...]) -> Iterator[str]:
    rows = [i for c in found for i in c.pending]
    if rows:
        lines = [f"{i.target} {i.kind} {i.name}: {i.action} {words.moved(i)}".rstrip() for i in rows]
        yield from details(f"Merged before, not yet applied ({len(rows)}); not caused by this", block(lines))


def _released(told: Planned) -> Iterator[str]:
    if told.released:
        yield ""
        yield from (f"- {code(line)}" for line in told.released)


def _overlaps(told: Planned) -> Iterator[str]:
    for number, names in told.overlaps[:5]:
        yield ""
        listed = ", ".join(code(n) for n in names[:5])
        yield f"> **Overlap:** #{number} also changes {listed}. If both merge, one rollout covers both."


def _commands(shown: Sequence[tuple[TargetPlan, Item]]) -> Iterator[str]:
    fleets = [i.name for _, i in shown if i.kind == "Fleet"]
    said = ["/reconciler replan", *(f"/reconciler explain {n}" for n in fleets[:1])]
    yield ""
    yield "Commands (write access, on the first line): " + " · ".join(code(s) for s in said)


def _foot(told: Planned) -> Iterator[str]:
    read = ", ".join(f"{code(c.merged.target)} {words.clock(c.merged.as_of)}" for c in told.found)
    stamp = told.stamp
    yield ""
    yield (
        f"<sub>head {code(stamp.head[:7])} + base {code(stamp.base[:7])} → merge {code(stamp.tree[:7])} · "
        f"live state read: {read or 'no target'} · valid until either moves · engine {code(stamp.engine)} · "
        f"{TRUST}</sub>"
    )


def invalid(problems: Sequence[Problem], stamp: Stamp) -> Told:
    """Return the comment of a merge result that does not validate."""
    title = f"{counted(len(problems), 'error')}, nothing was planned"
    body = problems_markdown(problems) + _sub(stamp)
    return Told(verdict=Verdict.FAILURE, risk=Risk.STOP, title=title, body=body)


def conflict(files: Sequence[str], stamp: Stamp) -> Told:
    """Return the comment of a head that can't be merged."""
    lines = [
        f"### ❌ Fleet plan: conflicts in {counted(len(files), 'file')}; nothing was planned",
        "",
        *(f"- {code(f)}" for f in files[:50]),
        "",
        "Merge the base into this branch, or rebase it; it is planned again then.",
    ]
    body = "\n".join(lines) + "\n" + _sub(stamp)
    return Told(verdict=Verdict.FAILURE, risk=Risk.STOP, title="can't be merged: conflicts", body=body)


def not_planned(why: str, stamp: Stamp) -> Told:
    """Return the comment where no plan could be made. It never reads as "no changes"."""
    body = f"### ❔ Fleet plan: not planned\n\n{code(why)}\n\nIt is tried again by itself.\n" + _sub(stamp)
    return Told(
        verdict=Verdict.ERROR, risk=Risk.STOP, title="not planned: something could not be read", body=body
    )


def _sub(stamp: Stamp) -> str:
    at = f"head {code(stamp.head[:7])} + base {code(stamp.base[:7])}"
    return f"\n<sub>{at} · engine {code(stamp.engine)} · {TRUST}</sub>\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one document came out after the merge."""

    item: Item  # as it was planned
    result: str  # done | going on | rolled back | blocked | failed
    at: datetime | None = None
    why: str = ""


def ended(commit: str, rows: Sequence[Ended], *, as_planned: bool, since: datetime) -> Told:
    """Return the comment after the merge: how it goes, and at last how it ended."""
    over = all(r.result != "going on" for r in rows)
    bad = [r for r in rows if r.result in ("rolled back", "blocked", "failed")]
    good = sum(r.result == "done" for r in rows)
    icon, verb = ("🔥", "Not applied") if bad else ("🚀", "Applied") if over else ("⏳", "Applying")
    lines = [
        f"### {icon} {verb}: merged as {code(commit[:7])}, {good} of {counted(len(rows), 'document')} done",
        "",
        "| Document | Target | Result | Time | Note |",
        "|---|---|---|--:|---|",
    ]
    for row in rows:
        spent = words.rough(row.at - since) if row.at else ""
        lines.append(
            f"| {row.item.kind} {code(row.item.name)} | {code(row.item.target)} | {row.result} "
            f"{code(words.moved(row.item)) if words.moved(row.item) else ''} | {spent} "
            f"| {code(row.why) if row.why else ''} |"
        )
    if over:
        same = "Applied what the plan above said." if as_planned else "The plan was another one by then."
        lines += ["", same if not bad else "Revert this pull request or fix forward."]
    status = Verdict.FAILURE if bad else Verdict.SUCCESS if over else Verdict.PENDING
    return Told(
        verdict=status,
        risk=Risk.STOP if bad else Risk.NONE,
        title=f"{good} of {len(rows)} done",
        body="\n".join(lines) + "\n",
    )
