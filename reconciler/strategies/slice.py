"""One fleet's slice of the World: its revisions, and what each carries."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from reconciler.core.facts import HAND, IDLE, LEASE, STAGE, Identity, Keeper, Read, identity
from reconciler.core.ids import Arn, FleetName, InstanceId, ResourceName, Revision, digits
from reconciler.core.lazy import lazy
from reconciler.core.quick import quick
from reconciler.kinds.activity.live import LaunchFailure
from reconciler.kinds.alarm.live import LiveAlarm
from reconciler.kinds.balancer.live import LiveBalancer, LiveRule, LiveTargetGroup, TargetHealth
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.instance.live import LiveInstance
from reconciler.kinds.metric.live import Measured
from reconciler.kinds.probe.live import Probed
from reconciler.kinds.record.live import LiveChange, LiveZone
from reconciler.kinds.record.want import RecordSet
from reconciler.kinds.register import World
from reconciler.kinds.template.live import LiveTemplate
from reconciler.strategies.hand import Hand, Verb, parse_hand
from reconciler.strategies.wanted import TrafficKind, identifier

NOTHING: Final = Sizes(min=0, max=0, desired=0)
FULL: Final = 1_000_000  # the step of a revision that has all traffic: beyond any list of stages
RETURNS: Final = "returns"  # stands for the stages of a kept revision that git goes back to
ALL: Final = "full"  # as it stands in the tag


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class StageTag:
    """`reconciler:stage`: `step/hash-of-stages;change-id;epoch`, on the new group."""

    step: int  # 0: getting ready; n: what stage n moves was moved; FULL: it has all traffic
    stages: str
    change: str  # change id while its batch is not in sync; "" then
    since: datetime

    @property
    def full(self) -> bool:
        """Did it get all traffic."""
        return self.step == FULL

    @property
    def head(self) -> str:
        """What a write that moves traffic remembers of it: the rest is known only once that is done."""
        return f"{ALL if self.full else self.step}/{self.stages}"

    def text(self) -> str:
        """The tag's value."""
        return f"{self.head};{self.change or '-'};{int(self.since.timestamp())}"


@lru_cache(maxsize=1024)
def parse_stage(value: str) -> StageTag | None:
    """Return what the tag says, or None if it is not there or was garbled. Asked for at every turn."""
    head, _, rest = value.partition(";")
    change, _, epoch = rest.partition(";")
    step, _, stages = head.partition("/")
    if not ((step.isdigit() or step == ALL) and epoch.isdigit()):
        return None
    return StageTag(
        step=FULL if step == ALL else int(step),
        stages=stages,
        change="" if change == "-" else change,
        since=at(epoch),
    )


def at(epoch: str | int) -> datetime:
    """Return the time that a tag holds as seconds since 1970."""
    return datetime.fromtimestamp(int(epoch), UTC)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """`reconciler:lease`: `min;until`: the floor of a group that may have to carry all traffic."""

    least: int
    until: datetime

    def text(self) -> str:
        """The tag's value."""
        return f"{self.least};{int(self.until.timestamp())}"


class Found(NamedTuple):
    """What has one name: a group, its launch template, and what stands around them."""

    group: LiveGroup | None
    template: LiveTemplate | None
    target_group: LiveTargetGroup | None
    balancer: LiveBalancer | None
    records: tuple[RecordSet, ...]
    rule_weight: int | None


@quick
@dataclass(frozen=True, kw_only=True)
class Live:
    """One live revision of a fleet: whatever of it exists.

    What its tags say is read once: each move asks for it a dozen times.
    """

    revision: Revision
    name: ResourceName
    identity: Identity
    group: LiveGroup | None
    template: LiveTemplate | None
    target_group: LiveTargetGroup | None
    balancer: LiveBalancer | None
    records: tuple[RecordSet, ...]
    rule_weight: int | None

    def same(self, found: Found) -> bool:
        """Is it made of the very things that were found: then all that was read of them holds."""
        return (
            self.group is found.group
            and self.template is found.template
            and self.target_group is found.target_group
            and self.balancer is found.balancer
            and self.rule_weight == found.rule_weight
            and self.records == found.records
        )

    @lazy
    def up(self) -> LiveGroup | None:
        """The group, unless it is being deleted: gone for planning, present for naming."""
        return None if self.group is None or self.group.deleting else self.group

    @lazy
    def stage(self) -> StageTag | None:
        """What the group remembers of its rollout."""
        return parse_stage(self.group.tag(STAGE)) if self.group else None

    @lazy
    def idle(self) -> datetime | None:
        """Since when traffic is shifted away from it."""
        value = self.group.tag(IDLE) if self.group else ""
        return at(value) if value.isdigit() else None

    @lazy
    def lease(self) -> Lease | None:
        """The floor that it holds."""
        least, _, until = (self.group.tag(LEASE) if self.group else "").partition(";")
        return Lease(least=int(least), until=at(until)) if least.isdigit() and until.isdigit() else None

    @lazy
    def hand(self) -> Hand | None:
        """What a person said of it."""
        return parse_hand(self.group.tag(HAND)) if self.group else None

    @lazy
    def weight(self) -> int | None:
        """Its weight in DNS or in the rule; None where it has none."""
        if self.records:
            return max(r.weight or 0 for r in self.records)
        return self.rule_weight

    @lazy
    def own(self) -> frozenset[InstanceId]:
        """Ids of its instances."""
        return frozenset(i.id for i in self.group.instances) if self.group else frozenset()


