"""The comment of a pull request, in each of its forms."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.ids import Commit
from reconciler.core.problem import Problem
from reconciler.plan.model import ActionKind, Item, Plan, TargetPlan
from reconciler.plan.pulls import Compared, Risk, Verdict, risk, verdict
from reconciler.report import words
from reconciler.report.effect import effect
from reconciler.report.escape import block, code
from reconciler.report.guarded import Guarded, guarded_lines
from reconciler.report.levels import FITS, Level, fitted, more
from reconciler.report.markdown import left_out, problems_markdown
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
NAMES: Final = 10  # of documents in a sentence
WHY: Final = 400  # characters of a reason or a log line
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
    if not told.files and not any(c.caused for c in told.found):
        quiet = Verdict.PENDING if told.draft else Verdict.SUCCESS
        return Told(verdict=quiet, risk=Risk.NONE, title="no fleet files changed", body="")
    title = _title(told)
    return Told(
        verdict=verdict(told.found, draft=told.draft),
        risk=risk(told.found),
        title=title,
        body=fitted(lambda level: _planned(told, title, level), fits),
    )


def _title(told: Planned) -> str:
    if _refused(told):
        return "blocked by a safety limit"
    counts = summary(_plan(tuple(c.shown for c in told.found)))
    off = sum(len(c.called_off) for c in told.found) + counts.unchanged
    parts = counts.told() + ([f"{off} called off"] if off else [])
    if all(c.merged.complete for c in told.found):
        return ", ".join(parts) or "no changes"
    return "incomplete, something could not be read" + (f"; {', '.join(parts)}" if parts else "")


def _refused(told: Planned) -> list[Compared]:
    return [c for c in told.found if c.refusals and not c.merged.approved]


def _plan(targets: tuple[TargetPlan, ...]) -> Plan:
    return Plan(commit=Commit(""), targets=targets)


def _planned(told: Planned, title: str, level: Level) -> Iterator[str]:
    shown = [(c.shown, i) for c in told.found for i in c.caused]
    targets = tuple(c.shown for c in told.found)
    yield f"### {_icon(told)} Fleet plan: {title}{' (draft)' if told.draft else ''}"
    yield from effect(shown, "merged")
    if not shown and all(c.merged.complete for c in told.found):
        yield f"This touches {counted(len(told.files), 'file')} of ours, but nothing live would change."
    yield ""
    yield _coverage(told)
    yield from refusals(targets, level)
    yield from _ways_past(told)
    yield from unread([c.merged for c in told.found], level)
    yield from _not_planned(told.found)
    if "table" in level.sections:
        yield from table(shown, level)
    yield from _released(told, level)
    yield from _called_off(told.found)
    yield from notes(targets, level)
    yield from _overlaps(told)
    yield from guarded_lines(told.guarded)
    if "reasons" in level.sections:
        yield from reasons(shown)
    if "steps" in level.sections:
        yield from steps(shown)
    yield from _pending(told.found, level)
    if "drift" in level.sections:
        yield from drift([replace(c.merged, drift=c.drift) for c in told.found])
    yield from left_out(level)
    yield from _commands(shown)
    yield from _foot(told)


def _icon(told: Planned) -> str:
    return "❓" if verdict(told.found) is Verdict.ERROR else ICONS[risk(told.found)]


def _ways_past(told: Planned) -> Iterator[str]:
    for one in _refused(told):
        approve = code(f"/reconciler approve {one.merged.digest}")
        yield ""
        yield (
            f"{code(one.merged.target)}: make the change smaller; or somebody with write access accepts "
            f"**this exact plan**, void when it changes, by the comment {approve} or by its digest in the "
            "Target's `limits.approved`."
        )


def _not_planned(found: tuple[Compared, ...]) -> Iterator[str]:
    rows = [i for c in found for i in c.merged.items if i.action is ActionKind.UNREAD]
    if rows:
        yield ""
        yield f"Not planned, and left as they are: {_named(rows)}."


def _named(items: Sequence[Item]) -> str:
    names = ", ".join(code(f"{i.kind} {i.name} in {i.target}") for i in items[:NAMES])
    return names + (f" and {len(items) - NAMES} more" if len(items) > NAMES else "")


def _coverage(told: Planned) -> str:
    merged = [c.merged for c in told.found]
    every = sum(len(t.items) for t in merged)
    blind = sum(t.count(ActionKind.UNREAD) for t in merged)
    off = sum(len(c.drift) for c in told.found)
    digests = ", ".join(f"{code(t.digest)} ({code(t.target)})" for t in merged)
    planned_ = f"{every - blind} of {counted(every, 'document')} planned in {counted(len(merged), 'target')}"
    return " · ".join(
        [
            f"**{planned_}**" if blind else planned_,
            *([counted(off, "drifted field")] if off else []),
            *([f"digest {digests}"] if digests else []),
        ]
    )


def _pending(found: tuple[Compared, ...], level: Level) -> Iterator[str]:
    rows = [i for c in found for i in c.pending if i.action is not ActionKind.UNREAD]
    if rows:
        told = rows if level.sections else rows[: level.rows]
        lines = [f"{i.kind} {i.name} in {i.target}: {i.action} {words.moved(i)}".rstrip() for i in told]
        if len(rows) > len(told):
            lines.append(f"and {len(rows) - len(told)} more")
        yield from details(f"Merged before, not yet applied ({len(rows)}); not caused by this", block(lines))


def _called_off(found: tuple[Compared, ...]) -> Iterator[str]:
    rows = [i for c in found for i in c.called_off]
    if rows:
        yield ""
        yield f"Merged before and not yet applied, and called off by this: {_named(rows)}."


def _released(told: Planned, level: Level) -> Iterator[str]:
    if told.released:
        yield ""
        yield from (f"- {code(line)}" for line in told.released[: level.rows])
        yield from more(len(told.released), level.rows)


def _overlaps(told: Planned) -> Iterator[str]:
    for number, names in told.overlaps[:5]:
        yield ""
        listed = ", ".join(code(n) for n in names[:5])
        yield f"> **Overlap:** #{number} also changes {listed}. If both merge, one rollout covers both."


def _commands(shown: Sequence[tuple[TargetPlan, Item]]) -> Iterator[str]:
    fleets = [i.name for _, i in shown if i.kind == "Fleet"]
    said = ["/reconciler replan", *(f"/reconciler explain {n}" for n in fleets[:1])]
    yield from offered(said)


def offered(said: Sequence[str]) -> Iterator[str]:
    """Say which commands make sense here."""
    yield ""
    yield "Commands, for people with write access, as the first line of a comment: " + " · ".join(
        code(s) for s in said
    )


def _foot(told: Planned) -> Iterator[str]:
    read = ", ".join(f"{code(c.merged.target)} {words.clock(c.merged.as_of)}" for c in told.found)
    stamp = told.stamp
    yield ""
    yield (
        f"<sub>head {code(stamp.head[:7])} + base {code(stamp.base[:7])} → merge {code(stamp.tree[:7])} · "
        f"live state read: {read or 'no target'} · valid until one of them moves · "
        f"engine {code(stamp.engine)} · {TRUST}</sub>"
    )


def invalid(problems: Sequence[Problem], stamp: Stamp) -> Told:
    """Return the comment of a merge result that does not validate."""
    title = f"{counted(len(problems), 'error')}, nothing was planned"
    body = problems_markdown(problems) + _sub(stamp)
    return Told(verdict=Verdict.FAILURE, risk=Risk.STOP, title=title, body=body)


def conflict(files: Sequence[str], stamp: Stamp) -> Told:
    """Return the comment of a head that can't be merged."""
    body = fitted(lambda level: _conflict(files, level)) + _sub(stamp)
    return Told(verdict=Verdict.FAILURE, risk=Risk.STOP, title="can't be merged: conflicts", body=body)


def _conflict(files: Sequence[str], level: Level) -> Iterator[str]:
    yield f"### ❌ Fleet plan: conflicts in {counted(len(files), 'file')}; nothing was planned"
    yield "Merge the base into this branch, or rebase it; it is planned again then."
    yield ""
    yield from (f"- {code(f)}" for f in files[: level.rows])
    yield from more(len(files), level.rows)


def not_planned(why: str, stamp: Stamp) -> Told:
    """Return the comment where no plan could be made. It never reads as "no changes"."""
    body = (
        "### ❓ Fleet plan: not planned\n"
        "What a merge would do is not known. It is tried again by itself.\n\n"
        f"{code(why, WHY)}\n{_sub(stamp)}"
    )
    return Told(
        verdict=Verdict.ERROR, risk=Risk.STOP, title="not planned: something could not be read", body=body
    )


def _sub(stamp: Stamp) -> str:
    at = f"head {code(stamp.head[:7])} + base {code(stamp.base[:7])}"
    return f"\n<sub>{at} · engine {code(stamp.engine)} · {TRUST}</sub>\n"
