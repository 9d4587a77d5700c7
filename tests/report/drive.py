"""Worlds made by doing: a folder is planned and simulated from what was there until it has converged."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from reconciler.core.facts import Keeper, to_tags
from reconciler.core.ids import AmiId, Commit, ImageName, TargetName, ZoneId, ZoneName
from reconciler.core.redact import Redactor
from reconciler.daemon.passes import freezes_of, limits_of
from reconciler.kinds.image.live import Resolved
from reconciler.kinds.network.live import SecurityGroup, Subnet
from reconciler.kinds.record.live import LiveZone
from reconciler.kinds.register import World
from reconciler.plan.model import Plan, TargetPlan
from reconciler.plan.planner import Goal, plan_target
from reconciler.plan.reasons import Reasons
from reconciler.plan.settle import USUAL, pass_time, settle
from reconciler.plan.simulate import simulate
from reconciler.plan.zone_records import wanted_records
from reconciler.source.folder import read_folder
from reconciler.source.load import load
from reconciler.spec.desired import Desired
from tests.worlds import NOON, ami

TARGET = TargetName("prod-ireland")
KEEPER = Keeper(owner="shop-fleets", source="aabbccddeeff", target=TARGET)
BEFORE, NOW = Commit("b" * 40), Commit("c" * 40)
MOST = 60  # passes: a blue-green rollout to its end, with `keepOld`, takes about thirty


def desired_of(folder: Path) -> Desired:
    found = load(read_folder(folder))
    assert isinstance(found, Desired), found
    return found


def empty() -> World:
    """An account with a network, a zone and images, and nothing of ours."""
    zone = LiveZone(
        zone=ZoneName("example-com"),
        id=ZoneId("Z1"),
        domain="example.com.",
        private=False,
        records=(),
        tags=(),
    )
    return World(
        target=TARGET,
        as_of=NOON,
        zones=(zone,),
        subnets=tuple(
            Subnet(
                id=f"subnet-{z}",
                vpc="vpc-1",
                zone=f"eu-west-1{z}",
                free=200,
                tags=to_tags({"tier": "app"}),
            )
            for z in "ab"
        ),
        security_groups=tuple(SecurityGroup(id=f"sg-{n}", name=n, vpc="vpc-1") for n in ("lb", "web")),
        amis=tuple(ami(f"ami-0{n}") for n in ("a1000000000001", "a2000000000002", "b1000000000001")),
        images=(Resolved(image=ImageName("newest"), ami=AmiId("ami-0c2000000000002")),),
    )


def goal(desired: Desired, commit: Commit, world: World, key: bytes = b"golden") -> Goal:
    target = desired.target(TARGET)
    assert target is not None
    return Goal(
        desired=desired,
        target=target,
        keeper=KEEPER,
        commit=commit,
        ancestors=frozenset({BEFORE, commit}),
        limits=limits_of(target),
        freezes=freezes_of(target),
        reasons=Reasons(Redactor(key)),
    )


def plan(folder: Path, world: World, commit: Commit = NOW, *, key: bytes = b"golden") -> Plan:
    desired = desired_of(folder)
    return Plan(commit=commit, targets=(plan_target(goal(desired, commit, world, key), world),))


def a_pass(desired: Desired, commit: Commit, world: World) -> tuple[World, TargetPlan]:
    """Do what is safe now."""
    made = plan_target(goal(desired, commit, world), world, ahead=False)
    for item in made.items:
        for step in item.now:
            world = simulate(world, step, USUAL)
    return known(desired, commit, world), made


def known(desired: Desired, commit: Commit, world: World) -> World:
    """Read from git what the commit in a zone's tags declared there."""
    zones = tuple(
        replace(z, ancestry=((commit, tuple(w.record for w in wanted_records(desired, d, z.id))),))
        if isinstance(z, LiveZone) and (d := desired.zone(z.zone)) and commit in str(z.tags)
        else z
        for z in world.zones
    )
    return replace(world, zones=zones)


def converged(
    folder: Path, world: World, commit: Commit = BEFORE, until: Callable[[TargetPlan], bool] | None = None
) -> World:
    """Let passes go by until nothing is left to do, or until a plan is what is asked for."""
    desired = desired_of(folder)
    for _ in range(MOST):
        made = plan_target(goal(desired, commit, world), world, ahead=False)
        if until and until(made):
            return world
        moves = [i for i in made.items if i.now or i.wait]
        if not moves:
            return world
        world, _ = a_pass(desired, commit, world)
        waits = [i.wait.until for i in moves if i.wait and i.wait.until]
        settled = settle(world, USUAL, min(waits, default=None))
        world = settled if settled != world else pass_time(world, timedelta(minutes=1))
    raise AssertionError(f"not converged after {MOST} passes")
