"""ARCHITECTURE's invariants, checked on every write of a simulated world."""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from reconciler.core.facts import FAILED, FLEET, IDLE, STAGE
from reconciler.kinds.balancer.steps import CreateRule, DeleteBalancer, DeleteRule, DeleteTargetGroup
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import CreateGroup, DeleteGroup, SetSizes
from reconciler.kinds.record.after import BatchRefusedError
from reconciler.kinds.record.live import INSYNC, LiveZone
from reconciler.kinds.record.steps import ChangeRecords
from reconciler.kinds.register import Step, World
from reconciler.kinds.template.steps import DeleteTemplate, TagTemplate
from reconciler.plan.simulate import do
from reconciler.strategies import machine, recreate, rolling
from reconciler.strategies.retire import LEAVING, LEFT, OUT, TOMBSTONES
from reconciler.strategies.slice import NOTHING, RETURNS, Live, parse_stage
from reconciler.strategies.wanted import ALIAS_TTL, TrafficKind, Wanted
from tests.worlds import SHARED, sliced, wanted

WEIGHTED: Final = (TrafficKind.DNS, TrafficKind.LISTENER)
ENDS: Final = (OUT, LEFT, LEAVING)
MOST_WEIGHED, MOST_LIVE = 2, 3  # CONTRACT, Rollout words


@dataclass
class Memory:
    """What the test remembers that the product must not need to."""

    at: int = 1  # which revision is wanted
    newest: int = 1
    left: dict[str, datetime] = field(default_factory=dict)  # name -> when its weight was 0 everywhere
    leaving: dict[str, str] = field(default_factory=dict)  # name -> the change that takes its weight
    failed: dict[str, str] = field(default_factory=dict)  # name -> the spec that failed
    works: set[str] = field(default_factory=set)  # names of what works, where no traffic tells it
    stale: dict[str, World] = field(default_factory=dict)  # a kind of facts -> what the pass saw instead
    crossed: bool = False  # two daemons write at once: neither sees what the other one wrote

    def forget(self) -> None:
        """The tag that named a change is lost: nobody can ask whether it is in sync."""
        self.leaving = dict.fromkeys(self.leaving, "")

    def eyes(self, world: World) -> World:
        """How the world looked to who writes: what was not true any more, nobody could know."""
        return replace(world, **{kind: getattr(seen, kind) for kind, seen in self.stale.items()})

    def wrote(self, step: Step) -> None:
        """Who writes knows of its own writes."""
        self.stale = self._with(step)

    def expects(self, after: World, step: Step) -> World:
        """How the world looks to who wrote this, once it is done."""
        return replace(after, **{kind: getattr(seen, kind) for kind, seen in self._with(step).items()})

    def _with(self, step: Step) -> dict[str, World]:
        found = dict(self.stale)
        for kind, seen in self.stale.items():
            with suppress(BatchRefusedError):
                found[kind] = do(seen, step)[0]
        return found

    def look(self, before: World, after: World) -> None:
        """Note what time did: a change that is in sync now has taken clients away from now on."""
        done = {c.id for c in after.changes if c.status == INSYNC} - {
            c.id for c in before.changes if c.status == INSYNC
        }
        for name, change in self.leaving.items():
            if change in done:
                self.left[name] = after.as_of


def weights_of(world: World) -> dict[str, int]:
    """Weight of each revision in DNS or in the rule; of several records of one, the largest."""
    found: dict[str, int] = {}
    for zone in world.zones:
        for r in zone.records if isinstance(zone, LiveZone) else ():
            if r.identifier.startswith("prod."):
                name = r.identifier.removeprefix("prod.")
                found[name] = max(found.get(name, 0), r.weight or 0)
    names = {t.arn: t.name for t in world.target_groups}
    for rule in world.rules:
        found |= {names.get(arn, arn): w for arn, w in rule.weights}
    return found


def reweighed(world: World, weights: dict[str, int]) -> World:
    """The world with other weights of some revisions."""
    zones = tuple(
        replace(
            z,
            records=tuple(
                replace(r, weight=weights.get(r.identifier.removeprefix("prod."), r.weight))
                for r in z.records
            ),
        )
        if isinstance(z, LiveZone)
        else z
        for z in world.zones
    )
    names = {t.arn: t.name for t in world.target_groups}
    rules = tuple(
        replace(r, weights=tuple((a, weights.get(names.get(a, ""), w)) for a, w in r.weights))
        for r in world.rules
    )
    return replace(world, zones=zones, rules=rules)


def live_of(world: World, name: str) -> Live | None:
    """One revision by its name."""
    return next((r for r in sliced(world, wanted(1)).revisions if r.name == name), None)


