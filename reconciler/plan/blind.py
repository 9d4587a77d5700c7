"""The plan of a target that could not be looked at: every document unread, nothing done."""

from datetime import datetime

from reconciler.kinds.register import Blocked
from reconciler.plan.limits import digest
from reconciler.plan.model import ActionKind, Item, TargetPlan
from reconciler.spec.desired import Desired, DesiredTarget


def blind_plan(desired: Desired, target: DesiredTarget, why: str, as_of: datetime) -> TargetPlan:
    """Return a plan that says of every document in a target only that it is unread, and why."""
    named: list[tuple[str, str]] = [("Fleet", f.name) for f in desired.fleets if f.target == target.name]
    named += [("Image", i.name) for i in desired.images if target.name in i.spec.targets]
    named += [("Zone", z.name) for z in desired.zones if z.spec.target == target.name]
    blocked = Blocked(code="unread", why=why)
    items = tuple(
        Item(kind=kind, name=name, target=target.name, action=ActionKind.UNREAD, blocked=blocked)
        for kind, name in sorted(named)
    )
    return TargetPlan(
        target=target.name,
        as_of=as_of,
        digest=digest(items),
        complete=False,
        items=items,
        drift=(),
        unread=(why,),
    )
