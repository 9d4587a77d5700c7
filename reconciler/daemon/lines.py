"""Lines that a pass ends with: all that was counted, and faults with the place that they left."""

import traceback
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from reconciler.daemon.order import STOPPED, Turn
from reconciler.plan.model import ActionKind, TargetPlan
from reconciler.report.events import JobFailed, PassDone

LONGEST = 4000  # characters of a traceback: its end says most


def done(commit: str, target: str, turn: Turn, seconds: float, resting: int, next_in: timedelta) -> PassDone:
    """Return the one line of a pass, with all that was counted."""
    plan = turn.plan
    result = "failed" if turn.failure else "done"
    if turn.failure == STOPPED:
        result = "stopped"
    elif plan is not None and not plan.complete and not turn.failure:
        result = "incomplete"
    base = PassDone(
        commit=commit,
        target=target,
        result=result,
        as_of=plan.as_of if plan else None,
        digest=plan.digest if plan else "",
        seconds=seconds,
        calls=sum(turn.calls.values()),
        applied=sum(o.done for o in turn.outcomes),
        failed=sum(not o.done for o in turn.outcomes),
        resting=resting,
        next_in=next_in,
    )
    return counted(base, plan) if plan else base


def counted(base: PassDone, plan: TargetPlan) -> PassDone:
    """Return the line with the counts of a plan."""
    return replace(
        base,
        create=plan.count(ActionKind.CREATE),
        replace=plan.count(ActionKind.REPLACE),
        update=plan.count(ActionKind.UPDATE),
        retire=plan.count(ActionKind.RETIRE),
        unchanged=plan.count(ActionKind.NONE),
        blocked=plan.count(ActionKind.BLOCKED),
        unread=plan.count(ActionKind.UNREAD),
        drifted=len({(d.kind, d.name) for d in plan.drift}),
        refused=0 if plan.approved else len(plan.refusals),
    )


def fault(job: str, error: Exception) -> JobFailed:
    """Return the event of an error that nobody foresaw, with the line of our code that it left."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "reconciler" in f.filename] or frames
    where = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
    trace = "".join(traceback.format_exception(error))[-LONGEST:]
    return JobFailed(job=job, error=type(error).__name__, why=str(error), where=where, trace=trace)
