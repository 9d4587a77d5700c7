"""Whose turn it is: what a rollout waits for before it begins, beside limits and freezes. Pure.

The circuit breaker, then the waves of its fleet, then `limits.rollouts`. Births of fleets that serve nobody
yet, rollouts that have begun and every way back are nobody's turn: they are never asked for here.
"""

from dataclasses import dataclass
from typing import Final

from reconciler.core.facts import Unread
from reconciler.core.ids import Revision
from reconciler.kinds.register import World
from reconciler.plan import breaker
from reconciler.plan.breaker import Tombstone
from reconciler.plan.draft import Draft
from reconciler.plan.fleet import view
from reconciler.plan.goal import Goal
from reconciler.plan.reach import Reach, Report
from reconciler.strategies.hand import Verb
from reconciler.strategies.wanted import Hold

WAVE: Final = "wave"
LATER: Final = "turn"
"""Code of a hold that ends by itself: a turn to wait for, not a refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """What decides whose turn it is in one target."""

    goal: Goal
    failed: tuple[Tombstone, ...]

    @classmethod
    def of(cls, goal: Goal, world: World) -> "Turns":
        """Return what decides in one observation."""
        return cls(goal=goal, failed=breaker.tombstones(world, goal.keeper))

    def hold(self, draft: Draft, running: int) -> Hold | None:
        """Say why this rollout does not begin now, with `running` others under way; None: it may."""
        want = draft.ask.want if draft.ask else None
        tripped = breaker.hold(self.goal, self.failed, want.template.image) if want else None
        if held := tripped or _wave(self.goal, draft):
            return held
        if running >= self.goal.limits.rollouts:
            why = f"{running} rollouts are under way; limits.rollouts is {self.goal.limits.rollouts}"
            return Hold(code=LATER, why=why)
        return None


def _wave(goal: Goal, draft: Draft) -> Hold | None:
    """Say which earlier target a fleet waits for; one that will not get there by itself is told first."""
    fleet = goal.desired.fleet(draft.item.name, goal.target.name)
    if goal.waves is None or fleet is None:
        return None
    earlier = fleet.spec.targets[: fleet.spec.targets.index(goal.target.name)]
    holds = [h for target in earlier if (h := _behind(goal, fleet.name, target))]
    first = next((h for h in holds if h.code == WAVE), next(iter(holds), None))
    return None if first and _promoted(draft) else first


def _behind(goal: Goal, fleet: str, target: str) -> Hold | None:
    seen = (goal.waves or {}).get(target)
    where = f"wave: {fleet} in {target}"
    if isinstance(seen, Unread):
        return Hold(code=WAVE, why=f"{where} is not known: {seen.why}")
    if seen is None or seen.commit != goal.commit:
        return Hold(code=LATER, why=f"waits for {where} was not looked at yet at this commit")
    return _reached(seen, fleet, where)


def _reached(seen: Report, fleet: str, where: str) -> Hold | None:
    found = seen.fleets.get(fleet)
    if found is None or found.reach is Reach.UNREAD:
        return Hold(code=WAVE, why=f"{where} is unread{f': {found.why}' if found else ''}")
    if found.reach is Reach.STOPPED:
        return Hold(code=WAVE, why=f"{where} is {found.why}")
    if found.reach is Reach.MOVING:
        return Hold(code=LATER, why=f"waits for {where}{f' ({found.why})' if found.why else ''}")
    return None


def _promoted(draft: Draft) -> bool:
    """Did a person say that this fleet goes past its waves: on the group that serves it here.

    `wave checkout-3f9c21ab07` names the one revision that is meant; `wave` alone holds for as long as
    that group serves.
    """
    if draft.ask is None or draft.ask.want is None or draft.small is None or not draft.item.was:
        return False
    s = view(draft.small, draft.ask)
    serving = s.live(Revision(draft.item.was))
    hand = serving.hand if serving and serving.up else None
    if hand is None or hand.verb is not Verb.PROMOTE or not hand.holds(s.as_of):
        return False
    return hand.text in (WAVE, f"{WAVE} {draft.ask.want.name}")
