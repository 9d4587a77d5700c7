"""`plan_target(goal, world) -> TargetPlan`: one target, from one observation. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from reconciler.core.facts import PARTS, Keeper, Unread, identity, tag
from reconciler.core.ids import AmiId, Commit, FleetName
from reconciler.kinds.record.live import ZoneProblem
from reconciler.kinds.register import Blocked, Wait, World
from reconciler.plan import freeze, limits, zones
from reconciler.plan.fleet import Ask, Index, beside, next_move, small, view, way
from reconciler.plan.model import ActionKind, Because, Drift, Item, Refusal, TargetPlan
from reconciler.plan.part import Row
from reconciler.plan.parts import protected
from reconciler.plan.prepare import Prepared, parts_that_differ, prepare
from reconciler.plan.reasons import Reasons
from reconciler.plan.resolve import Network, Place, resolve
from reconciler.spec.desired import Desired, DesiredFleet, DesiredTarget
from reconciler.strategies import machine
from reconciler.strategies.retire import OUT
from reconciler.strategies.slice import Live, Slice, fleets_of
from reconciler.strategies.wanted import Allow, Hold, Wanted

KIND_FLEET, KIND_IMAGE, KIND_ZONE = "Fleet", "Image", "Zone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What a plan is made for: one commit's desired state in one target."""

    desired: Desired
    target: DesiredTarget
    keeper: Keeper
    commit: Commit
    ancestors: frozenset[Commit]  # of the commits seen live: those that are this commit or before it
    limits: limits.Limits  # the stricter of this commit's and its first parent's
    freezes: tuple[freeze.Freeze, ...]
    reasons: Reasons
    pruning: Hold | None = None  # why nothing may be pruned: rewritten history
    prepared: dict[tuple[str, str], Prepared] = field(default_factory=dict)  # by fleet and target: a memory

    def zone_context(self) -> zones.ZoneContext:
        """Return what the planning of zones needs to know."""
        return zones.ZoneContext(owner=self.keeper.owner, commit=self.commit, ancestors=self.ancestors)

    def prepare(self, fleet: DesiredFleet) -> Prepared:
        """Return the parts of a fleet's revision, made once for each commit."""
        key = (fleet.name, fleet.target)
        if key not in self.prepared:
            self.prepared[key] = prepare(fleet)
        return self.prepared[key]


@dataclass(slots=True)
class _Draft:
    """One fleet on its way into the plan."""

    item: Item
    ask: Ask | None = None
    small: World | None = None
    rows: tuple[Row, ...] = ()


def plan_target(goal: Goal, world: World, *, ahead: bool = True) -> TargetPlan:
    """Return the plan of one target. `ahead`: with the whole way of each rollout.

    The same goal and world give the same plan. What was not read is said, and nothing is planned on it.
    """
    index = Index.of(world)
    drafts = _fleets(goal, world, index)
    zone_plans = zones.plan_zones(goal.desired, goal.target.name, world, goal.zone_context())
    images = [_image(goal, world, i.name) for i in goal.desired.images if goal.target.name in i.spec.targets]
    intended = [*(d.item for d in drafts), *(z.item for z in zone_plans), *images]
    digest = limits.digest(intended)
    approved = digest in goal.limits.approved
    refusals = _refusals(goal, drafts, zone_plans)
    held = Allow() if approved else freeze.held(goal.freezes, world.as_of)
    if refusals and not approved:
        stop = Hold(code="limit", why=f"the plan is over a limit: {refusals[0].why}; approve digest {digest}")
        held = Allow(start=stop, retire=held.retire, records=stop, update=stop)
    items = [
        *_fleet_items(goal, drafts, held, ahead=ahead),
        *(zones.held(z, held.records) for z in zone_plans),
    ]
    unread = tuple(sorted({str(u) for u in _unread(world)}))
    drift = [r for d in drafts for r in _drift_rows(goal, d)] + [r for z in zone_plans for r in z.drift]
    return TargetPlan(
        target=goal.target.name,
        as_of=world.as_of,
        digest=digest,
        complete=not unread,
        items=tuple(sorted([*items, *images], key=lambda i: (i.kind, i.order, i.name))),
        drift=tuple(sorted(drift, key=lambda r: (r.kind, r.name, r.resource, r.field))),
        refusals=refusals,
        approved=approved,
        unread=unread,
        warnings=_warnings(goal, world),
    )


