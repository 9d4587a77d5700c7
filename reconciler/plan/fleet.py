"""One fleet in one target: what is safe now, the whole way ahead, and its drift."""

from dataclasses import dataclass
from datetime import timedelta

from reconciler.core.facts import HAND, TRAFFIC, Keeper, Read, T
from reconciler.core.ids import FleetName, ZoneName
from reconciler.core.quick import quick, replace
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import ReplaceInstance, TagGroup
from reconciler.kinds.record.after import BatchRefusedError
from reconciler.kinds.record.live import LiveZone
from reconciler.kinds.record.steps import ChangeRecords
from reconciler.kinds.record.want import RecordSet
from reconciler.kinds.register import Blocked, Move, Step, Wait, World
from reconciler.plan import drift
from reconciler.plan.barriers import Names, names_of
from reconciler.plan.model import PlannedStep
from reconciler.plan.parts import InPlace, in_force, in_place, parts_of
from reconciler.plan.settle import USUAL, Physics
from reconciler.plan.simulate import simulate
from reconciler.plan.surge import Meter, Surge
from reconciler.plan.told import foreseen, planned, quiet
from reconciler.strategies import gates, machine, retire, sweep
from reconciler.strategies.back import going_back
from reconciler.strategies.born import place_of
from reconciler.strategies.hand import Hand, Verb
from reconciler.strategies.slice import Live, Slice, fleets_of, slice_of
from reconciler.strategies.staged import PAUSE
from reconciler.strategies.wanted import Allow, Hold, Wanted

MOST_NOW = 60  # writes of one fleet in one pass; more is a fault of ours, not a rollout
MOST_AHEAD = 200  # moves of a preview


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What a fleet does: now, and to the end."""

    now: tuple[Step, ...]
    wait: Wait | None
    blocked: Blocked | None
    ahead: tuple[PlannedStep, ...]
    surge: Surge | None = None  # of the way ahead
    swept: tuple[Step, ...] = ()  # done now beside: floors that ended with nobody to end them


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One fleet to plan: what is wanted of it, or None when git no longer has it."""

    fleet: FleetName
    want: Wanted | None
    keeper: Keeper
    allow: Allow
    suspended: Blocked | None = None  # nothing but going back
    closed: tuple[tuple[ZoneName, Blocked], ...] = ()  # suspended zones: no record but to go back


@dataclass(frozen=True, slots=True)
class Index:
    """What a fleet's small world is cut from, looked up instead of searched."""

    records: dict[tuple[ZoneName, str], list[RecordSet]]
    names: Names

    @staticmethod
    def of(world: World) -> "Index":
        """Index the records of every zone that was read, and what has a name."""
        found: dict[tuple[ZoneName, str], list[RecordSet]] = {}
        for zone in world.zones:
            if isinstance(zone, LiveZone):
                for record in zone.records:
                    found.setdefault((zone.zone, record.name), []).append(record)
        return Index(found, names_of(world))


def small(world: World, revisions: tuple[Live, ...], want: Wanted | None, index: Index) -> World:
    """Return the world with nothing in it but one fleet's things, so that simulating it is cheap."""
    own = {r.target_group.arn for r in revisions if r.target_group}
    key = (want.rule.listener, want.rule.priority) if want and want.rule else None
    names = {rec.name for r in revisions for rec in r.records}
    if want and want.dns:
        names.add(want.dns.name)
    zones = tuple(
        replace(z, records=tuple(r for n in sorted(names) for r in index.records.get((z.zone, n), ())))
        for z in world.zones
        if isinstance(z, LiveZone)
    )
    rules = tuple(
        r
        for r in _tuple(world.rules)
        if (r.listener, r.priority) == key or any(a in own for a, _ in r.weights)
    )
    return replace(
        world,
        groups=tuple(r.group for r in revisions if r.group),
        templates=tuple(r.template for r in revisions if r.template),
        balancers=tuple(r.balancer for r in revisions if r.balancer),
        target_groups=tuple(r.target_group for r in revisions if r.target_group),
        rules=rules,
        zones=zones,
        subnets=(),
        security_groups=(),
        amis=(),
        images=(),
    )


