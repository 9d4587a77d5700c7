"""One observation of one target: complete and paged reads, side by side, or `Unread` with the reason."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from reconciler.core.facts import COMMIT, Unread
from reconciler.core.ids import AmiId, Arn, ChangeId, TargetName, ZoneId, ZoneName
from reconciler.gateway.errors import ENDS_TARGET, classify, say
from reconciler.gateway.session import Aws
from reconciler.kinds.activity import aws as activity_aws
from reconciler.kinds.alarm import aws as alarm_aws
from reconciler.kinds.balancer import aws as balancer_aws
from reconciler.kinds.group import aws as group_aws
from reconciler.kinds.image import aws as image_aws
from reconciler.kinds.image.want import Image
from reconciler.kinds.instance import aws as instance_aws
from reconciler.kinds.metric import aws as metric_aws
from reconciler.kinds.network import aws as network_aws
from reconciler.kinds.probe import ask as probe_ask
from reconciler.kinds.record import aws as record_aws
from reconciler.kinds.record.live import UNKNOWN, LiveChange, ZoneProblem
from reconciler.kinds.record.want import ZoneRef
from reconciler.kinds.register import Needs, World
from reconciler.kinds.template import aws as template_aws
from reconciler.spec.desired import Desired, DesiredTarget, DesiredZone


@dataclass(slots=True)
class Memory:
    """What never changes, so that a warm pass does not read it again."""

    templates: template_aws.Known = field(default_factory=dict)


def images_of(desired: Desired, target: TargetName) -> tuple[Image, ...]:
    """Return the images that a target's fleets may launch, as they stand for it."""
    found = []
    for one in desired.images:
        if target not in one.spec.targets:
            continue
        amis, pins, newest = dict(one.spec.ami or ()), dict(one.spec.pin or ()), one.spec.newest
        ami, pin = amis.get(target) or amis.get("*"), pins.get(target) or pins.get("*")
        found.append(
            Image(
                name=one.name,
                architecture=one.spec.architecture,
                ami=AmiId(ami) if ami else None,
                newest_owner=newest.owner if newest else "",
                newest_name=newest.name if newest else "",
                parameter=one.spec.parameter or "",
                pin=AmiId(pin) if pin else None,
            )
        )
    return tuple(found)


def zones_of(desired: Desired, target: TargetName) -> tuple[tuple[ZoneName, ZoneRef], ...]:
    """Return the zones that a target reads: its own."""
    return tuple((z.name, zone_ref(z)) for z in desired.zones if z.spec.target == target)


def zone_ref(zone: DesiredZone) -> ZoneRef:
    """Return what a Zone is found by."""
    return ZoneRef(
        domain=zone.spec.domain.lower().rstrip(".") + ".",
        id=ZoneId(zone.spec.id) if zone.spec.id else None,
        vpc=zone.spec.private.vpc if zone.spec.private else "",
    )


def rules_of(desired: Desired, target: TargetName) -> frozenset[tuple[Arn, int]]:
    """Return listeners and priorities that a target's fleets name."""
    return frozenset(
        (Arn(f.spec.traffic.listener.arn), f.spec.traffic.listener.priority)
        for f in desired.fleets
        if f.target == target and f.spec.traffic and f.spec.traffic.listener
    )


def observe(aws: Aws, desired: Desired, target: DesiredTarget, memory: Memory) -> World:
    """Return the bulk reads of one target. What failed is `Unread`, never empty.

    Raises: what ends the whole target's pass: credentials, a wrong account, throttling, the deadline.
    """
    zones, images = zones_of(desired, target.name), images_of(desired, target.name)
    rules = rules_of(desired, target.name)
    owner = target.spec.owner
    reads: list[tuple[str, Callable[[], Any]]] = [
        ("groups", lambda: group_aws.read(aws, owner)),
        ("templates", lambda: template_aws.read(aws, owner, memory.templates)),
        ("subnets", lambda: network_aws.read_subnets(aws)),
        ("security groups", lambda: network_aws.read_security_groups(aws)),
        ("images", lambda: image_aws.read(aws, images, frozenset())),
        ("balancers", lambda: balancer_aws.read(aws)),
        ("rules", lambda: balancer_aws.read_rules(aws, rules)),
        ("zones", lambda: record_aws.read_zones(aws, zones)),
    ]
    found = dict(zip((n for n, _ in reads), aws.each(lambda r: attempt(r[0], r[1]), reads), strict=True))
    lost = found["zones"]
    balancers, groups = _pair(found["balancers"])
    amis, resolved = _pair(found["images"])
    rules_read, missing = found["rules"] if isinstance(found["rules"], tuple) else (found["rules"], ())
    return World(
        target=target.name,
        as_of=aws.as_of() or host_time(),
        groups=found["groups"],
        templates=found["templates"],
        balancers=balancers,
        target_groups=groups,
        rules=rules_read,
        missing_listeners=missing,
        zones=tuple(ZoneProblem(zone=n, unread=lost, why=lost.why) for n, _ in zones)
        if isinstance(lost, Unread)
        else lost,
        subnets=found["subnets"],
        security_groups=found["security groups"],
        amis=amis,
        images=resolved,
    )


