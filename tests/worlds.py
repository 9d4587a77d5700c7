"""Worlds and wants to test with: small, whole, and of every kind of traffic."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reconciler.core.facts import FLEET, OWNER, SELF, SOURCE, TARGET, Keeper, to_tags
from reconciler.core.ids import (
    AmiId,
    Arn,
    Commit,
    FleetName,
    ResourceName,
    Revision,
    TargetName,
    ZoneId,
    ZoneName,
    resource_name,
)
from reconciler.kinds.balancer.want import Balancer, HealthCheck, Listener, Rule, TargetGroup
from reconciler.kinds.group.want import Group, Schedule, Sizes
from reconciler.kinds.image.live import Ami
from reconciler.kinds.record.live import LiveZone
from reconciler.kinds.register import World
from reconciler.kinds.template.want import Template
from reconciler.strategies import blue_green, canary, recreate, rolling
from reconciler.strategies.slice import Slice, fleets_of, slice_of
from reconciler.strategies.wanted import WEIGHTED, Dns, Rollout, Stage, TrafficKind, Wanted

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TARGET_NAME = TargetName("prod")
KEEPER = Keeper(owner="shop", source="aabbccddeeff", target=TARGET_NAME)
LISTENER = Arn("arn:aws:elasticloadbalancing:eu-west-1:1:listener/app/shared/1/2")
SHARED = Arn("arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/shared/9")
CHECK = HealthCheck(
    protocol="HTTP",
    port="traffic-port",
    path="/",
    interval=10,
    timeout=5,
    healthy=2,
    unhealthy=2,
    matcher="200",
)


BLUE_GREEN = Rollout(
    strategy=blue_green.NAME,
    stages=blue_green.stages(),
    ready_within=timedelta(minutes=15),
    keep_old=timedelta(minutes=30),
)


def canary_of(*steps: tuple[int, int] | None, pause_first: bool = False) -> Rollout:
    """A canary of these steps: weight and minutes of hold, or None for a pause."""
    made = (Stage(weight=x[0], hold=timedelta(minutes=x[1])) if x else None for x in steps)
    first, stages = canary.stages([*((None,) if pause_first else ()), *made])
    return replace(BLUE_GREEN, strategy=canary.NAME, stages=stages, pause_first=first)


def rolling_by(surge: int) -> Rollout:
    """Batches of so many percent."""
    return replace(BLUE_GREEN, strategy=rolling.NAME, stages=rolling.stages(surge), surge=surge)


RECREATE = replace(BLUE_GREEN, strategy=recreate.NAME, stages=recreate.stages())


def revision(n: int) -> Revision:
    return Revision(f"v1.{n:010x}{'0' * 30}")


def wanted(
    n: int = 1,
    kind: TrafficKind = TrafficKind.DNS,
    *,
    fleet: str = "web",
    sizes: Sizes = Sizes(min=2, max=6, desired=3),
    keep_old: timedelta = timedelta(minutes=30),
    dualstack: bool = False,
    classic: tuple[str, ...] = (),
    schedules: tuple[Schedule, ...] = (),
    heal: bool = False,
    rollout: Rollout | None = None,
) -> Wanted:
    name = resource_name(FleetName(fleet), revision(n))
    own = kind in WEIGHTED
    return Wanted(
        fleet=FleetName(fleet),
        target=TARGET_NAME,
        keeper=KEEPER,
        commit=Commit("c" * 40),
        revision=revision(n),
        name=name,
        spec_hash=f"{n:06x}",
        template=Template(name=name, image=AmiId(f"ami-{n}"), body="{}", tags=()),
        group=_group(name, kind, sizes, schedules, classic),
        kind=kind,
        target_group=target_group(name) if own else None,
        balancer=balancer(name, ip_type="dualstack" if dualstack else "ipv4")
        if kind is TrafficKind.DNS
        else None,
        dns=Dns(
            zone=ZoneName("example-com"),
            name=f"{fleet}.example.com.",
            types=("A", "AAAA") if dualstack else ("A",),
            evaluate_health=True,
        )
        if kind is TrafficKind.DNS
        else None,
        rule=_rule(fleet) if kind is TrafficKind.LISTENER else None,
        rollout=replace(rollout or BLUE_GREEN, keep_old=keep_old),
        drain=timedelta(seconds=60),
        protect=False,
        heal=heal,
    )


def _group(
    name: ResourceName,
    kind: TrafficKind,
    sizes: Sizes,
    schedules: tuple[Schedule, ...],
    classic: tuple[str, ...],
) -> Group:
    attaches = kind is TrafficKind.ATTACH
    return Group(
        name=name,
        sizes=sizes,
        autoscaled=bool(schedules),
        subnets=("subnet-a", "subnet-b"),
        target_groups=(name,) if kind in WEIGHTED else (),
        attach_target_groups=(SHARED,) if attaches else (),
        attach_classic=classic if attaches else (),
        hooks=(),
        policies=(),
        schedules=schedules,
        health=(("HealthCheckGracePeriod", "120"), ("HealthCheckType", '"EC2"')),
        settings=(),
        mixed="",
        birth=(),
        tags=(),
        extra_tags=(("env", "prod"),),
    )


def _rule(fleet: str) -> Rule:
    ours = {OWNER: KEEPER.owner, SOURCE: KEEPER.source, TARGET: TARGET_NAME, FLEET: fleet, SELF: "2/10"}
    hosts, paths = ("web.example.com",), ("/*",)
    return Rule(listener=LISTENER, priority=10, hosts=hosts, paths=paths, tags=to_tags(ours))


def target_group(name: str) -> TargetGroup:
    return TargetGroup(
        name=name,
        port=8080,
        protocol="HTTP",
        protocol_version="HTTP1",
        vpc="vpc-1",
        check=CHECK,
        drain=60,
        attributes=(("deregistration_delay.timeout_seconds", "60"),),
        tags=(),
    )


def balancer(name: str, *, ip_type: str = "ipv4") -> Balancer:
    return Balancer(
        name=name,
        type="application",
        scheme="internal",
        subnets=("subnet-a", "subnet-b"),
        security_groups=("sg-1",),
        ip_type=ip_type,
        attributes=(),
        web_acl="",
        listeners=(Listener(port=80, protocol="HTTP", certificates=(), ssl_policy=""),),
        tags=(),
    )


def empty_world() -> World:
    zone = LiveZone(
        zone=ZoneName("example-com"),
        id=ZoneId("Z1"),
        domain="example.com.",
        private=False,
        records=(),
        tags=(),
    )
    return World(target=TARGET_NAME, as_of=NOON, zones=(zone,))


def sliced(world: World, want: Wanted) -> Slice:
    revisions = fleets_of(world, KEEPER).get(want.fleet, ())
    key = (want.rule.listener, want.rule.priority) if want.rule else None
    return slice_of(world, want.fleet, revisions, key)


def ami(name: str, state: str = "available", architecture: str = "arm64") -> Ami:
    """An AMI as EC2 describes it."""
    created = "2026-06-01T00:00:00.000Z"
    return Ami(
        id=AmiId(name),
        name=name,
        architecture=architecture,
        state=state,
        created=created,
        owner="1",
        deprecated="",
    )


def later(want: Wanted, n: int) -> Wanted:
    """The same fleet at another revision."""
    made = wanted(n, want.kind, fleet=want.fleet, sizes=want.capacity, keep_old=want.rollout.keep_old)
    return replace(made, commit=Commit(f"{n:040x}"))