@quick
@dataclass(frozen=True, kw_only=True)
class Slice:
    """What the strategies see of one fleet.

    Who had all traffic in which order, and who serves, is read once: each move asks for it a dozen times.
    """

    fleet: FleetName
    as_of: datetime
    revisions: tuple[Live, ...]  # oldest first
    zones: tuple[LiveZone, ...]
    rule: LiveRule | None  # what stands at the wanted priority, ours or not
    rules: tuple[LiveRule, ...]  # all that are ours, the fleet's
    health: tuple[TargetHealth, ...]
    changes: tuple[LiveChange, ...]
    target_groups: tuple[LiveTargetGroup, ...]
    instances: tuple[LiveInstance, ...] = ()  # those that were looked at, on the audit
    alarms: Read[LiveAlarm] = ()  # what gates ask for: of any fleet, and only what was looked at
    metrics: Read[Measured] = ()
    probes: Read[Probed] = ()
    launches: Read[LaunchFailure] = ()  # of any fleet's groups that are short, what is final first

    @lazy
    def turns(self) -> tuple[Live, ...]:
        """The revisions that got all traffic and never came to rest, the last one last.

        Of two in one second the one that has the weight came last.
        """
        got = [r for r in self.revisions if r.up and r.idle is None and r.stage and r.stage.full]
        return tuple(
            got
            if len(got) < 2
            else sorted(got, key=lambda r: (self.since(r), r.weight or 0, r.identity.born))
        )

    @lazy
    def serving(self) -> dict[tuple[TrafficKind, timedelta] | None, "Live | None"]:
        """Who serves, by the kind of traffic and its drain: `serving_of` keeps it here."""
        return {}

    def since(self, live: Live) -> datetime:
        """Return when the stage began in which a revision is."""
        return live.stage.since if live.stage else self.as_of

    def live(self, revision: Revision) -> Live | None:
        """Return the live side of a revision."""
        for live in self.revisions:
            if live.revision == revision:
                return live
        return None

    def healthy(self, group: Arn | str, own: frozenset[InstanceId]) -> int:
        """Count `own` instances that are healthy in a target group or classic balancer."""
        return sum(h.healthy(own) for h in self.health if h.group == group)

    def present(self, group: Arn | str, own: frozenset[InstanceId]) -> int:
        """Count `own` instances that are registered, or still drain."""
        return sum(h.present(own) for h in self.health if h.group == group)

    def looked(self, group: Arn | str) -> bool:
        """Was the health of this target group read in this pass."""
        return any(h.group == group for h in self.health)

    def paused(self) -> Hand | None:
        """Return the suspension by tag that is in force, on whichever group of the fleet it stands."""
        said = (r.hand for r in self.revisions if r.up)
        return next((h for h in said if h and h.verb is Verb.PAUSE and h.holds(self.as_of)), None)

    def change_status(self, change: str) -> str | None:
        """How far a change batch has come, if it was asked for."""
        return next((c.status for c in self.changes if c.id == change), None)


