"""Why something, or nothing, happens to a fleet, and when it next will. Pure."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final, assert_never

from reconciler.core.duration import format_duration
from reconciler.plan.hands import word
from reconciler.plan.model import ActionKind, Item, SuspendedBy, TargetPlan
from reconciler.plan.status import FleetStatus, RevisionStatus

WAYS: Final = {
    "failed": "change anything of its spec in git, or say `reconciler retry {name} --target {target}`",
    "held": "say `reconciler retry {name} --target {target}`, or `abort`",
    "pause": "say `reconciler promote {name} --target {target}`, or `abort`",
    "limit": "split the commit, or add digest {digest} to limits.approved of Target {target}",
    "freeze": "wait for its end, or add digest {digest} to limits.approved of Target {target}",
    "conflict": "remove or rename what stands in the way, or rename this",
    "gate": "see the alarm; mend what it watches, or take it out of rollout.gates",
    "protected": "commit the fleet again without metadata.protect, then take it out",
    "commit": "apply the newest commit; after history was rewritten: `reconciler apply --accept-history`",
    "unresolved": "mend the selector, or make what it should choose",
    "image": "mend the Image document, or share the AMI with this account",
    "zone": "make the hosted zone, or name it by `id`",
    "protected-instance": "take the protection off, end the standby, or terminate what is retained",
    "suspended": "`reconciler resume {name} --target {target}`, or take metadata.suspend out of git",
    "suspended-process": "resume process Terminate of this group",
    "wave": "mend the fleet there, or say `reconciler promote {name} --target {target}`",
    "breaker": "mend what failed and commit it, or say `reconciler retry --target {target}`",
    "history": "`reconciler apply --accept-history` re-tags what is in git, and prunes nothing",
    "traffic": "take the weight away that somebody gave it; see `reconciler drift`",
    "batch": "split the record set, or remove values by hand first",
    "unread": "it is looked at again in the next pass; see the error",
}
"""What a person can do, by the code of what blocks."""


SAYS: Final = {"pass": "holds", "fail": "does not hold", "wait": "is not known yet"}


def explain(status: FleetStatus, plan: TargetPlan) -> Iterator[str]:
    """Yield the lines that answer `reconciler explain`."""
    yield f"{status.fleet} in {status.target}, seen {plan.as_of:%Y-%m-%d %H:%M:%S} UTC"
    for revision in status.revisions:
        yield f"  live: {_revision(revision)}"
    if not status.revisions:
        yield "  live: nothing"
    yield from (f"  said by hand: {name} {word(hand)}" for name, hand in status.hands)
    item = status.item
    if item is None:
        yield "  git: it is not in this commit, and nothing of it is live"
        return
    yield from (f"  {line}" for line in explain_item(item, plan))
    if status.drift:
        yield f"  drift: {status.drift} fields differ live; `reconciler drift` names them"


def _revision(r: RevisionStatus) -> str:
    traffic = "" if r.traffic is None else f", {r.traffic}% of traffic"
    healthy = "" if r.healthy is None else f", {r.healthy} targets healthy"
    floor = f", floor of {r.floor.least} until {r.floor.until:%Y-%m-%d %H:%M} UTC" if r.floor else ""
    size = f"{r.in_service} of {r.desired} instances in service (min {r.min}, max {r.max})"
    return f"{r.name} {r.state}: {size}{floor}{healthy}{traffic}, image {r.image or 'unknown'}"


def explain_item(item: Item, plan: TargetPlan) -> Iterator[str]:
    """Yield what a plan says of one document, and when it next will."""
    if item.action is ActionKind.NONE and not item.now and not item.wait:
        yield "nothing to do: live is what git says"
    else:
        yield f"planned: {item.action}" + (f" {_short(item.was)} -> {_short(item.to)}" if item.to else "")
    for reason in item.because:
        where = f" ({reason.at})" if reason.at else ""
        values = " -> ".join(v for v in (reason.old, reason.new) if v)
        yield f"because: {reason.path}: {values}{where}"
    for note in item.notes:
        if not (item.blocked and note == item.blocked.why):
            yield f"note: {note}"
    if item.blocked:
        yield f"blocked ({item.blocked.code}): {item.blocked.why}"
        if way := _suspended(item) or WAYS.get(item.blocked.code):
            yield "way out: " + way.format(name=item.name, target=item.target, digest=plan.digest)
    if item.now:
        yield "next pass: " + ", ".join(f"{s.op} {s.name}" for s in item.now[:6])
    if item.wait:
        yield f"waiting: {item.wait.why}"
        if item.wait.until:
            yield f"next possible at: {_when(item.wait.until, plan.as_of)}"
        if item.wait.deadline:
            yield f"goes back if it is not ready by: {_when(item.wait.deadline, plan.as_of)}"
    for gate in item.gates:
        yield f"gate {SAYS[gate.state]}: {gate.why}"
    for refusal in plan.refusals:
        yield f"limit {refusal.limit}: {refusal.why}" + (" (approved)" if plan.approved else "")


def _short(revision: str) -> str:
    """Return the digits of a revision that stand in names; an AMI or a commit stays as it is."""
    found = re.fullmatch(r"v[0-9]+\.([0-9a-f]{10})[0-9a-f]*", revision)
    return found[1] if found else revision or "nothing"


def _suspended(item: Item) -> str:
    """Return how a suspension ends, by who said it: `resume` ends none of git's."""
    if item.suspended is None or not item.blocked or item.blocked.code != "suspended":
        return ""
    match item.suspended.said:
        case SuspendedBy.TAG:
            return "`reconciler resume {name} --target {target}`"
        case SuspendedBy.DOCUMENT:
            return f"take metadata.suspend out of git ({item.suspended.where})"
        case SuspendedBy.TARGET:
            return f"take metadata.suspend of Target {{target}} out of git ({item.suspended.where})"
        case _:
            assert_never(item.suspended.said)


def _when(at: datetime, now: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC, in {format_duration(max(at - now, now - now))}"
