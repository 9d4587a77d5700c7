"""The plan as GitHub-flavoured markdown, for a comment that many people and their mail programs read.

Every word from outside stands in a code span or a fenced block (report/escape.py); titles and summaries
hold our own words and numbers alone. What does not fit is left out by section, never cut in the middle,
and never the digests: a plan is approved by them.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from reconciler.core.problem import Problem
from reconciler.plan.model import ActionKind, Because, Item, Plan, TargetPlan
from reconciler.report import words
from reconciler.report.escape import block, cell, code
from reconciler.report.summary import Summary, has_changes, summary

FITS: Final = 60_000  # bytes of UTF-8: GitHub takes 65,536 characters in a comment, and others add to ours
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
    lines = [f"### {'⚠️' if found else '✅'} Drift: {_counted(found, 'difference')}"]
    lines += [*_unread(plan.targets), *_drift(plan.targets), *_foot(plan)]
    return "\n".join(lines) + "\n"


def problems_markdown(problems: Sequence[Problem]) -> str:
    """Return why nothing was planned: every error of a commit that is not valid."""
    files = len({p.at.file for p in problems})
    counted = f"{_counted(len(problems), 'error')} in {_counted(files, 'file')}"
    lines = [
        f"### ❌ Fleet plan: {counted}; nothing was planned",
        "",
        "| File | Line | What is wrong | Why | What to write instead |",
        "|---|--:|---|---|---|",
    ]
    lines += [
        f"| {cell(p.at.file)} | {p.at.line}:{p.at.column} | {cell(p.what)} | {cell(p.why)} | {cell(p.fix)} |"
        for p in problems[:ROWS]
    ]
    lines += _more(len(problems))
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
    yield from _refusals(plan.targets)
    yield from _unread(plan.targets)
    if shown and "table" in level:
        yield from _table(shown)
    if "reasons" in level:
        yield from _reasons(shown)
    if "steps" in level:
        yield from _steps(shown)
    if "drift" in level:
        yield from _drift(plan.targets)
    if left:
        what = ", ".join(sorted(left))
        yield ""
        yield f"_Too long for a comment, so this is left out: {what}. `reconciler plan` tells all._"
    yield from _notes(plan.targets)
    yield from _foot(plan)


def _title(plan: Plan, counts: Summary) -> str:
    parts = [
        f"{n} to {what}"
        for what, n in (
            ("create", counts.create),
            ("replace", counts.replace),
            ("update", counts.update),
            ("retire", counts.retire),
        )
        if n
    ]
    parts += [f"{n} {what}" for what, n in (("blocked", counts.blocked), ("unread", counts.unread)) if n]
    if any(t.refusals and not t.approved for t in plan.targets):
        return "### ⛔ Fleet plan: blocked by a safety limit" + (f" ({', '.join(parts)})" if parts else "")
    if not has_changes(plan) and plan.complete:
        return "### ✅ Fleet plan: no changes"
    risky = counts.replace + counts.retire + counts.blocked + counts.unread or not plan.complete
    return f"### {'⚠️' if risky else '✅'} Fleet plan: {', '.join(parts) or 'no changes'}" + (
        "" if plan.complete else " (incomplete)"
    )


def _table(shown: Iterable[tuple[TargetPlan, Item]]) -> Iterator[str]:
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


def _reasons(shown: Iterable[tuple[TargetPlan, Item]]) -> Iterator[str]:
    told = [(t, i) for t, i in shown if i.because]
    count = sum(len(i.because) for _, i in told)
    if not count:
        return
    lines: list[str] = []
    for _, item in told:
        lines.append(f"# {item.kind} {item.name} in {item.target}")
        for because in item.because:
            lines += _diff(because)
    yield from _details(f"Reasons ({count})", block(lines, "diff"))


def _diff(because: Because) -> list[str]:
    at = f"  # {because.at}" if because.at else ""
    if because.secret:
        return [f"! {because.path}: {because.old} -> {because.new}{at}"]
    lines = [f"- {because.path}: {because.old}"] if because.old else []
    return [*lines, *([f"+ {because.path}: {because.new}{at}"] if because.new else [])]


def _steps(shown: Iterable[tuple[TargetPlan, Item]]) -> Iterator[str]:
    told = [(t, i) for t, i in shown if i.steps]
    if not told:
        return
    lines: list[str] = []
    for target, item in told:
        lines.append(f"{item.kind} {item.name} in {item.target}")
        lines += [f"  {words.after(s, item, target.as_of):<13} {words.step(s)}" for s in item.steps]
        if item.wait:
            lines.append(f"  waits: {words.waiting(item.wait, target.as_of)}")
    yield from _details(f"Steps, and when at the earliest ({_counted(len(told), 'document')})", block(lines))


def _drift(targets: Iterable[TargetPlan]) -> Iterator[str]:
    rows = [d for t in targets for d in t.drift]
    if not rows:
        return
    healed = sum(d.heals for d in rows)
    lines = []
    for row in rows:
        lines.append(f"# {row.kind} {row.name} in {row.target}: {row.resource} {row.field}")
        lines += [f"- {row.live or 'nothing'}  # live", f"+ {row.want or 'nothing'}  # git"]
    title = f"Drift: live differs, and no commit says so ({len(rows)}, {healed} to be healed)"
    yield from _details(title, block(lines, "diff"))


def _details(title: str, body: str) -> Iterator[str]:
    # Markdown inside needs the empty lines: without them, GitHub takes it for HTML.
    yield from ("", f"<details><summary>{title}</summary>", "", body, "", "</details>")


def _refusals(targets: Iterable[TargetPlan]) -> Iterator[str]:
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
    yield from _more(len(over))
    for target in dict.fromkeys(t for t, _ in over if not t.approved):
        yield ""
        yield (
            f"Nothing begins in {code(target.target)}. Make the change smaller, or accept **this exact "
            f"plan**: put {code(target.digest)} into the Target's `limits.approved`. "
            "It is void when the plan changes."
        )


def _unread(targets: Iterable[TargetPlan]) -> Iterator[str]:
    unread = [(t.target, u) for t in targets for u in t.unread]
    if unread:
        yield ""
        yield "**Incomplete: what could not be read is not planned.**"
        yield from (f"- {code(target)}: {code(what)}" for target, what in unread[:ROWS])
        yield from _more(len(unread))


def _notes(targets: Iterable[TargetPlan]) -> Iterator[str]:
    notes = [(t.target, w) for t in targets for w in t.warnings]
    notes += [(i.target, f"{i.kind} {i.name}: {n}") for t in targets for i in t.items for n in i.notes]
    if notes:
        yield ""
        yield from (f"- {code(target)}: {code(note)}" for target, note in notes[:ROWS])
        yield from _more(len(notes))


def _foot(plan: Plan) -> Iterator[str]:
    read = ", ".join(f"{code(t.target)} {words.clock(t.as_of)}" for t in plan.targets)
    yield ""
    yield f"<sub>commit {code(plan.commit[:12])}{f' · live state read: {read}' if read else ''}</sub>"


def _more(count: int) -> Iterator[str]:
    if count > ROWS:
        yield ""
        yield f"and {count - ROWS} more"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
