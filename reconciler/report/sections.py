"""Sections of a plan in GitHub-flavoured markdown. Words from outside stand in code alone."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from reconciler.plan.goes_back import RECREATED
from reconciler.plan.model import ActionKind, Because, Item, PlannedStep, TargetPlan
from reconciler.report import words
from reconciler.report.escape import block, cell, code
from reconciler.report.levels import ALL, Level, more

PATHS: Final = 3  # of an item's reasons that its row names
PATH: Final = 60  # characters of a path or value in a row
ICONS: Final = {
    ActionKind.CREATE: "🌱",
    ActionKind.REPLACE: "🔁",
    ActionKind.UPDATE: "✏️",
    ActionKind.RETIRE: "🗑️",
    ActionKind.BLOCKED: "⛔",
    ActionKind.UNREAD: "❓",
    ActionKind.NONE: "🩹",
}


RANK: Final = {
    kind: rank
    for rank, kind in enumerate(
        (
            ActionKind.BLOCKED,
            ActionKind.UNREAD,
            ActionKind.RETIRE,
            ActionKind.REPLACE,
            ActionKind.UPDATE,
            ActionKind.CREATE,
            ActionKind.NONE,
        )
    )
}
"""What a reader must not miss stands first."""


def table(shown: Iterable[tuple[TargetPlan, Item]], level: Level = ALL) -> Iterator[str]:
    """Tell what happens to each document, a row each, what is dangerous first."""
    rows = sorted(shown, key=lambda row: RANK[row[1].action])
    told = [r for r in rows if RANK[r[1].action] <= RANK[ActionKind.REPLACE]] if level.risky else rows
    told = told[: level.rows] if level.risky else told
    if told:
        yield ""
        yield "| | Document | Target | What will happen | Traffic | Done after |"
        yield "|:-:|---|---|---|---|---|"
    for target, item in told:
        yield (
            f"| {ICONS[item.action]} | {item.kind} {cell(item.name)} | {cell(item.target)} | {_what(item)} "
            f"| {_weights(item)} | {_end(item, target)} |"
        )
    yield from more(len(rows), len(told))


def _what(item: Item) -> str:
    moved = _moved(item)
    if item.blocked:
        over = item.blocked.code == "limit"
        why = "over a limit, see above" if over else cell(item.blocked.why)
        return f"{item.action.value}: {why}{f'; then {moved}' if moved else ''}"
    if item.action is ActionKind.NONE:
        return "drift is put right" if item.now else "goes on"
    waits = f"; waits: {cell(item.wait.why)}" if item.wait and not item.now else ""
    if item.action is ActionKind.UPDATE and item.because:
        return f"update {_because(item)}{waits}"
    told = f"{item.action.value} {_ids(item)}".rstrip()
    if item.action is ActionKind.REPLACE and item.because:
        told += f": {_because(item)}"
    return told + waits


def _moved(item: Item) -> str:
    """Return what a blocked item comes to once it goes on. A zone has no revisions that a person knows."""
    if item.kind == "Zone":
        return ""
    if item.was and not item.to:
        return f"retire {_ids(item)}"
    if item.to and not item.was:
        return f"create {_ids(item)}"
    return _ids(item) if item.was != item.to else ""


def _ids(item: Item) -> str:
    was, to = words.short(item.was), words.short(item.to)
    return " → ".join(cell(v, PATH) for v in dict.fromkeys((was, to)) if v)


def _because(item: Item) -> str:
    """Return which fields say so; of one or two that are changed in place, the values too."""
    few = len(item.because) <= 2 and item.action is ActionKind.UPDATE
    if few and not any(b.secret for b in item.because):
        return ", ".join(f"{_path(b)}: {_values(b)}" for b in item.because)
    paths = list(dict.fromkeys(_path(b) for b in item.because))
    left = len(paths) - PATHS
    return ", ".join(paths[:PATHS]) + (f" and {left} more" if left > 0 else "")


def _path(because: Because) -> str:
    return cell(because.path.removeprefix("spec."), PATH)


def _values(because: Because) -> str:
    if because.old and because.new:
        return f"{cell(because.old, PATH)} → {cell(because.new, PATH)}"
    return f"→ {cell(because.new, PATH)}" if because.new else f"{cell(because.old, PATH)} goes"


PAUSED: Final = "⏸"
BATCH: Final = re.compile(r"batch \d+ of (\d+)")


def _weights(item: Item) -> str:
    """Return the shares of traffic on the way; a pause waits for a person."""
    shares = [PAUSED if s.op == "pause" else str(s.weight) for s in item.steps if _shares(s)]
    if shares == ["100"]:
        return "none, then 100 %" if recreated(item) else "100 % at once"
    batches = [found.group(1) for s in item.steps if (found := BATCH.match(s.why))]
    if batches and not shares:
        return f"{batches[-1]} batches"
    if recreated(item):
        return "none in between"
    return f"{' → '.join(shares)} %" if shares else "-"


def recreated(item: Item) -> bool:
    """Does the old revision go before the new one starts."""
    return any(note.startswith(RECREATED) for note in item.notes)


def _shares(step: PlannedStep) -> bool:
    return step.weight is not None or step.op == "pause"


def last(item: Item) -> datetime | None:
    """Return when the last step that is foreseen happens at the earliest."""
    return max((s.at for s in item.steps if s.at), default=None)


def _end(item: Item, target: TargetPlan) -> str:
    if not item.steps:
        return "-"
    at = last(item)
    if at is not None and at > target.as_of:
        return f"~{words.rough(at - target.as_of)}" + (" from then" if item.blocked else "")
    return "when ready" if item.steps[-1].op == "wait" else "at once"


def reasons(shown: Iterable[tuple[TargetPlan, Item]]) -> Iterator[str]:
    """Tell old and new values with their lines in git, folded away."""
    told = [(t, i) for t, i in shown if i.because]
    count = sum(len(i.because) for _, i in told)
    if not count:
        return
    lines: list[str] = []
    for _, item in told:
        lines.append(f"# {item.kind} {item.name} in {item.target}")
        for because in item.because:
            lines += _diff(because)
    yield from details(f"Reasons ({count})", block(lines, "diff"))


def _diff(because: Because) -> list[str]:
    at = f"  # {because.at}" if because.at else ""
    if because.secret:
        return [f"! {because.path}: {because.old} -> {because.new}{at}"]
    lines = [f"- {because.path}: {because.old}"] if because.old else []
    return [*lines, *([f"+ {because.path}: {because.new}{at}"] if because.new else [])]


def steps(shown: Iterable[tuple[TargetPlan, Item]]) -> Iterator[str]:
    """Tell the whole way of each rollout, folded away."""
    told = [(t, i) for t, i in shown if i.steps]
    if not told:
        return
    lines: list[str] = []
    for target, item in told:
        lines.append(f"{item.kind} {item.name} in {item.target}")
        lines += [f"  {words.after(s, item, target.as_of):<13} {words.step(s)}" for s in item.steps]
        if item.wait:
            lines.append(f"  waits: {words.waiting(item.wait, target.as_of)}")
        lines += [f"  {line}" for line in (*map(words.gate, item.gates), *item.rollout)]
    yield from details(f"Steps, and when at the earliest ({counted(len(told), 'document')})", block(lines))


def drift(targets: Iterable[TargetPlan]) -> Iterator[str]:
    """Tell what differs live and is explained by no commit, folded away."""
    rows = [d for t in targets for d in t.drift]
    if not rows:
        return
    healed = sum(d.heals for d in rows)
    lines = []
    for row in rows:
        lines.append(f"# {row.kind} {row.name} in {row.target}: {row.resource} {row.field}")
        lines += [f"- {row.live or 'nothing'}  # live", f"+ {row.want or 'nothing'}  # git"]
    title = f"Drift: live differs, and no commit says so ({len(rows)}, {healed} to be healed)"
    yield from details(title, block(lines, "diff"))


def details(title: str, body: str) -> Iterator[str]:
    """Fold a body away under a title of our own words."""
    # Markdown inside needs the empty lines: without them, GitHub takes it for HTML.
    yield from ("", f"<details><summary>{title}</summary>", "", body, "", "</details>")


def refusals(targets: Iterable[TargetPlan], level: Level = ALL) -> Iterator[str]:
    """Tell which number is over which limit."""
    over = [(t, r) for t in targets for r in t.refusals]
    if not over:
        return
    yield ""
    yield "| Target | Limit | Allowed | This plan | Why | Approved |"
    yield "|---|---|--:|--:|---|---|"
    for target, r in over[: level.rows]:
        approved = "yes" if target.approved else "**no**"
        yield (
            f"| {cell(r.target)} | {cell(r.limit)} | {r.allowed} | **{r.count}** of {r.of} "
            f"| {cell(r.why)} | {approved} |"
        )
    yield from more(len(over), level.rows)


def unread(targets: Iterable[TargetPlan], level: Level = ALL) -> Iterator[str]:
    """Tell what could not be read."""
    found = [(t.target, u) for t in targets for u in t.unread]
    if found:
        yield ""
        yield "**Incomplete: what could not be read is not planned.**"
        yield from (f"- {code(target)}: {code(what)}" for target, what in found[: level.rows])
        yield from more(len(found), level.rows)


def notes(targets: Iterable[TargetPlan], level: Level = ALL) -> Iterator[str]:
    """Tell what a person should know beside the changes."""
    found = [(t.target, w) for t in targets for w in t.warnings]
    found += [(i.target, f"{i.kind} {i.name}: {n}") for t in targets for i in t.items for n in i.notes]
    if found:
        yield ""
        yield from (f"- {code(target)}: {code(note)}" for target, note in found[: level.rows])
        yield from more(len(found), level.rows)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
