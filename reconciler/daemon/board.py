"""What the last looks at every target gave, so that a pass of one knows how far the others are.

Memory only: after a restart nothing is known, and later waves wait until the earlier targets were looked at.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from typing import Final

from reconciler.core.duration import format_duration
from reconciler.core.facts import Unread
from reconciler.core.ids import Commit
from reconciler.plan.model import TargetPlan
from reconciler.plan.reach import Report, Reports, report

INTERVALS: Final = 2  # the age, in intervals, up to which an observation counts for a wave


@dataclass(slots=True)
class Board:
    """The last complete observation of each target, and why none came after it. Any thread may use it."""

    _complete: dict[str, tuple[Report, float]] = field(default_factory=dict)
    _lost: dict[str, str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def put(self, plan: TargetPlan, commit: Commit, now: float) -> None:
        """Take up what was seen of a target; an incomplete look leaves the last complete one there."""
        found = report(plan, commit)
        with self._lock:
            if isinstance(found, Unread):
                self._lost[plan.target] = found.why
            else:
                self._complete[plan.target] = (found, now)
                self._lost.pop(plan.target, None)

    def lost(self, target: str, why: str) -> None:
        """Remember why a target could not be looked at."""
        with self._lock:
            self._lost[target] = why

    def known(self, now: float, interval: timedelta) -> Reports:
        """Return what counts at a time. `now` and what was put here are seconds of one clock."""
        with self._lock:
            complete, lost = dict(self._complete), dict(self._lost)
        found: dict[str, Report | Unread] = {
            t: Unread(what=f"target {t}", why=why) for t, why in lost.items()
        }
        for target, (seen, at) in complete.items():
            age = timedelta(seconds=int(now - at))
            if age <= INTERVALS * interval:
                found[target] = seen
            elif target not in found:
                why = f"it was last seen {format_duration(age)} ago"
                found[target] = Unread(what=f"target {target}", why=why)
        return found