def host_time() -> datetime:
    """Return the host's clock: only where not one reply carried AWS's."""
    return datetime.fromtimestamp(time.time(), UTC)


def _pair(found: Any) -> tuple[Any, Any]:
    return (found, found) if isinstance(found, Unread) else found


def attempt(what: str, read: Callable[[], Any]) -> Any:
    """Return what a read gives, or `Unread` with the reason."""
    try:
        return read()
    except Exception as error:
        if classify(error) in ENDS_TARGET:
            raise
        return Unread(what=what, why=say(error))


def look(aws: Aws, world: World, wanted: Needs) -> World:
    """Return the world with what a plan left open: one call for each thing that is under way."""
    balancers, groups = world.balancers, world.target_groups
    reads: list[tuple[str, Callable[[], Any]]] = [
        ("health", lambda: balancer_aws.read_health(aws, wanted.health, wanted.classic_health)),
        ("changes", lambda: _changes(aws, sorted(wanted.changes))),
    ]
    if isinstance(balancers, tuple) and wanted.balancers:
        reads.append(("balancers", lambda: balancer_aws.look_at_balancers(aws, balancers, wanted.balancers)))
    if isinstance(groups, tuple) and wanted.target_groups:
        reads.append(
            ("target_groups", lambda: balancer_aws.look_at_target_groups(aws, groups, wanted.target_groups))
        )
    rules = world.rules
    if isinstance(rules, tuple) and wanted.listeners:
        kept = tuple(r for r in rules if r.listener not in wanted.listeners)
        whole = wanted.listeners
        reads.append(("rules", lambda: kept + balancer_aws.read_rules(aws, frozenset(), whole)[0]))
    if wanted.instances:
        reads.append(("instances", lambda: instance_aws.read(aws, wanted.instances)))
    if wanted.launches:
        reads.append(("launches", lambda: activity_aws.read(aws, wanted.launches)))
    reads += _gates(aws, world, wanted)
    names = sorted(wanted.hooks)
    reads.append(("hooks", lambda: group_aws.read_hooks(aws, names)))
    found = dict(zip((n for n, _ in reads), aws.each(lambda r: attempt(r[0], r[1]), reads), strict=True))
    hooks = found.pop("hooks")
    live = world.groups
    if isinstance(live, tuple) and isinstance(hooks, dict):
        live = tuple(replace(g, hooks=hooks.get(g.name)) for g in live)
    return replace(world, groups=live, **found)


def _gates(aws: Aws, world: World, wanted: Needs) -> Iterable[tuple[str, Callable[[], Any]]]:
    if wanted.alarms:
        yield "alarms", lambda: alarm_aws.read(aws, wanted.alarms)
    if wanted.metrics:
        yield "metrics", lambda: metric_aws.read(aws, wanted.metrics, world.as_of)
    if wanted.probes:
        yield "probes", lambda: probe_ask.read(aws, wanted.probes)


def _changes(aws: Aws, ids: Sequence[ChangeId]) -> tuple[LiveChange, ...]:
    """Ask for change batches where they were sent from: a zone of another target has its own account."""
    found = {c.id: c for c in record_aws.read_changes(aws, ids)}
    for other in aws.beside:
        left = [c.id for c in found.values() if c.status == UNKNOWN]
        found |= {c.id: c for c in record_aws.read_changes(other, left)}
    return tuple(found.values())


def tagged_commits(world: World, owner: str) -> Iterable[str]:
    """Return the commits that live things name: their ancestry decides what may be touched."""
    groups = world.groups if isinstance(world.groups, tuple) else ()
    templates = world.templates if isinstance(world.templates, tuple) else ()
    for tags in (*(g.tags for g in groups), *(t.tags for t in templates)):
        yield from (v for k, v in tags if k == COMMIT)
    for zone in world.zones:
        if not isinstance(zone, ZoneProblem):
            for key, value in zone.tags:
                if key in (f"reconciler:{owner}:applied", f"reconciler:{owner}:writing"):
                    yield from value.split()
