"""What the gates of a revision and its own health mean for its way: on, wait, or back."""

from reconciler.kinds.activity.words import told
from reconciler.kinds.register import Wait
from reconciler.strategies.gates import judge
from reconciler.strategies.slice import Live, Slice
from reconciler.strategies.wanted import WEIGHTED, Wanted


def failing(want: Wanted, s: Slice, new: Live) -> str | None:
    """Return what sends a revision with traffic back, if something does."""
    bad = [g.why for g in judge(want, s, new) if g.state == "fail"]
    if bad:
        return "; ".join(bad)
    if want.kind in WEIGHTED and new.weight and _sick(s, new):
        return "it has traffic, and none of its targets is healthy"
    return None


def _sick(s: Slice, new: Live) -> bool:
    """Were all its targets checked, and none found healthy; one that is not checked yet has time."""
    own, group = new.own, new.target_group
    found = [st for h in s.health if group and h.group == group.arn for t, st in h.states if t in own]
    return bool(found) and all(state.startswith("unhealthy") for state in found)


def waiting(want: Wanted, s: Slice, new: Live) -> Wait | None:
    """Say which gate has to hold before a revision gets traffic, or more of it."""
    open_ones = [g.why for g in judge(want, s, new) if g.state != "pass"]
    return Wait(why=f"gate: {open_ones[0]}") if open_ones else None


def launching(s: Slice, new: Live) -> tuple[str, bool]:
    """Return why launches of a revision fail, "" if they don't, and whether waiting does not mend it."""
    failures = s.launches if isinstance(s.launches, tuple) else ()
    found = next((f for f in failures if f.group == new.name), None)  # what is final comes first
    return (told(found), found.final) if found else ("", False)