def _tuple(facts: Read[T]) -> tuple[T, ...]:
    return facts if isinstance(facts, tuple) else ()


def view(world: World, ask: Ask, before: Slice | None = None) -> Slice:
    """Return the fleet's slice of a small world; `before` is the one before the last move, if any."""
    revisions = fleets_of(world, ask.keeper, before.revisions if before else ()).get(ask.fleet, ())
    rule = ask.want.rule if ask.want else None
    return slice_of(world, ask.fleet, revisions, (rule.listener, rule.priority) if rule else None)


def next_move(s: Slice, ask: Ask, found: InPlace | None = None) -> Move:
    """Return the next move of a fleet: its rollout first, then what changes beside the revision.

    `found` is what `beside` says of this slice, where the caller has asked already.
    """
    if ask.suspended:
        return (going_back(ask.want, s, ask.allow) if ask.want else None) or ask.suspended
    move = _next_move(s, ask, found)
    shut = dict(ask.closed).get(move.zone) if isinstance(move, ChangeRecords) else None
    return shut if shut and not (ask.want and going_back(ask.want, s, ask.allow) == move) else move


def _next_move(s: Slice, ask: Ask, found: InPlace | None) -> Move:
    if ask.want is None:
        return retire.remove(s)
    move = machine.next_move(ask.want, s, ask.allow)
    if move is not None and not isinstance(move, Wait | Blocked):
        return move
    if ask.allow.update:
        return move
    found = found or _changes(s, ask.want)
    held = isinstance(found.step, ReplaceInstance) and ask.allow.start  # a freeze holds such healing
    return found.step if found.step and not held else move or found.wait


def beside(s: Slice, want: Wanted) -> InPlace:
    """Return what changes beside the revision, and all drift of the revision that serves."""
    live = s.live(want.revision)
    if live is None or live.up is None or (live.template and live.template.failed):
        return InPlace(step=None, changed=(), drifted=())
    alone = machine.shifted(want, s)
    found = in_place(want, parts_of(want, s, live, alone=alone), live.up)
    if not alone:
        return InPlace(step=found.step, changed=found.changed, drifted=(), wait=found.wait)
    odd = drift.golden(want, s, live)
    rows = tuple(row if part.step else replace(row, mends=False) for part in odd for row in part.rows)
    heals = next((p.step(p) for p in odd if p.step), None) if want.heal else None
    step = found.step or heals or (None if found.changed else _placed(want, live.up))
    return InPlace(step=step, changed=found.changed, drifted=(*found.drifted, *rows), wait=found.wait)


def _changes(s: Slice, want: Wanted) -> InPlace:
    """Return what is to be done beside the revision. Drift is looked at only where it is healed."""
    live = s.live(want.revision)
    if live is None or live.up is None or want.heal:
        return beside(s, want)
    alone = machine.shifted(want, s)
    if not in_force(want, live, alone=alone):
        return beside(s, want)
    return InPlace(step=_placed(want, live.up) if alone else None, changed=(), drifted=())


def _placed(want: Wanted, group: LiveGroup) -> TagGroup | None:
    """Remember where the traffic of a fleet is, once that has moved beside its revision."""
    place = place_of(want)
    if not place or group.tag(TRAFFIC) == place:
        return None
    return TagGroup(name=group.name, put=((TRAFFIC, place),), because="its traffic has moved")


def way(
    world: World, ask: Ask, physics: Physics = USUAL, *, ahead: bool = True, seen: Slice | None = None
) -> Way:
    """Return what is safe now and, by simulating to the end, the whole way of a fleet.

    `world` is a small one, and `seen` its view, where the caller has it. Ends with the plan's own answer:
    converged, waiting, or blocked.
    """
    start, now = world, list[Step]()
    move: Move = None
    s = seen or view(world, ask)
    for _ in range(MOST_NOW):
        move = next_move(s, ask)
        if move is None or isinstance(move, Wait | Blocked):
            break
        now.append(move)
        after = _after(world, move, physics)
        if after == world:
            break  # AWS would refuse it, or it is done: the next pass looks again
        world, s = after, view(after, ask, s)
    gone = swept(world, ask) if sweep.sweeps(move) and not ask.suspended else ()
    if now:
        move = foreseen(move)
    wait = move if isinstance(move, Wait) else None
    blocked = move if isinstance(move, Blocked) else None
    last = len(ask.want.rollout.stages) if ask.want else 1
    steps = [planned(step, "now", None, last) for step in (*now, *gone) if not quiet(step)]
    held = blocked is not None and (
        blocked == ask.suspended or blocked.code in ("gate", PAUSE) or _held(blocked, ask.allow.start)
    )
    meter = Meter.of(start, world)
    if ahead and (now or wait or held):
        steps += _preview(world, ask, physics, wait, meter, s)
    return Way(
        now=tuple(now), wait=wait, blocked=blocked, ahead=_tidy(steps), surge=meter.surge(), swept=gone
    )


