"""What a pass looks at beside the bulk reads: what is under way, since each thing costs a call."""

from collections.abc import Iterator, Mapping

from reconciler.core.facts import APPLIED, TRAFFIC, Keeper, Read
from reconciler.core.ids import Arn, ChangeId, FleetName, ResourceName
from reconciler.kinds.activity.want import Launches
from reconciler.kinds.balancer.live import LiveBalancer, LiveTargetGroup
from reconciler.kinds.group.steps import Attach, CreateGroup
from reconciler.kinds.register import Needs, World
from reconciler.plan.model import ActionKind, TargetPlan
from reconciler.strategies.slice import Live, at, fleets_of

QUIET = (ActionKind.NONE, ActionKind.UNREAD)


def needs(plan: TargetPlan, world: World, keeper: Keeper, audited: frozenset[str] = frozenset()) -> Needs:
    """Return what the plan of the bulk reads leaves open; `audited` fleets are looked at by turns."""
    live = fleets_of(world, keeper)
    busy = {i.name for i in plan.items if i.kind == "Fleet" and (i.action not in QUIET or i.now or i.wait)}
    revisions = [r for name, found in live.items() if name in busy or name in audited for r in found]
    asked = [i.asks for i in plan.items]
    wanted = _wanted_names(plan, busy) | {str(x.name) for x in asked if x.name}
    own = {r.target_group.arn for r in revisions if r.target_group}
    foreign = {a for r in revisions if r.group for a in r.group.target_groups if a not in own}
    return Needs(
        health=frozenset(own | foreign | _attached(plan, busy)),
        classic_health=frozenset(c for r in revisions if r.group for c in r.group.classic),
        changes=frozenset(ChangeId(r.stage.change) for r in revisions if r.stage and r.stage.change),
        balancers=frozenset({r.name for r in revisions if r.balancer} | _present(world.balancers, wanted)),
        target_groups=frozenset(
            {r.name for r in revisions if r.target_group} | _present(world.target_groups, wanted)
        ),
        hooks=frozenset(r.group.name for r in revisions if r.group and _settled(r)),
        instances=frozenset(
            r.name for r in revisions if r.identity.fleet in audited and r.group and _settled(r)
        ),
        listeners=_listeners(world, [r for r in revisions if r.identity.fleet in busy], own),
        alarms=frozenset(a for x in asked for a in x.alarms),
        metrics=frozenset(m for x in asked for m in x.metrics),
        probes=frozenset(p for x in asked for p in x.probes),
        launches=frozenset(_short(plan, live)),
    )


def _short(plan: TargetPlan, live: Mapping[FleetName, tuple[Live, ...]]) -> Iterator[Launches]:
    """Yield the groups of a rollout that lack instances: why, stands in their scaling activities."""
    for item in plan.items:
        rolls = item.begun or item.action in (ActionKind.CREATE, ActionKind.REPLACE)
        if item.kind != "Fleet" or item.shifted or not rolls:
            continue
        for r in live.get(FleetName(item.name), ()):
            if r.up and r.up.in_service < r.up.sizes.desired:
                yield Launches(group=r.up.name, born=at(r.identity.born))


def _listeners(world: World, revisions: list[Live], own: set[Arn]) -> frozenset[Arn]:
    """Return listeners that git names no more, and those whose rules lead here from another place."""
    if not isinstance(world.rules, tuple):
        return frozenset()
    read = {r.listener for r in world.rules}
    named = {Arn(r.group.tag(TRAFFIC)) for r in revisions if r.group}
    left = {n for n in named if n.startswith("arn:") and n not in read}
    moved = {r.listener for r in world.rules if not r.tags and any(arn in own for arn, _ in r.weights)}
    return frozenset(left | moved)


def _settled(live: Live) -> bool:
    return live.group is not None and bool(live.group.tag(APPLIED))


def _wanted_names(plan: TargetPlan, busy: set[str]) -> set[str]:
    return {str(s.name) for i in plan.items if i.name in busy for s in i.now}


def _attached(plan: TargetPlan, busy: set[str]) -> set[Arn]:
    found: set[Arn] = set()
    for item in plan.items:
        if item.name not in busy:
            continue
        for step in item.now:
            if isinstance(step, CreateGroup):
                found |= set(step.group.attach_target_groups)
            elif isinstance(step, Attach):
                found |= set(step.target_groups)
    return found


def _present(facts: Read[LiveBalancer] | Read[LiveTargetGroup], names: set[str]) -> set[ResourceName]:
    return {x.name for x in facts if x.name in names} if isinstance(facts, tuple) else set()


def nothing(found: Needs) -> bool:
    """Is there nothing to look at."""
    return found == Needs()