def ready(world: World, want: Wanted, group: LiveGroup | None) -> int:
    """Count instances of a group that could serve now."""
    if group is None or group.deleting:
        return 0
    own = frozenset(i.id for i in group.instances if i.in_service)
    places: list[str] = []
    if want.kind in WEIGHTED:
        places = [t.arn for t in world.target_groups if t.name == group.name]
        if not places:
            return 0
    elif want.kind is TrafficKind.ATTACH:
        places = [SHARED, *want.group.attach_classic]
        if not {*places} <= {*group.target_groups, *group.classic}:
            return 0
    healthy = [sum(h.healthy(own) for h in world.health if h.group == p) for p in places]
    return min([len(own), group.sizes.desired, *healthy])


def _sent_back(before: World, after: World, want: Wanted) -> str:
    """Return the wanted revision where it loses all its traffic: it is bad, and what it serves has no say."""
    was, now = weights_of(before).get(want.name), weights_of(after).get(want.name)
    return want.name if was and not now else ""


def capacity(world: World, want: Wanted, works: set[str], without: str = "") -> int:
    """Count the instances that serve, of all revisions together."""
    weights = weights_of(world)
    groups = [g for g in world.groups if g.tag(FLEET) == want.fleet and g.name != without]
    if want.kind is TrafficKind.NONE:
        working = [g for g in groups if _works(g) or g.name in works]  # of a reopened one, none goes home
        takes_over = bool(working) and want.rollout.strategy == rolling.NAME  # batch for batch
        groups = [
            g for g in groups if g in working or (takes_over and g.name == want.name and not _returns(g))
        ]
    return sum(ready(world, want, g) for g in groups if want.kind not in WEIGHTED or weights.get(g.name))


def _returns(group: LiveGroup) -> bool:
    """Is this one kept and wanted again: it takes over at once, and not batch for batch."""
    stage = parse_stage(group.tag(STAGE))
    return stage is not None and stage.stages == RETURNS


def _works(group: LiveGroup) -> bool:
    """Does a group without traffic to move work: what still gets ready serves nobody."""
    stage = parse_stage(group.tag(STAGE))
    return stage is None or stage.step >= 1 or stage.stages in ENDS


def check_write(
    before: World, after: World, step: Step, change: str, want: Wanted | None, memory: Memory
) -> None:
    """Check one write that took effect."""
    if after == before:
        return
    _check_weights(before, after, step, change, want, memory)
    _check_destruction(before, step, want, memory)
    if want is not None and want.rollout.strategy != recreate.NAME:
        _check_capacity(before, after, step, want, memory)
    match step:
        case CreateGroup():
            if want and want.rollout.strategy == recreate.NAME:
                others = [
                    g for g in memory.eyes(before).groups if g.tag(FLEET) == "web" and g.name != step.name
                ]
                assert all(g.sizes == NOTHING and not g.instances for g in others), "two revisions run"
            assert sum(g.tag(FLEET) == "web" for g in after.groups) <= MOST_LIVE
            assert memory.failed.get(step.name) is None, f"{step.name} failed, and is tried again"
        case TagTemplate() if dict(step.put).get(FAILED):
            memory.failed[step.name] = dict(step.put)[FAILED].partition(";")[0]
        case DeleteTemplate():
            memory.failed.pop(step.name, None)
        case TagTemplate() if FAILED in step.drop:
            failed = memory.failed.pop(step.name, None)  # of two daemons at once, the other one's too
            assert want is None or memory.crossed or failed != want.spec_hash
        case _:
            pass


def _check_weights(
    before: World, after: World, step: Step, change: str, want: Wanted | None, memory: Memory
) -> None:
    was, now = weights_of(before), weights_of(after)
    if now == was:
        return
    assert sum(w > 0 for w in now.values()) <= MOST_WEIGHED
    if now:
        assert sum(now.values()) > 0, f"all weights are zero after {step}"
    elif was and want is not None:
        assert isinstance(step, DeleteRule | ChangeRecords)
        assert not sum(was.values()) or _failed(before, [n for n, w in was.items() if w])
    for name, weight in now.items():
        live = live_of(before, name)
        assert live, f"{name} has weight and does not exist"
        if weight > was.get(name, 0):
            memory.left.pop(name, None)
            memory.leaving.pop(name, None)
            assert want
            if want.rollout.strategy != recreate.NAME:
                _check_ready(memory.eyes(before), live, was, step, want)
    for name in [n for n, w in was.items() if w and not now.get(n)]:
        memory.left[name] = after.as_of
        memory.leaving[name] = change


def _failed(world: World, names: list[str]) -> bool:
    return all(t.failed for t in world.templates if t.name in names)


def _check_ready(before: World, live: Live, was: dict[str, int], step: Step, want: Wanted) -> None:
    """Serving share is never above ready capacity share: who gets traffic can carry what is served now."""
    serving = {g.name: g for g in before.groups if was.get(g.name)}
    up = next((g for g in before.groups if g.name == live.name), None)  # as whoever writes saw it
    if not serving:
        if isinstance(step, CreateRule):  # its targets are checked only once the rule is there
            assert up
            assert up.in_service >= min(want.capacity.desired, up.sizes.desired)
            return
        assert ready(before, want, up) >= min(want.capacity.min, want.capacity.desired)
        return
    have = ready(before, want, up)
    need = max(want.capacity.min, *(g.sizes.desired for g in serving.values()))
    best = max(ready(before, want, g) for g in serving.values())
    if live.name == want.name and best >= 1:
        assert have >= min(need, best), f"{live.name} got traffic with {have} of {need} ready"
    assert have >= min(need, best), f"{live.name} got traffic back with {have} of {need} ready, {best} serve"


