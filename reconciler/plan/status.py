"""What is live of each fleet: revisions, traffic, health, and how far a rollout is. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.facts import Keeper
from reconciler.core.ids import FleetName, TargetName
from reconciler.kinds.register import World
from reconciler.plan.model import Item, TargetPlan
from reconciler.strategies.hand import Hand, Verb
from reconciler.strategies.slice import Lease, Live, at, fleets_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionStatus:
    """One live revision of a fleet."""

    name: str
    revision: str
    state: str  # serving | getting ready | kept | going | failed
    image: str
    commit: str
    born: datetime
    in_service: int
    min: int
    desired: int
    max: int
    traffic: int | None  # percent; None: traffic has no weights here
    healthy: int | None  # targets of its own; None: not looked at in this pass
    floor: Lease | None = None  # that it holds, in force or not
    overdue: bool = False  # the floor has ended, and its sizes and its tag are still there


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetStatus:
    """One fleet in one target."""

    fleet: FleetName
    target: TargetName
    item: Item | None  # what the plan says of it
    revisions: tuple[RevisionStatus, ...]
    drift: int  # rows
    hands: tuple[tuple[str, Hand], ...] = ()  # groups to which somebody said more than a pause, and what


def status_of(
    world: World, plan: TargetPlan, keeper: Keeper, only: str | None = None
) -> tuple[FleetStatus, ...]:
    """Return the status of every fleet that git or AWS knows, by name."""
    live = fleets_of(world, keeper)
    items = {i.name: i for i in plan.items if i.kind == "Fleet"}
    names = sorted({*items, *live}) if only is None else [only] if only in items or only in live else []
    return tuple(
        FleetStatus(
            fleet=FleetName(name),
            target=plan.target,
            item=items.get(name),
            revisions=_revisions(world, live.get(FleetName(name), ()), items.get(name)),
            hands=_hands(live.get(FleetName(name), ())),
            drift=sum(d.name == name and d.kind == "Fleet" for d in plan.drift),
        )
        for name in names
    )


def overdue(one: FleetStatus) -> Iterator[str]:
    """Say which floors have ended and stay, for nothing is written of what is suspended or blocked."""
    item = one.item
    if item is None or item.blocked is None or item.now:
        return
    until = "it is suspended" if item.suspended else "it is blocked"
    for r in one.revisions:
        if r.overdue and r.floor:
            ended = f"{r.floor.until:%Y-%m-%dT%H:%M:%SZ}"
            yield f"{r.name} keeps its floor of {r.floor.least}, which ended at {ended}, while {until}"


def _hands(live: tuple[Live, ...]) -> tuple[tuple[str, Hand], ...]:
    return tuple((r.name, r.hand) for r in live if r.up and r.hand and r.hand.verb is not Verb.PAUSE)


def _revisions(world: World, live: tuple[Live, ...], item: Item | None) -> tuple[RevisionStatus, ...]:
    total = sum(r.weight or 0 for r in live)
    serving = _serving(live)
    return tuple(_revision(world, r, total, serving, item) for r in live)


def _serving(live: tuple[Live, ...]) -> Live | None:
    """Return what serves now: most weight; without weights, what was shifted to last."""
    up = [r for r in live if r.up and r.idle is None]
    shifted = [r for r in up if r.weight or (r.weight is None and r.stage and r.stage.step >= 1)]
    return max(
        shifted, key=lambda r: (r.weight or 0, r.stage.since.timestamp() if r.stage else 0), default=None
    )


def _revision(
    world: World, live: Live, total: int, serving: Live | None, item: Item | None
) -> RevisionStatus:
    group, floor = live.group, live.lease if live.up else None
    weight = live.weight
    return RevisionStatus(
        name=live.name,
        revision=live.revision,
        state=_state(live, serving, item),
        image=live.template.image if live.template else "",
        commit=live.identity.commit,
        born=at(live.identity.born),
        in_service=group.in_service if group else 0,
        min=group.sizes.min if group else 0,
        desired=group.sizes.desired if group else 0,
        max=group.sizes.max if group else 0,
        traffic=None if weight is None or not total else 100 * weight // total,
        healthy=_healthy(world, live),
        floor=floor,
        overdue=floor is not None and world.as_of >= floor.until,
    )


def _state(live: Live, serving: Live | None, item: Item | None) -> str:
    if live.template and live.template.failed:
        return "failed"
    if live.up is None:
        return "going"
    if live is serving:
        return "serving"
    if live.idle is not None:
        return "kept"
    return "getting ready" if item and item.to == live.revision else "going"


def _healthy(world: World, live: Live) -> int | None:
    if not isinstance(world.health, tuple) or live.target_group is None:
        return None
    looked = [h for h in world.health if h.group == live.target_group.arn]
    return sum(h.healthy(live.own) for h in looked) if looked else None
