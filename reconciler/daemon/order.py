"""What one pass of one target is asked for, and what became of it: between the schedule and AWS."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol

from reconciler.core.ids import Commit
from reconciler.plan.model import TargetPlan
from reconciler.plan.reach import Reports
from reconciler.report.outcome import Outcome, Thing
from reconciler.source.repository import Adopted
from reconciler.spec.desired import DesiredTarget

STOPPED: Final = "stopped"
"""Stands as failure where a pass ended because the program does."""


def nobody_asks(_plan: TargetPlan) -> None:
    """Tell nobody what was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one pass is asked for."""

    adopted: Adopted
    target: DesiredTarget
    deadline: timedelta
    resting: frozenset[Thing] = frozenset()  # left alone, for they failed lately
    audited: frozenset[str] = frozenset()  # fleets that are looked at in full
    left: tuple[Commit, ...] = ()  # of rewritten history: while something live names them, nothing is pruned
    waves: Reports = field(default_factory=dict)  # how far the fleets are in other targets
    planned: Callable[[TargetPlan], None] = nobody_asks  # told of the plan before any of it is done


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What became of a pass."""

    plan: TargetPlan | None  # None: it ended before one was made
    outcomes: tuple[Outcome, ...] = ()
    calls: Mapping[str, int] = field(default_factory=dict)  # requests by `service:Operation`
    failure: str = ""  # what ended the whole target's pass early
    why: str = ""
    left: tuple[Commit, ...] = ()  # which of the order's `left` something live still names


class Passes(Protocol):
    """What makes the passes: AWS in the daemon, something simpler in tests."""

    def look(self, order: Order, tell: Callable[[Outcome], None]) -> Turn:
        """Make one pass of one target, and tell of each step as it happens. Raises only what is a fault."""

    def release(self, target: str) -> None:
        """Let go of a target that is no longer in git."""

    def stop(self) -> None:
        """Let the calls in flight end, and send no further one."""