def fleets_of(world: World, keeper: Keeper, before: Iterable[Live] = ()) -> dict[FleetName, tuple[Live, ...]]:
    """Return every live revision that is ours, by fleet, oldest first.

    Groups and templates say whose they are by their tags. A balancer or target group of the same
    name is explained by them; its own tags are read before it is written or deleted.

    What is as it was `before` the last move is the same object again, with all that was read of its tags.
    """
    groups = {g.name: g for g in world.groups} if isinstance(world.groups, tuple) else {}
    templates = {t.name: t for t in world.templates} if isinstance(world.templates, tuple) else {}
    balancers = {b.name: b for b in world.balancers} if isinstance(world.balancers, tuple) else {}
    owned = {t.name: t for t in world.target_groups} if isinstance(world.target_groups, tuple) else {}
    records, weights = _records(world, keeper), _rule_weights(world)
    known = {r.name: r for r in before}
    by_fleet: dict[FleetName, list[Live]] = defaultdict(list)
    for name in {**templates, **groups}:
        own = owned.get(name)
        found = Found(
            groups.get(name),
            templates.get(name),
            own,
            balancers.get(name),
            records.get(name, ()),
            weights.get(own.arn) if own else None,
        )
        live = known.get(name)
        if live is None or not live.same(found):
            live = _live(found, keeper)
        if live:
            by_fleet[live.identity.fleet].append(live)
    return {f: tuple(sorted(r, key=_age)) for f, r in by_fleet.items()}


def _live(found: Found, keeper: Keeper) -> Live | None:
    """Return what is ours of what has one name; None: nothing."""
    group, template = found.group, found.template
    grouped = identity(group.tags, group.name, keeper) if group else None
    made = identity(template.tags, template.name, keeper) if template else None
    who, name = grouped or made, group.name if group else template.name if template else None
    if who is None or name is None:
        return None
    return Live(
        revision=who.revision,
        name=name,
        identity=who,
        group=group if grouped else None,
        template=template if made else None,
        target_group=found.target_group,
        balancer=found.balancer,
        records=found.records,
        rule_weight=found.rule_weight,
    )


def _age(live: Live) -> tuple[int, ResourceName]:
    return live.identity.born, live.name


def _records(world: World, keeper: Keeper) -> dict[ResourceName, tuple[RecordSet, ...]]:
    prefix = f"{keeper.target}."
    found: dict[ResourceName, list[RecordSet]] = defaultdict(list)
    for zone in world.zones:
        if isinstance(zone, LiveZone):
            for record in zone.records:
                if record.weight is not None and record.identifier.startswith(prefix):
                    found[ResourceName(record.identifier.removeprefix(prefix))].append(record)
    return {name: tuple(sorted(r, key=lambda x: x.key)) for name, r in found.items()}


def _rule_weights(world: World) -> dict[Arn, int]:
    rules = world.rules if isinstance(world.rules, tuple) else ()
    return {arn: weight for rule in rules for arn, weight in rule.weights}


def slice_of(
    world: World, fleet: FleetName, revisions: tuple[Live, ...], rule_key: tuple[Arn, int] | None
) -> Slice:
    """Return one fleet's slice of a world whose reads it needs are complete."""
    rules = world.rules if isinstance(world.rules, tuple) else ()
    own = {r.target_group.arn for r in revisions if r.target_group}
    return Slice(
        fleet=fleet,
        as_of=world.as_of,
        revisions=revisions,
        zones=tuple(z for z in world.zones if isinstance(z, LiveZone)),
        rule=next((r for r in rules if (r.listener, r.priority) == rule_key), None),
        rules=tuple(r for r in rules if any(arn in own for arn, _ in r.weights)),
        health=world.health if isinstance(world.health, tuple) else (),
        changes=world.changes if isinstance(world.changes, tuple) else (),
        target_groups=tuple(t for t in world.target_groups if t.arn in own)
        if isinstance(world.target_groups, tuple)
        else (),
        instances=_instances(world, revisions),
        alarms=world.alarms,
        metrics=world.metrics,
        probes=world.probes,
        launches=world.launches,
    )


def _instances(world: World, revisions: tuple[Live, ...]) -> tuple[LiveInstance, ...]:
    if not isinstance(world.instances, tuple) or not world.instances:
        return ()
    own = {i for r in revisions for i in r.own}
    return tuple(i for i in world.instances if i.id in own)


def bare(revisions: tuple[Live, ...], as_of: datetime) -> Slice:
    """Return a slice of revisions alone: enough to tell which one serves."""
    return Slice(
        fleet=revisions[0].identity.fleet,
        as_of=as_of,
        revisions=revisions,
        zones=(),
        rule=None,
        rules=(),
        health=(),
        changes=(),
        target_groups=(),
    )


def record_identifier(keeper: Keeper, live: Live) -> str:
    """Return the set identifier of a live revision's records."""
    return identifier(keeper.target, live.name)


def seconds(value: timedelta) -> int:
    """Return whole seconds."""
    return int(value.total_seconds())


__all__ = ["Lease", "Live", "Slice", "StageTag", "digits", "fleets_of", "parse_stage", "slice_of"]