def _unread(world: World) -> Iterable[Unread]:
    for name in ("groups", "templates", "balancers", "target_groups", "rules", "subnets", "security_groups"):
        if isinstance(facts := getattr(world, name), Unread):
            yield facts
    for name in ("amis", "images", "health", "changes"):
        if isinstance(facts := getattr(world, name), Unread):
            yield facts
    for zone in world.zones:
        if isinstance(zone, ZoneProblem) and zone.unread:
            yield zone.unread


def _fleets(goal: Goal, world: World, index: Index) -> list[_Draft]:
    blind = next((u for u in (world.groups, world.templates) if isinstance(u, Unread)), None)
    wanted = [f for f in goal.desired.fleets if f.target == goal.target.name]
    if blind is not None:
        return [
            _Draft(_item(goal, f, ActionKind.UNREAD, blocked=Blocked(code="unread", why=str(blind))))
            for f in wanted
        ]
    live = fleets_of(world, goal.keeper)
    subnets = world.subnets if isinstance(world.subnets, tuple) else ()
    groups = world.security_groups if isinstance(world.security_groups, tuple) else ()
    place = Place(
        target=goal.target,
        keeper=goal.keeper,
        commit=goal.commit,
        network=Network.of(subnets, groups),
        zones=goal.desired.zones,
    )
    drafts = [_draft(goal, world, index, f, live.get(FleetName(f.name), ()), place) for f in wanted]
    names = {f.name for f in wanted}
    drafts += [
        _gone(goal, world, index, name, revisions)
        for name, revisions in sorted(live.items())
        if name not in names
    ]
    return drafts


def _item(goal: Goal, fleet: DesiredFleet, action: ActionKind, *, blocked: Blocked | None = None) -> Item:
    return Item(
        kind=KIND_FLEET,
        name=fleet.name,
        target=goal.target.name,
        action=action,
        blocked=blocked,
        order=fleet.spec.rollout.order,
        labels=fleet.metadata.labels,
    )


def _draft(
    goal: Goal, world: World, index: Index, fleet: DesiredFleet, revisions: tuple[Live, ...], place: Place
) -> _Draft:
    blank = _item(goal, fleet, ActionKind.NONE)
    if unread := _needed(world, fleet):
        blocked = Blocked(code="unread", why=str(unread))
        return _Draft(replace(blank, action=ActionKind.UNREAD, blocked=blocked))
    serving = _serving(goal, fleet, revisions, world)
    prepared = goal.prepare(fleet)
    ami, notes = _in_force(goal, world, fleet, serving)
    if isinstance(ami, Blocked):
        return _Draft(replace(blank, action=_blocked(ami), blocked=ami, notes=notes))
    want = resolve(fleet, prepared, ami, place)
    if isinstance(want, Blocked):
        return _Draft(replace(blank, action=ActionKind.BLOCKED, blocked=want, notes=notes))
    blank = replace(blank, notes=notes, to=want.revision, was=serving.revision if serving else "")
    if conflict := _conflict(goal, world, want, revisions):
        return _Draft(replace(blank, action=ActionKind.BLOCKED, blocked=conflict))
    ask = Ask(fleet=want.fleet, want=want, keeper=goal.keeper, allow=Allow())
    cut = small(world, revisions, want, index)
    s = view(cut, ask)
    return _classified(goal, fleet, _Draft(blank, ask, cut), s, want)


def _blocked(why: Blocked) -> ActionKind:
    return ActionKind.UNREAD if why.code == "unread" else ActionKind.BLOCKED


def _serving(goal: Goal, fleet: DesiredFleet, revisions: tuple[Live, ...], world: World) -> Live | None:
    del goal, fleet
    bare = Slice(
        fleet=FleetName(""),
        as_of=world.as_of,
        revisions=revisions,
        zones=(),
        rule=None,
        rules=(),
        health=(),
        changes=(),
        target_groups=(),
    )
    return machine.serving_of(None, bare) if revisions else None


def _needed(world: World, fleet: DesiredFleet) -> Unread | None:
    needed: list[object] = [world.subnets, world.security_groups]
    traffic = fleet.spec.traffic
    if traffic and (traffic.balancer or traffic.targetGroup):
        needed.append(world.target_groups)
    if traffic and traffic.balancer:
        needed.append(world.balancers)
    if traffic and traffic.listener:
        needed.append(world.rules)
    if traffic and traffic.dns:
        needed += [z.unread for z in world.zones if isinstance(z, ZoneProblem) and z.zone == traffic.dns.zone]
    return next((u for u in needed if isinstance(u, Unread)), None)


