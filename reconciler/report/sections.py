"""Sections of a plan in GitHub-flavoured markdown. Words from outside stand in code alone."""

from collections.abc import Iterable, Iterator
from typing import Final

from reconciler.plan.model import ActionKind, Because, Item, TargetPlan
from reconciler.report import words
from reconciler.report.escape import block, cell, code

ROWS: Final = 50  # of a table that lists what is wrong; more is not read

ICONS: Final = {
    ActionKind.CREATE: "🌱",
    ActionKind.REPLACE: "🔁",
    ActionKind.UPDATE: "✏️",
    ActionKind.RETIRE: "🗑️",
    ActionKind.BLOCKED: "⛔",
    ActionKind.UNREAD: "❔",
    ActionKind.NONE: "🩹",
}


def table(shown: Iterable[tuple[TargetPlan, Item]]) -> Iterator[str]:
    """Tell what happens to each document, a row each."""
    yield ""
    yield "| | Document | Target | What will happen | Traffic | Done after |"
    yield "|:-:|---|---|---|---|---|"
    for target, item in shown:
        yield (
            f"| {ICONS[item.action]} | {item.kind} {cell(item.name)} | {cell(item.target)} | {_what(item)} "
            f"| {_weights(item)} | {_end(item, target)} |"
        )


def _what(item: Item) -> str:
    was, to = words.short(item.was), words.short(item.to)
    ids = [cell(v) for v in (was, to) if v]
    moved = " → ".join(ids if was != to else ids[:1])
    if item.blocked:
        why = "over a limit, see above" if item.blocked.code == "limit" else cell(item.blocked.why)
        return f"{item.action.value}: {why}" + (f"; then {moved}" if was and to and was != to else "")
    if item.action is ActionKind.NONE:
        return "drift is put right" if item.now else "goes on"
    waits = f"; waits: {cell(item.wait.why)}" if item.wait and not item.now else ""
    return f"{item.action.value} {moved}".rstrip() + waits


def _weights(item: Item) -> str:
    weights = [s.weight for s in item.steps if s.weight is not None]
    return f"{' → '.join(map(str, weights))} %" if weights else "-"


def _end(item: Item, target: TargetPlan) -> str:
    last = max((s.at for s in item.steps if s.at), default=target.as_of)
    if not item.steps:
        return "-"
    return f"~{words.rough(last - target.as_of)}" if last > target.as_of else "at once"


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


def refusals(targets: Iterable[TargetPlan]) -> Iterator[str]:
    """Tell which number is over which limit, and the way past it."""
    over = [(t, r) for t in targets for r in t.refusals]
    if not over:
        return
    yield ""
    yield "| Target | Limit | Allowed | This plan | Why | Approved |"
    yield "|---|---|--:|--:|---|---|"
    for target, r in over[:ROWS]:
        approved = "yes" if target.approved else "**no**"
        yield (
            f"| {cell(r.target)} | {cell(r.limit)} | {r.allowed} | **{r.count}** of {r.of} "
            f"| {cell(r.why)} | {approved} |"
        )
    yield from more(len(over))
    for target in dict.fromkeys(t for t, _ in over if not t.approved):
        yield ""
        yield (
            f"Nothing begins in {code(target.target)}. Make the change smaller, or accept **this exact "
            f"plan**: put {code(target.digest)} into the Target's `limits.approved`. "
            "It is void when the plan changes."
        )


def unread(targets: Iterable[TargetPlan]) -> Iterator[str]:
    """Tell what could not be read."""
    found = [(t.target, u) for t in targets for u in t.unread]
    if found:
        yield ""
        yield "**Incomplete: what could not be read is not planned.**"
        yield from (f"- {code(target)}: {code(what)}" for target, what in found[:ROWS])
        yield from more(len(found))


def notes(targets: Iterable[TargetPlan]) -> Iterator[str]:
    """Tell what a person should know beside the changes."""
    found = [(t.target, w) for t in targets for w in t.warnings]
    found += [(i.target, f"{i.kind} {i.name}: {n}") for t in targets for i in t.items for n in i.notes]
    if found:
        yield ""
        yield from (f"- {code(target)}: {code(note)}" for target, note in found[:ROWS])
        yield from more(len(found))


def more(count: int) -> Iterator[str]:
    """Say how many rows were left out."""
    if count > ROWS:
        yield ""
        yield f"and {count - ROWS} more"


def counted(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