def _check_capacity(before: World, after: World, step: Step, want: Wanted, memory: Memory) -> None:
    """What serves never falls below what git asks for because of us."""
    memory.works = {
        g.name for g in before.groups if g.sizes != NOTHING and (_works(g) or g.name in memory.works)
    }
    asked = want.capacity.min  # more than that a person or the autoscaler may have taken away
    gone = _sent_back(before, after, want)
    worlds = (before, after, memory.expects(after, step))
    was, now, foreseen = (capacity(w, want, memory.works, gone) for w in worlds)
    now = max(now, foreseen)  # what died since was not taken away by us
    others = [g for g in before.groups if g.tag(FLEET) == want.fleet and g.name != step.name]
    alone = all(g.tag(IDLE) or g.deleting or g.sizes == NOTHING for g in others)
    given_up = alone and _failed(before, [step.name])  # it missed its deadline, with nothing to go back to
    if now < was and not isinstance(step, DeleteRule) and not given_up:
        assert now >= min(was, asked), f"{was} served, and {now} do after {step}"


def _check_destruction(before: World, step: Step, want: Wanted | None, memory: Memory) -> None:
    """Nothing is deleted that has weight, traffic, or clients that have not left."""
    weights = weights_of(before)
    live = live_of(before, str(step.name))
    match step:
        case SetSizes() if step.sizes == NOTHING and want and want.rollout.strategy == recreate.NAME:
            pass  # the old one goes first, with its traffic: the plan says so
        case SetSizes() if step.sizes == NOTHING:
            assert not weights.get(step.name), f"{step.name} goes to 0 with weight"
            _check_left(before, step.name, memory)
        case DeleteGroup():
            assert live
            assert live.group
            assert live.group.sizes == NOTHING
            assert not live.group.instances
        case DeleteBalancer() | DeleteTargetGroup():
            assert live
            assert live.group is None, f"{step.op} while its group is there"
            assert not live.records
            assert not weights.get(step.name)
        case DeleteTemplate():
            assert live
            assert (live.group, live.balancer, live.target_group) == (None, None, None)
        case _:
            pass


def _check_left(before: World, name: str, memory: Memory) -> None:
    if name not in memory.left:
        return
    status = {c.id: c.status for c in before.changes}
    change = memory.leaving.get(name, "")
    assert not change or status.get(change) == INSYNC, f"{name} goes before its change is in sync"
    drain = timedelta(seconds=60) + (ALIAS_TTL if change else timedelta())
    assert before.as_of >= memory.left[name] + drain, f"{name} goes before its clients are gone"


def check_rest(world: World, want: Wanted | None, memory: Memory) -> None:
    """Check what holds whenever there is nothing more to write."""
    assert sum(bool(t.failed) and not _has_group(world, t.name) for t in world.templates) <= TOMBSTONES
    if want is None:
        return
    s = sliced(world, want)
    serving, new = machine.serving_of(want, s), s.live(want.revision)
    if serving is None or not serving.up or new is None or not new.up or new.template.failed:
        return
    if want.rollout.moves_capacity:
        return
    if new.revision != serving.revision and new.stage and new.stage.step == 0 and not new.idle:
        for live in (serving, new):
            _check_floor(live, max(want.capacity.min, serving.up.sizes.desired))
    if new.revision == serving.revision and machine.shifted(want, s) and want.kind in WEIGHTED:
        for old in s.revisions:
            if old.up and old.idle and world.as_of < old.idle + want.rollout.keep_old:
                _check_floor(old, new.up.sizes.desired)


def _check_floor(live: Live, least: int) -> None:
    assert live.up.sizes.min >= least, f"{live.name} is below the floor of {least}: {live.up.sizes}"
    assert live.lease, f"{live.name} has a floor without a lease"


def _has_group(world: World, name: str) -> bool:
    return any(g.name == name for g in world.groups)


def check_converged(world: World, want: Wanted | None) -> None:
    """The end: one revision, whole and alone; or nothing."""
    names = {want.name} if want else set()
    assert {g.name for g in world.groups} == names
    assert {b.name for b in world.balancers} <= names
    assert {t.name for t in world.target_groups} <= names
    assert all(t.name in names or t.failed for t in world.templates)
    assert set(weights_of(world)) <= names
    if want is None:
        assert not world.templates
        return
    live = live_of(world, want.name)
    assert live
    assert live.up
    assert live.lease is None
    assert live.idle is None
    assert ready(world, want, live.up) >= min(want.capacity.min, live.up.sizes.desired)
    assert bool(weights_of(world).get(want.name)) == (want.kind in WEIGHTED)
    assert len(live.records) == (len(want.dns.types) if want.dns else 0)