def _in_force(
    goal: Goal, world: World, fleet: DesiredFleet, serving: Live | None
) -> tuple[AmiId | Blocked, tuple[str, ...]]:
    """Return the AMI: the pin; else that of the serving revision; else what resolves now."""
    image = goal.desired.image(fleet.spec.image)
    if image is None:
        return Blocked(code="image", why=f"there is no image {fleet.spec.image}"), ()
    fixed = dict(image.spec.pin or image.spec.ami or ())
    pinned = fixed.get(fleet.target) or fixed.get("*")
    if pinned:
        return AmiId(pinned), ()
    resolved = None
    if isinstance(world.images, tuple):
        resolved = next((r for r in world.images if r.image == image.name), None)
    if serving and serving.template:
        newer = resolved.ami if resolved and resolved.ami != serving.template.image else None
        note = f"image {image.name} is unpinned: {serving.template.image} stays"
        return serving.template.image, (f"{note}; {newer} is newer: pin it to adopt it" if newer else note,)
    if isinstance(world.images, Unread):
        return Blocked(code="unread", why=str(world.images)), ()
    if resolved is None or resolved.ami is None:
        why = resolved.why if resolved else "it was not resolved"
        return Blocked(code="image", why=f"image {image.name} gives no AMI: {why}"), ()
    return resolved.ami, (f"image {image.name} is unpinned: {resolved.ami} is what it gives now",)


def _conflict(goal: Goal, world: World, want: Wanted, revisions: tuple[Live, ...]) -> Blocked | None:
    groups = world.groups if isinstance(world.groups, tuple) else ()
    for group in groups:
        if group.name == want.name and identity(group.tags, group.name, goal.keeper) is None:
            return Blocked(code="conflict", why=f"group {group.name} exists and is not ours")
    return _foreign_commit(goal, revisions)


def _foreign_commit(goal: Goal, revisions: tuple[Live, ...]) -> Blocked | None:
    for live in revisions:
        commit = live.identity.commit
        if commit != goal.commit and commit not in goal.ancestors:
            why = f"{live.name} is of commit {commit[:12]}, which is not an ancestor of {goal.commit[:12]}"
            return Blocked(code="commit", why=why)
    return None


def _classified(goal: Goal, fleet: DesiredFleet, draft: _Draft, s: Slice, want: Wanted) -> _Draft:
    assert draft.ask is not None  # noqa: S101 the caller has just made it
    move = next_move(s, draft.ask)
    found = beside(s, want)
    draft.rows = found.drifted
    live = s.live(want.revision)
    done = machine.shifted(want, s)
    serves = draft.item.was == want.revision
    if isinstance(move, Blocked):
        draft.item = replace(draft.item, action=ActionKind.BLOCKED, blocked=move)
    elif draft.item.was == "" or (serves and live and live.up and not live.up.tag("reconciler:applied")):
        draft.item = replace(draft.item, action=ActionKind.CREATE, because=goal.reasons.born(fleet))
    elif not serves:
        draft.item = replace(draft.item, action=ActionKind.REPLACE, because=_differs(goal, fleet, s, want))
    elif found.changed:
        because = goal.reasons.changed(fleet, found.changed)
        draft.item = replace(draft.item, action=ActionKind.UPDATE, because=because)
    elif move is not None and len(s.revisions) > 1 and not _only_tombstones(s, want):
        old = next(r for r in s.revisions if r.revision != want.revision)
        draft.item = replace(draft.item, action=ActionKind.REPLACE, was=old.revision)
    begun = live is not None and not (done and len(s.revisions) == 1)
    draft.item = replace(draft.item, begun=begun)
    return draft


def _only_tombstones(s: Slice, want: Wanted) -> bool:
    return all(
        r.template and r.template.failed and not r.group for r in s.revisions if r.revision != want.revision
    )


def _differs(goal: Goal, fleet: DesiredFleet, s: Slice, want: Wanted) -> tuple[Because, ...]:
    serving = machine.serving_of(want, s)
    old = serving.template if serving else None
    paths = parts_that_differ(tag(old.tags, PARTS) if old else "", tag(want.template.tags, PARTS))
    return goal.reasons.replaced(fleet, old, want, paths)


def _gone(goal: Goal, world: World, index: Index, name: FleetName, revisions: tuple[Live, ...]) -> _Draft:
    serving = max(revisions, key=lambda r: (r.weight or 0, r.identity.born))
    item = Item(
        kind=KIND_FLEET,
        name=name,
        target=goal.target.name,
        action=ActionKind.RETIRE,
        was=serving.revision,
        because=(Because(path="metadata.name", old=name, new="not in git"),),
        begun=any(r.stage and r.stage.stages == OUT for r in revisions) or not any(r.up for r in revisions),
    )
    blocked = _foreign_commit(goal, revisions)
    if blocked is None and any(protected(r) for r in revisions):
        why = f"{name} is protected: commit it again without metadata.protect, then take it out"
        blocked = Blocked(code="protected", why=why)
    if blocked is None and goal.pruning:
        blocked = Blocked(code=goal.pruning.code, why=goal.pruning.why)
    if blocked and not item.begun:
        return _Draft(replace(item, action=ActionKind.BLOCKED, blocked=blocked))
    ask = Ask(fleet=name, want=None, keeper=goal.keeper, allow=Allow())
    return _Draft(item, ask, small(world, revisions, None, index))


