"""What time does to a world: boot, target health, INSYNC, endings. Small transitions; `settle` does all."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconciler.core.facts import Read, T
from reconciler.core.ids import InstanceId
from reconciler.core.quick import replace
from reconciler.kinds.balancer.live import TargetHealth
from reconciler.kinds.group.live import IN_SERVICE, Instance, LiveGroup
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.record.live import INSYNC, PENDING
from reconciler.kinds.register import World

PENDING_LIFECYCLE = "Pending"
TERMINATING = "Terminating"


@dataclass(frozen=True, slots=True, kw_only=True)
class Physics:
    """Delays of the world. A parameter: equal to the emulator's settings in the contract test."""

    boot: timedelta = timedelta(seconds=90)  # Pending to InService
    healthy: timedelta = timedelta(seconds=30)  # InService to a healthy target
    terminate: timedelta = timedelta(seconds=60)
    delete: timedelta = timedelta(seconds=30)
    insync: timedelta = timedelta(seconds=30)
    provision: timedelta = timedelta(seconds=120)


USUAL = Physics()


def settle(world: World, physics: Physics, until: datetime | None) -> World:
    """Let everything that is under way come to its end; with nothing under way, go to `until`."""
    spent = timedelta()
    for transition, delay in (
        (launched, physics.boot),
        (ended, physics.terminate),
        (provisioned, physics.provision),
        (synced, physics.insync),
        (gone, physics.delete),
    ):
        moved = transition(world)
        if moved is not world:
            world, spent = moved, max(spent, delay)
    checked_world = checked(world)
    if checked_world is not world and spent < physics.boot + physics.healthy:
        spent = max(spent, physics.healthy)
    world = checked_world
    if spent:
        return replace(world, as_of=world.as_of + spent)
    return replace(world, as_of=max(world.as_of, until)) if until else world


def pass_time(world: World, span: timedelta) -> World:
    """Move the clock and nothing else."""
    return replace(world, as_of=world.as_of + span)


def launched(world: World) -> World:
    """Every group launches what it lacks, and what it launched comes into service."""
    groups = tuple(_launch(g, world.as_of) for g in _read(world.groups))
    return world if groups == world.groups else replace(world, groups=groups)


def _launch(group: LiveGroup, now: datetime) -> LiveGroup:
    if group.deleting or any(process == "Launch" for process, _ in group.suspended):
        return group
    live = tuple(
        replace(i, lifecycle=IN_SERVICE) if i.lifecycle == PENDING_LIFECYCLE else i for i in group.instances
    )
    running = sum(i.lifecycle == IN_SERVICE for i in live)
    lacking = max(0, group.sizes.desired - running)
    if not lacking and live == group.instances:
        return group
    used = {i.id for i in live}  # two launches in one second get different ids
    every = (instance(group, f"{int(now.timestamp())}-{n}") for n in range(lacking + len(used)))
    made = [i for i in every if i.id not in used][:lacking]
    return replace(group, instances=tuple(sorted((*live, *made), key=lambda i: i.id)))


def instance(group: LiveGroup, mark: str) -> Instance:
    """Return an instance in service, as a group launches it."""
    return Instance(
        id=InstanceId(f"i-{group.name}-{mark}"),
        lifecycle=IN_SERVICE,
        healthy=True,
        zone="a",
        template=group.template,
        version=group.template_version,
        type="",
        protected=False,
    )


def ended(world: World) -> World:
    """Every group ends what it has too much of, protected instances aside."""
    groups = tuple(_shrink(g) for g in _read(world.groups))
    return world if groups == world.groups else replace(world, groups=groups)


def _shrink(group: LiveGroup) -> LiveGroup:
    surplus = len(group.instances) - group.sizes.desired
    if surplus <= 0 or any(process == "Terminate" for process, _ in group.suspended):
        return group
    going = [i for i in group.instances if not i.protected and i.lifecycle != "Standby"][:surplus]
    return replace(group, instances=tuple(i for i in group.instances if i not in going))


def gone(world: World) -> World:
    """Groups whose deletion was under way are gone."""
    groups = tuple(g for g in _read(world.groups) if not g.deleting)
    return world if groups == world.groups else replace(world, groups=groups)


def provisioned(world: World) -> World:
    """Balancers become active, and their target groups know them."""
    balancers = tuple(
        replace(b, state="active") if b.state == "provisioning" else b for b in _read(world.balancers)
    )
    return world if balancers == world.balancers else replace(world, balancers=balancers)


def synced(world: World) -> World:
    """Changes that were pending are in sync."""
    changes = tuple(replace(c, status=INSYNC) if c.status == PENDING else c for c in _read(world.changes))
    return world if changes == world.changes else replace(world, changes=changes)


def checked(world: World, unhealthy: frozenset[str] = frozenset()) -> World:
    """Every target group and classic balancer has checked what is registered in it."""
    used = {arn for b in _read(world.balancers) for x in b.listeners or () for arn in x.forwards} | {
        arn for r in _read(world.rules) for arn, _ in r.weights
    }
    own = {t.arn for t in _read(world.target_groups)}
    places: dict[str, list[tuple[InstanceId, str]]] = {arn: [] for arn in own}
    for group in _read(world.groups):
        for place in (*group.target_groups, *group.classic):
            states = places.setdefault(place, [])
            for one in group.instances:
                bad = not one.in_service or group.name in unhealthy
                checked_state = "unhealthy" if bad else "healthy"
                states.append((one.id, checked_state if place in used or place not in own else "unused"))
    health = tuple(TargetHealth(group=p, states=tuple(sorted(s))) for p, s in sorted(places.items()))
    return world if health == world.health else replace(world, health=health)


def resized(world: World, name: str, sizes: Sizes) -> World:
    """An autoscaler, or a person, changes the sizes of a group."""
    groups = tuple(replace(g, sizes=sizes) if g.name == name else g for g in _read(world.groups))
    return replace(world, groups=groups)


def _read(facts: Read[T]) -> tuple[T, ...]:
    return facts if isinstance(facts, tuple) else ()