def swept(world: World, ask: Ask) -> tuple[Step, ...]:
    """Return the writes that end the expired floors of a fleet; `world` is a small one."""
    found: list[Step] = []
    while step := sweep.expired(ask.want, view(world, ask)):
        found.append(step)
        after = _after(world, step)
        if after == world:
            break  # AWS would refuse it: the next pass looks again
        world = after
    return tuple(found)


def _held(blocked: Blocked, start: Hold | None) -> bool:
    return start is not None and blocked.why == start.why


def _after(world: World, move: Move, physics: Physics = USUAL) -> World:
    try:
        return simulate(world, move, physics)
    except BatchRefusedError:
        return world  # AWS will say so; the pass after it plans from what is there then


def _preview(
    world: World, ask: Ask, physics: Physics, wait: Wait | None, meter: Meter, s: Slice
) -> list[PlannedStep]:
    want = gates.ungated(ask.want) if ask.want else None  # the way as it is if its gates hold
    free = replace(ask, want=want, allow=Allow(), suspended=None, closed=())
    physics = _checked(physics, want)
    if world.launches:  # and if what failed to launch is launched
        world = replace(world, launches=())
        s = view(world, free, s)
    last = len(want.rollout.stages) if want else 1
    steps: list[PlannedStep] = []
    move: Move = wait or foreseen(next_move(s, free))
    for _ in range(MOST_AHEAD):
        if move is None:
            break
        if isinstance(move, Blocked) and want and (said := _promoted(move, s, want)):
            steps.append(PlannedStep(op=PAUSE, name=ask.fleet, when="later", at=world.as_of, why=move.why))
            move = said
        if isinstance(move, Blocked):
            steps.append(PlannedStep(op="blocked", name=ask.fleet, when="later", why=move.why))
            break
        if isinstance(move, Wait) or not quiet(move):
            steps.append(planned(move, "later", world.as_of, last))
        moved = _after(world, move, physics)
        if moved == world:
            break
        meter.pass_to(moved)
        world, s = moved, view(moved, free, s)
        move = foreseen(next_move(s, free))
    return steps


def _checked(physics: Physics, want: Wanted | None) -> Physics:
    """Return the delays of a world in which targets pass as many checks as git asks for."""
    own = want.target_group if want else None
    if own is None:
        return physics
    checks = timedelta(seconds=own.check.interval * own.check.healthy)
    return replace(physics, healthy=max(physics.healthy, checks))


def _promoted(blocked: Blocked, s: Slice, want: Wanted) -> TagGroup | None:
    """Return what a person is foreseen to say of a rollout that pauses."""
    new = s.live(want.revision)
    if blocked.code != PAUSE or new is None or new.stage is None:
        return None
    word = Hand(verb=Verb.PROMOTE, since=s.as_of, text=str(new.stage.step)).value()
    return TagGroup(name=new.name, put=((HAND, word),), because="somebody lets it go on")


def _tidy(steps: list[PlannedStep]) -> tuple[PlannedStep, ...]:
    """Leave out waits that begin with another wait, or go on with it: a person reads this."""
    kept: list[PlannedStep] = []
    for step in steps:
        waited = kept[-1] if kept and kept[-1].op == "wait" else None
        if step.op == "wait" and waited and (waited.at == step.at or waited.why == step.why):
            continue
        kept.append(step)
    return tuple(kept)