def _refusals(goal: Goal, drafts: list[_Draft], zone_plans: list[zones.ZonePlan]) -> tuple[Refusal, ...]:
    live = sum(bool(d.item.was) for d in drafts)
    going = [d.item.name for d in drafts if d.item.action is ActionKind.RETIRE and not d.item.begun]
    found = list(limits.retire_refusals(goal.target.name, goal.limits, going, live))
    for plan in zone_plans:
        found += zones.refusals(goal.target.name, plan, goal.limits)
    return tuple(found)


def _fleet_items(goal: Goal, drafts: list[_Draft], held: Allow, *, ahead: bool) -> list[Item]:
    running = sum(d.item.action is ActionKind.REPLACE and d.item.begun for d in drafts)
    items = []
    for draft in sorted(drafts, key=lambda d: (d.item.order, d.item.name)):
        item = draft.item
        waits = item.action is ActionKind.REPLACE and not item.begun
        if waits and running >= goal.limits.rollouts and held.start is None:
            why = f"{running} rollouts are under way; limits.rollouts is {goal.limits.rollouts}"
            items.append(replace(item, wait=Wait(why=why)))
            continue
        running += waits
        items.append(_ahead(draft, held, ahead=ahead))
    return items


def _ahead(draft: _Draft, held: Allow, *, ahead: bool) -> Item:
    item = draft.item
    if draft.ask is None or draft.small is None:
        return item
    hold = held.start if item.action is ActionKind.RETIRE and not item.begun else None
    if hold:
        return replace(item, action=ActionKind.BLOCKED, blocked=Blocked(code=hold.code, why=hold.why))
    if item.action is ActionKind.NONE and not draft.rows:
        return item
    found = way(draft.small, replace(draft.ask, allow=held), ahead=ahead)
    item = replace(item, now=found.now, wait=found.wait, steps=found.ahead)
    if found.blocked and not found.now:
        return replace(item, action=ActionKind.BLOCKED, blocked=found.blocked)
    stop = held.update
    if item.action is ActionKind.UPDATE and not found.now and stop:
        return replace(item, action=ActionKind.BLOCKED, blocked=Blocked(code=stop.code, why=stop.why))
    return item


def _drift_rows(goal: Goal, draft: _Draft) -> Iterable[Drift]:
    heals = bool(draft.ask and draft.ask.want and draft.ask.want.heal)
    for row in draft.rows:
        yield Drift(
            kind=KIND_FLEET,
            name=draft.item.name,
            target=goal.target.name,
            resource=row.resource,
            field=row.field,
            want=row.want,
            live=row.live,
            heals=heals,
        )


def _image(goal: Goal, world: World, name: str) -> Item:
    image = goal.desired.image(name)
    item = Item(kind=KIND_IMAGE, name=name, target=goal.target.name, action=ActionKind.NONE)
    if image is None:
        return item
    fixed = dict(image.spec.pin or image.spec.ami or ())
    pinned = fixed.get(goal.target.name) or fixed.get("*")
    if pinned:
        return replace(item, to=pinned)
    if isinstance(world.images, Unread):
        blocked = Blocked(code="unread", why=str(world.images))
        return replace(item, action=ActionKind.UNREAD, blocked=blocked)
    resolved = next((r for r in world.images if r.image == name), None)
    if resolved is None or resolved.ami is None:
        why = resolved.why if resolved else "it was not resolved"
        return replace(item, action=ActionKind.BLOCKED, blocked=Blocked(code="image", why=why))
    return replace(item, to=resolved.ami, notes=("unpinned",))


def _warnings(goal: Goal, world: World) -> tuple[str, ...]:
    held = freeze.held(goal.freezes, world.as_of)
    holds = ((what, getattr(held, what)) for what in ("start", "retire", "records"))
    frozen = [f"{what}: {hold.why}" for what, hold in holds if hold]
    lost = [f"zone {z.zone}: {z.why}" for z in world.zones if isinstance(z, ZoneProblem) and z.unread is None]
    return (*frozen, *lost)
