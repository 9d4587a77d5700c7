"""`plan_target(goal, world) -> TargetPlan`: one target, from one observation. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from reconciler.core.facts import Unread
from reconciler.core.ids import ZoneName
from reconciler.core.quick import replace
from reconciler.kinds.record.live import ZoneProblem
from reconciler.kinds.register import Blocked, Wait, World
from reconciler.plan import freeze, limits, suspended, zones
from reconciler.plan.draft import Draft, drafts_of
from reconciler.plan.fleet import way
from reconciler.plan.goal import Goal
from reconciler.plan.images import image_items
from reconciler.plan.model import ActionKind, Drift, Item, Refusal, TargetPlan
from reconciler.plan.surge import cost
from reconciler.plan.turns import LATER, Turns
from reconciler.strategies.wanted import Allow, Hold

__all__ = ["Goal", "plan_target"]

READS = (
    *("groups", "templates", "balancers", "target_groups", "rules", "subnets", "security_groups"),
    *("amis", "images", "health", "changes", "instances", "alarms", "metrics", "probes", "launches"),
)


def plan_target(goal: Goal, world: World, *, ahead: bool = True) -> TargetPlan:
    """Return the plan of one target. `ahead`: with the whole way of each rollout.

    The same goal and world give the same plan. What was not read is said, and nothing is planned on it.
    """
    drafts = drafts_of(goal, world)
    zone_plans = zones.plan_zones(goal, world)
    images = image_items(goal, world)
    digest = limits.digest([*(d.item for d in drafts), *(z.item for z in zone_plans), *images])
    approved = digest in goal.limits.approved
    refusals = _refusals(goal, drafts, zone_plans)
    held = Allow() if approved else freeze.held(goal.freezes, world.as_of)
    if refusals and not approved:
        stop = Hold(code="limit", why=f"the plan is over a limit: {refusals[0].why}; approve digest {digest}")
        held = Allow(start=stop, retire=held.retire, records=stop, update=stop)
    asks = _Manner(allow=held, closed=tuple(suspended.closed(goal, world.as_of)), ahead=ahead)
    items = [
        *_fleet_items(Turns.of(goal, world), drafts, asks),
        *(zones.held(z, held.records) for z in zone_plans),
        *images,
    ]
    unread = tuple(sorted({str(u) for u in _unread(world)}))
    drift = [r for d in drafts for r in _drift_rows(goal, d)] + [r for z in zone_plans for r in z.drift]
    return TargetPlan(
        target=goal.target.name,
        as_of=world.as_of,
        digest=digest,
        complete=not unread,
        items=tuple(sorted(items, key=lambda i: (i.kind, i.order, i.name))),
        drift=tuple(sorted(drift, key=lambda r: (r.kind, r.name, r.resource, r.field))),
        refusals=refusals,
        approved=approved,
        unread=unread,
        warnings=_warnings(goal, world),
        suspended=suspended.of_target(goal.target, world.as_of),
    )


def _unread(world: World) -> Iterable[Unread]:
    for name in READS:
        if isinstance(facts := getattr(world, name), Unread):
            yield facts
    for zone in world.zones:
        if isinstance(zone, ZoneProblem) and zone.unread:
            yield zone.unread


def _refusals(goal: Goal, drafts: list[Draft], zone_plans: list[zones.ZonePlan]) -> tuple[Refusal, ...]:
    """Return the limits that the plan is over. What has begun counts, and is not what is refused."""
    leaving = [d.item for d in drafts if d.live and d.item.action is ActionKind.RETIRE]
    found: list[Refusal] = []
    if any(not i.begun for i in leaving):
        live = sum(d.live for d in drafts)
        found += limits.retire_refusals(goal.target.name, goal.limits, [i.name for i in leaving], live)
    for plan in zone_plans:
        found += zones.refusals(goal.target.name, plan, goal.limits)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Manner:
    """How the way of every fleet is looked for."""

    allow: Allow
    closed: tuple[tuple[ZoneName, Blocked], ...]  # suspended zones
    ahead: bool


def _fleet_items(turns: Turns, drafts: list[Draft], manner: _Manner) -> list[Item]:
    """Let rollouts begin by `order`, at most `limits.rollouts` at a time; a shifted one frees its slot."""
    running = sum(d.item.action is ActionKind.REPLACE and d.item.begun and not d.shifted for d in drafts)
    items, held = [], manner.allow
    for draft in sorted(drafts, key=lambda d: (d.item.order, d.item.name)):
        waits = draft.item.action is ActionKind.REPLACE and not (draft.item.begun or draft.suspended)
        allow = held
        if draft.lacks and held.start is None:
            allow = replace(held, start=draft.lacks)
        elif waits and held.start is None and (turn := turns.hold(draft, running)):
            allow = replace(held, start=turn)
        else:
            running += waits
        items.append(_ahead(draft, replace(manner, allow=allow)))
    return items


def _ahead(draft: Draft, manner: _Manner) -> Item:
    item, held, stop = draft.item, manner.allow, draft.suspended
    if draft.ask is None or draft.small is None or draft.move is None:
        return suspended.hold(item, stop)
    hold = held.start if item.action is ActionKind.RETIRE and not (item.begun or stop) else None
    if hold:
        return replace(item, action=ActionKind.BLOCKED, blocked=Blocked(code=hold.code, why=hold.why))
    ask = replace(draft.ask, allow=held, closed=manner.closed)
    ask = replace(ask, suspended=suspended.block(stop)) if stop else ask
    found = way(draft.small, ask, ahead=manner.ahead, seen=draft.view)
    item = replace(item, now=(*found.now, *found.swept), wait=found.wait, steps=found.ahead)
    if found.surge and item.action is ActionKind.REPLACE and not item.begun:
        item = replace(item, rollout=(cost(found.surge, found.ahead), *item.rollout))
    if stop:
        back = replace(item, blocked=ask.suspended, suspended=stop)
        return back if found.now or found.wait else suspended.hold(item, stop)
    if found.blocked and found.blocked.code == LATER:
        return replace(item, wait=Wait(why=found.blocked.why))
    if found.blocked and not found.now:
        return replace(item, action=ActionKind.BLOCKED, blocked=found.blocked)
    if item.action is ActionKind.UPDATE and not found.now and held.update:
        over = held.update
        return replace(item, action=ActionKind.BLOCKED, blocked=Blocked(code=over.code, why=over.why))
    return item


def _drift_rows(goal: Goal, draft: Draft) -> Iterable[Drift]:
    heals = bool(draft.ask and draft.ask.want and draft.ask.want.heal)
    for row in draft.rows:
        yield Drift(
            kind=draft.item.kind,
            name=draft.item.name,
            target=goal.target.name,
            resource=row.resource,
            field=row.path,
            want=row.want,
            live=row.live,
            heals=heals and row.mends,
        )


HELD: Final = {
    "start": "no revision is born and no instance healed",
    "retire": "no old revision ends",
    "records": "no record changes",
}
"""What each word of a freeze's `holds` means."""


def _warnings(goal: Goal, world: World) -> tuple[str, ...]:
    held = freeze.held(goal.freezes, world.as_of)
    holds = ((what, getattr(held, what)) for what in HELD)
    frozen = [f"{HELD[what]}: {hold.why}" for what, hold in holds if hold]
    lost = [f"zone {z.zone}: {z.why}" for z in world.zones if isinstance(z, ZoneProblem) and z.unread is None]
    return (*suspended.of_whole(goal.target, world.as_of), *frozen, *lost)
