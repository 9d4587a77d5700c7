"""Each fleet of a target on its way into the plan: what it is to become, and what kind of change that is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.facts import APPLIED, PARTS, Unread, tag
from reconciler.core.ids import FleetName, Revision
from reconciler.core.quick import replace
from reconciler.kinds.register import Blocked, Move, World
from reconciler.plan import suspended
from reconciler.plan.barriers import conflict, foreign_commit, hidden, unread
from reconciler.plan.fleet import Ask, Index, beside, next_move, small, swept, view
from reconciler.plan.goal import Goal
from reconciler.plan.goes_back import goes_back, meanwhile
from reconciler.plan.images import in_force, is_fixed
from reconciler.plan.model import ActionKind, Because, Item, Suspension
from reconciler.plan.part import Row
from reconciler.plan.parts import CODES, code_of, in_place, parse_applied, parts_of, protected
from reconciler.plan.preflight import Ground, findings, lacks
from reconciler.plan.prepare import parts_that_differ
from reconciler.plan.resolve import Place
from reconciler.spec.desired import DesiredFleet
from reconciler.strategies import gates, machine
from reconciler.strategies.retire import leaves
from reconciler.strategies.slice import Live, Slice, bare, fleets_of
from reconciler.strategies.wanted import Allow, Hold, Wanted

KIND = "Fleet"


@dataclass(slots=True)
class Draft:
    """One fleet before limits and freezes are looked at."""

    item: Item
    ask: Ask | None = None
    small: World | None = None
    view: Slice | None = None  # of the small world
    move: Move = None  # what it would do if nothing held it
    rows: tuple[Row, ...] = ()
    live: bool = False  # it has a group
    shifted: bool = False  # all traffic is where git wants it
    suspended: Suspension | None = None
    lacks: Hold | None = None  # what its new revision can't be born without


def drafts_of(goal: Goal, world: World) -> list[Draft]:
    """Return a draft of every fleet that git has in this target, and of every live one that it has not."""
    blind = next((u for u in (world.groups, world.templates) if isinstance(u, Unread)), None)
    wanted = [f for f in goal.desired.fleets if f.target == goal.target.name]
    if blind is not None:
        blocked = Blocked(code="unread", why=str(blind))
        blank = [_item(goal, f, world.as_of) for f in wanted]
        return [Draft(replace(i, action=ActionKind.UNREAD, blocked=blocked)) for i in blank]
    index, live = Index.of(world), fleets_of(world, goal.keeper)
    place = Place(
        target=goal.target,
        keeper=goal.keeper,
        commit=goal.commit,
        network=goal.kept.network(
            world.subnets if isinstance(world.subnets, tuple) else (),
            world.security_groups if isinstance(world.security_groups, tuple) else (),
        ),
        zones=goal.desired.zones,
    )
    found = [_draft(goal, world, index, f, live.get(FleetName(f.name), ()), place) for f in wanted]
    names = {f.name: f for f in wanted}
    gone = [_gone(goal, world, index, n, revisions) for n, revisions in live.items() if n not in names]
    for draft in (*found, *gone):
        name = FleetName(draft.item.name)
        draft.live = any(r.up for r in live.get(name, ()))
        draft.suspended = suspended.of_fleet(goal, names.get(name), live.get(name, ()), world.as_of)
    return [*found, *gone]


def _item(goal: Goal, fleet: DesiredFleet, as_of: datetime) -> Item:
    return Item(
        kind=KIND,
        name=fleet.name,
        target=goal.target.name,
        action=ActionKind.NONE,
        order=fleet.spec.rollout.order,
        labels=fleet.metadata.labels,
        notes=tuple(suspended.over(fleet.metadata, as_of)),
    )


def _draft(
    goal: Goal, world: World, index: Index, fleet: DesiredFleet, revisions: tuple[Live, ...], place: Place
) -> Draft:
    blank = _item(goal, fleet, world.as_of)
    if lost := unread(world, fleet.spec.traffic, revisions):
        blocked = Blocked(code="unread", why=str(lost))
        return Draft(replace(blank, action=ActionKind.UNREAD, blocked=blocked))
    serving = machine.serving_of(None, bare(revisions, world.as_of)) if revisions else None
    blank = replace(blank, was=serving.revision if serving else "")
    ami, notes = in_force(goal, world, fleet, serving)
    blank = replace(blank, notes=(*blank.notes, *notes))
    if isinstance(ami, Blocked):
        action = ActionKind.UNREAD if ami.code == "unread" else ActionKind.BLOCKED
        return Draft(replace(blank, action=action, blocked=ami))
    want = goal.kept.wanted(fleet, ami, place)
    if isinstance(want, Blocked):
        return Draft(replace(blank, action=ActionKind.BLOCKED, blocked=want))
    if want.rule and want.rule.listener in world.missing_listeners:
        why = f"traffic.listener: there is no listener {want.rule.listener} in this account and region"
        return Draft(replace(blank, action=ActionKind.BLOCKED, blocked=Blocked(code="unresolved", why=why)))
    ask = Ask(fleet=want.fleet, want=want, keeper=goal.keeper, allow=Allow())
    draft = Draft(replace(blank, to=want.revision), ask, small(world, revisions, want, index))
    s = draft.view = view(draft.small or world, ask)
    if blocked_by := conflict(goal, index.names, want, s):
        ours = draft.small is not None and foreign_commit(goal, revisions) is None
        now = swept(draft.small, ask) if draft.small and ours else ()
        return Draft(replace(draft.item, action=ActionKind.BLOCKED, blocked=blocked_by, now=now))
    return _classified(goal, fleet, draft, s, want, _ground(goal, world, fleet))


def _ground(goal: Goal, world: World, fleet: DesiredFleet) -> Ground:
    image = goal.desired.image(fleet.spec.image)
    return Ground(
        subnets=world.subnets,
        amis=world.amis,
        fixed=image is not None and is_fixed(image, fleet.target),
        architecture=image.spec.architecture if image else "",
    )


def _classified(
    goal: Goal, fleet: DesiredFleet, draft: Draft, s: Slice, want: Wanted, ground: Ground
) -> Draft:
    item, live = draft.item, s.live(want.revision)
    found = beside(s, want)
    draft.rows, draft.shifted = found.drifted, machine.shifted(want, s)
    draft.move = move = next_move(s, draft.ask, found) if draft.ask else None
    others = [r for r in s.revisions if r.revision != want.revision and not _buried(r)]
    before = s.live(Revision(item.was)) if item.was else None
    if isinstance(move, Blocked):
        item = replace(item, action=ActionKind.BLOCKED, blocked=move)
        if before and item.was != want.revision:
            item = replace(item, because=_because(goal, fleet, s, before, want))
    elif before is None:
        item = replace(item, action=ActionKind.CREATE, because=goal.reasons.born(fleet))
    elif item.was != want.revision or others:
        old = before if item.was != want.revision else max(others, key=_served)
        item = replace(
            item,
            action=ActionKind.REPLACE,
            was=old.revision,
            because=_because(goal, fleet, s, old, want),
        )
    elif _newborn(before):
        item = replace(item, action=ActionKind.CREATE, was="", because=goal.reasons.born(fleet))
    elif found.changed:
        because = goal.reasons.changed(fleet, found.changed)
        item = replace(item, action=ActionKind.UPDATE, because=because)
    begun = live is not None and not _buried(live) and not (draft.shifted and not others)
    notes = (*item.notes, *_not_healed(want, draft.rows))
    draft.item = replace(item, begun=begun, shifted=draft.shifted, notes=notes)
    draft.lacks = lacks(want, live, ground)
    held = isinstance(move, Blocked) and move.code != "gate" and not begun
    if not draft.shifted and not held:
        told = (*draft.item.notes, *gates.notes(want, s), *findings(want, s, before, ground))
        stand = gates.judge(want, s, live) if live and live.up else ()
        draft.item = replace(draft.item, asks=gates.asks(want, s), notes=told, gates=stand)
        if before and before.up and item.was != want.revision:
            again = (*meanwhile(want, before), *told)
            draft.item = replace(draft.item, notes=again, rollout=tuple(goes_back(want, before)))
    return draft


def _not_healed(want: Wanted, rows: tuple[Row, ...]) -> Iterator[str]:
    """Say which drift healing can't end: no call of ours does, so a new revision or its owner has to."""
    left = [f"{r.resource} {r.path}" for r in rows if not r.mends]
    if want.heal and left:
        more = f" and {len(left) - 3} more" if len(left) > 3 else ""
        what = f"healing does not end the drift of {', '.join(left[:3])}{more}"
        yield f"{what}: a new revision does, or whoever made it"


