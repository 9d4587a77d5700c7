"""What `apply` tells while it works: plain lines everywhere, a live table on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from reconciler.apply.executor import Done, Failed
from reconciler.cli.options import on_terminal, out
from reconciler.gateway.errors import say
from reconciler.plan.model import Item, TargetPlan
from reconciler.report.escape import visible
from reconciler.report.steps import doing, quiet

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table


class Progress(Protocol):
    """Told of every step as it happens, and of every plan."""

    def step(self, outcome: Done | Failed) -> None:
        """Tell of one step."""

    def plan(self, plan: TargetPlan) -> None:
        """Tell how a target stands after a look."""


@dataclass(slots=True)
class Lines:
    """One line for each step, and for each new reason to wait."""

    told: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def step(self, outcome: Done | Failed) -> None:
        """Tell of one step."""
        if not quiet(outcome.step) or isinstance(outcome, Failed):
            out(step_line(outcome))

    def plan(self, plan: TargetPlan) -> None:
        """Tell of reasons that are new."""
        for item in plan.items:
            key, now = (item.kind, item.name, item.target), held(item)
            if self.told.get(key, "") != now:
                self.told[key] = now
                if now:
                    out(f"{item.target}  {visible(item.name)}  {visible(now)}")


@dataclass(slots=True)
class Screen:
    """A table that is drawn anew, with the steps running by above it."""

    live: "Live"
    rows: dict[tuple[str, str, str], Item] = field(default_factory=dict)

    def step(self, outcome: Done | Failed) -> None:
        """Tell of one step."""
        if not quiet(outcome.step) or isinstance(outcome, Failed):
            self.live.console.print(step_line(outcome), markup=False, highlight=False)

    def plan(self, plan: TargetPlan) -> None:
        """Draw the table anew."""
        for item in plan.items:
            key = (item.target, item.kind, item.name)
            if state(item) or key in self.rows:
                self.rows[key] = item
        self.live.update(_table(self.rows))


def _table(rows: dict[tuple[str, str, str], Item]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table("target", "kind", "name", "state", box=None, pad_edge=False)
    for (target, kind, name), item in sorted(rows.items()):
        table.add_row(target, kind, Text(visible(name)), Text(visible(state(item) or "done")))
    return table


def state(item: Item) -> str:
    """Return what happens to one document, in one line; nothing when it is done."""
    return held(item) or (f"{item.action}" if item.now else "")


def held(item: Item) -> str:
    """Return what one document waits for or is stopped by, in one line; nothing when it is neither."""
    if item.wait:
        until = f" (until {item.wait.until:%H:%M:%S})" if item.wait.until else ""
        return f"waiting: {item.wait.why}{until}"
    if item.blocked:
        return f"{item.action}: {item.blocked.why}"
    return ""


def step_line(outcome: Done | Failed) -> str:
    """Return one step in one line."""
    item = outcome.item
    head = f"{item.target}  {visible(item.name)}  {visible(doing(outcome.step))}"
    return f"{head}  failed: {visible(say(outcome.error))}" if isinstance(outcome, Failed) else head


@contextmanager
def progress() -> Iterator[Progress]:
    """Give what tells of progress: live on a terminal, plain lines elsewhere."""
    if not on_terminal():
        yield Lines()
        return
    from rich.live import Live

    with Live(refresh_per_second=4, transient=False) as live:
        yield Screen(live)
