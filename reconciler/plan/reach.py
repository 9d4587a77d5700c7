"""How far each fleet has come in a target: what the waves behind that target are judged by. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from reconciler.core.facts import Unread
from reconciler.core.ids import Commit, TargetName
from reconciler.plan.model import ActionKind, Item, TargetPlan


class Reach(StrEnum):
    """How far a fleet is on its way to the revision that git wants of it in one target."""

    SHIFTED = "shifted"  # it has all traffic there, and the last client has followed
    MOVING = "moving"  # not yet, and it goes on by itself
    STOPPED = "stopped"  # failed, suspended, or held by something that a person ends
    UNREAD = "unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far one fleet is, and why no further."""

    reach: Reach
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the last complete observation of a target gave."""

    target: TargetName
    commit: Commit
    as_of: datetime
    fleets: Mapping[str, Reached]


Reports: TypeAlias = Mapping[str, Report | Unread]
"""By target: what is known of it now, or why nothing is. One that is not in it was not looked at yet."""


def report(plan: TargetPlan, commit: Commit) -> Report | Unread:
    """Return what a plan says to the waves behind its target; an incomplete one says nothing."""
    if not plan.complete:
        return Unread(what=f"target {plan.target}", why=plan.unread[0] if plan.unread else "not all was read")
    fleets = {i.name: _reached(i) for i in plan.items if i.kind == "Fleet"}
    return Report(target=plan.target, commit=commit, as_of=plan.as_of, fleets=fleets)


def _reached(item: Item) -> Reached:
    """A suspended fleet stops those behind it even where it has shifted: somebody looks into something."""
    blocked = item.blocked
    if item.action is ActionKind.UNREAD:
        return Reached(reach=Reach.UNREAD, why=blocked.why if blocked else "it was not read")
    if blocked and blocked.code == "suspended":
        return Reached(reach=Reach.STOPPED, why=blocked.why)
    if item.shifted:
        return Reached(reach=Reach.SHIFTED)
    if blocked:
        return Reached(reach=Reach.STOPPED, why=f"blocked ({blocked.code}): {blocked.why}")
    return Reached(reach=Reach.MOVING, why=item.wait.why if item.wait else "")