def _buried(live: Live) -> bool:
    """Is this a tombstone and nothing else."""
    return bool(live.group is None and live.template and live.template.failed)


def _served(live: Live) -> tuple[bool, int]:
    return (bool(live.idle or (live.stage and live.stage.step >= 1)), live.identity.born)


def _newborn(live: Live) -> bool:
    """Has the first revision of a fleet not been given its own sizes yet: that comes last."""
    return bool(live.up and live.lease is None and CODES["min"] not in parse_applied(live.up.tag(APPLIED)))


def _because(goal: Goal, fleet: DesiredFleet, s: Slice, old: Live, want: Wanted) -> tuple[Because, ...]:
    """What git changed of the revision, and beside it. No live sizes: the floor of a rollout moves them."""
    template = old.template
    paths = parts_that_differ(tag(template.tags, PARTS) if template else "", tag(want.template.tags, PARTS))
    because = goal.reasons.replaced(fleet, template, want, paths)
    if old.up is None or old.revision == want.revision:
        return because
    applied = parse_applied(old.up.tag(APPLIED))
    changed = in_place(want, parts_of(want, s, old, alone=True), old.up).changed
    told = tuple(replace(p, rows=()) for p in changed if code_of(p) in applied)
    return because + goal.reasons.changed(fleet, told)


def _gone(goal: Goal, world: World, index: Index, name: FleetName, revisions: tuple[Live, ...]) -> Draft:
    serving = max(revisions, key=lambda r: (r.weight or 0, r.identity.born))
    item = Item(
        kind=KIND,
        name=name,
        target=goal.target.name,
        action=ActionKind.RETIRE,
        was=serving.revision,
        because=(Because(path="metadata.name", old=name, new="not in git"),),
        begun=any(leaves(r) for r in revisions) or not any(r.up for r in revisions),
    )
    if lost := hidden(world, revisions):
        action = ActionKind.UNREAD if lost.code == "unread" else ActionKind.BLOCKED
        return Draft(replace(item, action=action, blocked=lost))
    blocked = foreign_commit(goal, revisions)
    if blocked is None and any(protected(r) for r in revisions):
        why = f"{name} is protected: commit it again without metadata.protect, then take it out"
        blocked = Blocked(code="protected", why=why)
    if blocked is None and goal.pruning:
        blocked = Blocked(code=goal.pruning.code, why=goal.pruning.why)
    if blocked and not item.begun:
        return Draft(replace(item, action=ActionKind.BLOCKED, blocked=blocked))
    ask = Ask(fleet=name, want=None, keeper=goal.keeper, allow=Allow())
    cut = small(world, revisions, None, index)
    s = view(cut, ask)
    return Draft(item, ask, cut, s, next_move(s, ask))
