"""What a person reads of a plan, in words that the text and the markdown share."""

import re
from datetime import UTC, datetime, timedelta

from reconciler.core.duration import format_duration
from reconciler.kinds.register import Wait
from reconciler.plan.explain import SAYS
from reconciler.plan.model import Because, Drift, Item, PlannedStep, Refusal, TargetPlan
from reconciler.report.escape import capped
from reconciler.strategies.gates import Gate

VALUE = 120  # characters of one of two values that are told side by side


REVISION = re.compile(r"v[0-9]+\.([0-9a-f]{40})")


def digits(value: str) -> str:
    """Return a revision without the version of its digest; other values as they are."""
    found = REVISION.fullmatch(value)
    return found.group(1) if found else value


def short(value: str) -> str:
    """Return the ten digits of a revision that stand in names; other values as they are."""
    return digits(value)[:10] if REVISION.fullmatch(value) else value


def moved(item: Item) -> str:
    """Return from what to what an item goes, or nothing where both are the same."""
    was, to = capped(short(item.was), VALUE), capped(short(item.to), VALUE)
    if was == to:
        return ""
    return f"{was} -> {to}" if was and to else was or to


def reason(because: Because) -> str:
    """Return `path: old -> new`."""
    old, new = capped(because.old, VALUE), capped(because.new, VALUE)
    return f"{capped(because.path, VALUE)}: {f'{old} -> {new}' if old and new else old or new}"


def clock(at: datetime) -> str:
    """Return a time to the second, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def after(step: PlannedStep, item: Item, as_of: datetime) -> str:
    """Return how long from now a step happens at the earliest; of a blocked item, once it goes on."""
    start = "then" if item.blocked else "now"
    if step.at is None or step.at <= as_of:
        return start
    span = rough(step.at - as_of)
    return f"~{span} later" if item.blocked else f"after ~{span}"


def rough(span: timedelta) -> str:
    """Return a span without seconds from ten minutes on: a forecast is not exact."""
    if span >= timedelta(minutes=10):
        span = timedelta(minutes=round(span.total_seconds() / 60))
    return format_duration(span)


def step(planned: PlannedStep) -> str:
    """Return what a step does."""
    if planned.op in ("wait", "blocked", "pause"):
        return f"{planned.op}{f' {rough(planned.hold)}' if planned.hold else ''}: {planned.why}"
    parts = [f"{planned.op} {planned.name}".rstrip()]
    if planned.weight is not None and f"{planned.weight}%" not in planned.why:
        parts.append(f"{planned.weight}% of traffic")
    elif planned.detail and planned.weight is None:
        parts.append(planned.detail)
    if planned.hold:
        parts.append(f"held for {format_duration(planned.hold)}")
    return ", ".join(parts) + (f" ({planned.why})" if planned.why else "")


def waiting(wait: Wait, as_of: datetime) -> str:
    """Return what is waited for, and until when."""
    text = wait.why
    if wait.until:
        text += f", until {clock(wait.until)} (in {rough(max(wait.until - as_of, timedelta()))})"
    if wait.deadline:
        text += f"; goes back if not by {clock(wait.deadline)}"
    return text


def gate(found: Gate) -> str:
    """Return what a gate says of a rollout under way."""
    return f"Gate {SAYS[found.state]}: {found.why}"


def drifted(row: Drift) -> str:
    """Return what differs live."""
    want, live = (capped(v, VALUE) or "nothing" for v in (row.want, row.live))
    return f"{capped(row.resource, VALUE)} {capped(row.field, VALUE)}: wanted {want}, is {live}"


def refused(refusal: Refusal) -> str:
    """Return which number is over which limit."""
    return f"over limit {refusal.limit}: {refusal.why}"


def way_past(plan: TargetPlan) -> str:
    """Return what follows from a plan that is over a limit, and how a person lets it pass."""
    if plan.approved:
        return f"Approved by digest {plan.digest}."
    way = f"limits.approved: [{plan.digest}] in its Target"
    return f"Nothing begins in {plan.target}. To let exactly this plan pass: {way}."
