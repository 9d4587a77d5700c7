"""The plan as text for a terminal: what happens to which document, why, how, and when at the earliest."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Final

from reconciler.plan.model import ActionKind, Drift, Item, Plan, TargetPlan
from reconciler.report import words
from reconciler.report.escape import capped, visible
from reconciler.report.summary import summary

SYMBOLS: Final = {
    ActionKind.CREATE: "+",
    ActionKind.REPLACE: "-/+",
    ActionKind.UPDATE: "~",
    ActionKind.RETIRE: "-",
    ActionKind.BLOCKED: "!",
    ActionKind.UNREAD: "?",
    ActionKind.NONE: "=",
}
SAYS: Final = {
    ActionKind.CREATE: "will be created",
    ActionKind.REPLACE: "will be replaced",
    ActionKind.UPDATE: "will be updated in place",
    ActionKind.RETIRE: "will be retired",
    ActionKind.BLOCKED: "is blocked",
    ActionKind.UNREAD: "could not be read",
    ActionKind.NONE: "is as wanted",
}
GOES_ON: Final = {
    ActionKind.CREATE: "is being created",
    ActionKind.REPLACE: "is being replaced",
    ActionKind.RETIRE: "is being retired",
}
STYLES: Final = {
    "+": "green",
    "-/+": "magenta",
    "~": "yellow",
    "-": "red",
    "!": "bold red",
    "?": "bold yellow",
}
NAME: Final = 80  # characters of a name: ours have 31, but names of retired fleets are read from tags
LONGEST: Final = 400  # characters of a line; names, reasons and AWS's messages have no end of their own


@dataclass(frozen=True, slots=True)
class _Line:
    text: str = ""
    style: str = ""


def plan_text(plan: Plan, *, colour: bool = False) -> str:
    """Return the plan as text that ends with a newline. Documents that nothing happens to are counted."""
    lines = [line for target in plan.targets for line in _target(target)]
    return _render([*lines, _Line(closing(plan), "bold")], colour=colour)


def drift_text(plan: Plan, *, colour: bool = False) -> str:
    """Return what differs live from what the last applied commits say."""
    lines: list[_Line] = []
    for target in plan.targets:
        lines += [_heading(target), _Line(), *_drift(target.drift), *_unread(target)]
    found = sum(len(t.drift) for t in plan.targets)
    documents = summary(plan).drifted
    end = f"Drift: {found} {_many(found, 'difference')} in {documents} {_many(documents, 'document')}."
    if not plan.complete:
        end += " Incomplete: something could not be read."
    return _render([*lines, _Line(end, "bold")], colour=colour)


def closing(plan: Plan) -> str:
    """Return the counts, and the digest of each target."""
    counts = summary(plan)
    parts = [
        f"{counts.create} to create",
        f"{counts.replace} to replace",
        f"{counts.update} to update",
        f"{counts.retire} to retire",
        f"{counts.unchanged} unchanged",
        f"{counts.drifted} drifted",
        f"{counts.blocked} blocked",
        f"{counts.unread} unread",
    ]
    digests = ", ".join(f"{t.target} {t.digest}" for t in plan.targets)
    text = f"Plan: {', '.join(parts)}." + (f" Digest {digests}" if digests else "")
    return text if plan.complete else f"{text} Incomplete: something could not be read."


def _target(plan: TargetPlan) -> Iterator[_Line]:
    yield _heading(plan)
    yield _Line()
    shown = [i for i in plan.items if i.action is not ActionKind.NONE or i.steps or i.wait]
    if not shown and not plan.drift:
        yield _Line("  No changes.")
        yield _Line()
    for item in shown:
        yield from _item(item, plan)
    yield from _drift(plan.drift)
    yield from _refusals(plan)
    yield from _unread(plan)
    notes = [f"{i.kind} {i.name}: {n}" for i in plan.items if i not in shown for n in i.notes]
    for warning in (*plan.warnings, *notes):
        yield _Line(f"  Note: {warning}", "yellow")
    if plan.refusals or plan.unread or plan.warnings or notes:
        yield _Line()


def _heading(plan: TargetPlan) -> _Line:
    return _Line(f"Target {plan.target}, as of {words.clock(plan.as_of)}", "bold")


def _item(item: Item, plan: TargetPlan) -> Iterator[_Line]:
    symbol = SYMBOLS[item.action]
    moved = words.moved(item)
    name = capped(item.name, NAME)
    yield _Line(
        f"{symbol:>5} {item.kind} {name} {_says(item)}{f': {moved}' if moved else ''}", STYLES.get(symbol, "")
    )
    if item.blocked:
        yield _Line(
            f"        {item.blocked.code}: {item.blocked.why}", STYLES[symbol] if symbol in "!?" else ""
        )
    for because in item.because:
        at = f"  ({because.at})" if because.at else ""
        yield _Line(f"        {words.reason(because)}{at}")
    for step in item.steps:
        when = words.after(step, item, plan.as_of)
        yield _Line(f"          {when:<13} {words.step(step)}", "" if step.when == "now" else "dim")
    if item.wait and (
        item.wait.until or item.wait.deadline or item.wait.why not in {s.why for s in item.steps}
    ):
        yield _Line(f"        Waits: {words.waiting(item.wait, plan.as_of)}", "cyan")
    for gate in item.gates:
        yield _Line(f"        {words.gate(gate)}", "" if gate.state == "pass" else "yellow")
    for line in item.rollout:
        yield _Line(f"        {line}", "dim")
    for note in item.notes:
        yield _Line(f"        Note: {note}", "yellow")
    yield _Line()


def _says(item: Item) -> str:
    if item.action is ActionKind.NONE:
        return "drifted, and is put right" if item.now else "waits"
    return (GOES_ON if item.begun else SAYS).get(item.action, SAYS[item.action])


def _drift(rows: Iterable[Drift]) -> Iterator[_Line]:
    rows = tuple(rows)
    if not rows:
        return
    yield _Line("  Drift: live differs, and no commit says so", "yellow")
    for row in rows:
        heals = "  (to be healed)" if row.heals else ""
        yield _Line(f"        {row.kind} {row.name}: {words.drifted(row)}{heals}")
    yield _Line()


def _refusals(plan: TargetPlan) -> Iterator[_Line]:
    style = "yellow" if plan.approved else "bold red"
    for refusal in plan.refusals:
        yield _Line(f"  ! {words.refused(refusal)}", style)
    if plan.refusals:
        yield _Line(f"    {words.way_past(plan)}", style)


def _unread(plan: TargetPlan) -> Iterator[_Line]:
    for what in plan.unread:
        yield _Line(f"  ? {what}", "bold yellow")


def _render(lines: Iterable[_Line], *, colour: bool) -> str:
    """Make each line safe for a terminal: no character of it but our own colours steers anything."""
    safe = [_Line(capped(visible(line.text), LONGEST).rstrip(), line.style) for line in lines]
    if not colour:
        return "".join(f"{line.text}\n" for line in safe)
    from rich.console import Console
    from rich.text import Text

    out = StringIO()
    console = Console(file=out, force_terminal=True, color_system="standard", highlight=False, soft_wrap=True)
    for line in safe:
        console.print(Text(line.text, style=line.style))
    return out.getvalue()


def _many(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
