"""What the gates of a revision and its own health mean for its way: on, wait, or back."""

from reconciler.kinds.register import Wait
from reconciler.strategies import traffic
from reconciler.strategies.gates import judge
from reconciler.strategies.slice import Live, Slice
from reconciler.strategies.wanted import WEIGHTED, Wanted


def failing(want: Wanted, s: Slice, new: Live) -> str | None:
    """Return what sends a revision with traffic back, if something does."""
    bad = [g.why for g in judge(want, s, new) if g.state == "fail"]
    if bad:
        return "; ".join(bad)
    if want.kind in WEIGHTED and new.weight and traffic.ready(want, s, new) == 0:
        return "it has traffic, and none of its targets is healthy"
    return None


def waiting(want: Wanted, s: Slice, new: Live) -> Wait | None:
    """Say which gate has to hold before a revision gets traffic, or more of it."""
    open_ones = [g.why for g in judge(want, s, new) if g.state != "pass"]
    return Wait(why=f"gate: {open_ones[0]}") if open_ones else None
