"""The worlds beside which the golden plans are made: each by passes over folders, then what the case adds."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from reconciler.core.facts import Unread
from reconciler.core.ids import AmiId, Arn, ImageName, ResourceName
from reconciler.kinds.balancer.live import TargetHealth
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import CreateGroup
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.image.live import Resolved
from reconciler.kinds.record.live import LiveZone, ZoneProblem
from reconciler.kinds.record.want import RecordSet
from reconciler.kinds.register import World
from reconciler.plan.model import ActionKind, TargetPlan
from reconciler.plan.settle import gone, pass_time
from tests.report.drive import NOW, a_pass, converged, desired_of, empty, plan

HERE: Final = Path(__file__).parent
MINUTE: Final = timedelta(minutes=1)
SEARCH: Final = (
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/search-legacy/73e2d6bc24d8a067"
)


def folder(case: str) -> Path:
    return HERE / case / "desired"


def first_birth() -> World:
    return replace(empty(), health=(TargetHealth(group=SEARCH, states=()),))


def settled() -> World:
    return converged(folder("nothing-to-do"), empty())


def groups(world: World) -> tuple[LiveGroup, ...]:
    assert isinstance(world.groups, tuple)
    return world.groups


def zone(world: World) -> LiveZone:
    (found,) = world.zones
    assert isinstance(found, LiveZone)
    return found


def new_ami() -> World:
    """A newer AMI matches an image that is not pinned, too."""
    return replace(settled(), images=(Resolved(image=ImageName("newest"), ami=AmiId("ami-0c3000000000003")),))


def drift() -> World:
    """A person raised a maximum, suspended a process and changed a record."""
    world = settled()
    changed = tuple(
        replace(g, sizes=Sizes(min=2, max=20, desired=3), suspended=(("Launch", "incident 42"),))
        if g.name.startswith("checkout")
        else g
        for g in groups(world)
    )
    records = tuple(
        replace(r, values=("192.0.2.99",)) if r.name == "mail.example.com." else r
        for r in zone(world).records
    )
    return replace(world, groups=changed, zones=(replace(zone(world), records=records),))


def unread_zone() -> World:
    """Route 53 denies the zone: what stands in it is not planned, the rest goes on."""
    world = settled()
    why = Unread(what="zone example-com", why="AccessDenied on route53:ListResourceRecordSets")
    return replace(world, zones=(ZoneProblem(zone=zone(world).zone, unread=why, why=str(why)),))


def conflict() -> World:
    """A group that is not ours has the name that the new one needs, and a record has other values."""
    world = empty()
    names = [
        s.group.name
        for i in plan(folder("conflict"), world).targets[0].items
        for s in i.now
        if isinstance(s, CreateGroup) and i.name == "worker"
    ]
    foreign = LiveGroup(
        name=ResourceName(names[0]),
        arn=Arn("arn:aws:autoscaling:eu-west-1:123456789012:autoScalingGroup:1:autoScalingGroupName/x"),
        tags=(),
        sizes=Sizes(min=1, max=1, desired=1),
        template=ResourceName("legacy"),
        template_version="3",
        subnets=("subnet-a",),
        target_groups=(),
        classic=(),
        health=(),
        settings=(),
        mixed="",
        suspended=(),
        policies=(),
        schedules=(),
        instances=(),
        deleting=False,
    )
    record = RecordSet(name="mail.example.com.", type="A", ttl=300, values=("198.51.100.7",))
    return replace(world, groups=(foreign,), zones=(replace(zone(world), records=(record,)),))


def failed() -> World:
    """The new revision's instances never came into service, and its time went by."""
    desired = desired_of(folder("failed"))
    world = settled()
    for _ in range(40):
        world, made = a_pass(desired, NOW, world)
        if any(i.blocked and i.blocked.code == "failed" for i in made.items):
            return world
        world = pass_time(gone(world), MINUTE)
    raise AssertionError("it did not fail")


def shifted() -> World:
    """All traffic is with the new revision; the old one is kept."""

    def kept(made: TargetPlan) -> bool:
        checkout = next(i for i in made.items if i.name == "checkout")
        return checkout.action is ActionKind.REPLACE and bool(checkout.wait and "kept" in checkout.wait.why)

    return pass_time(converged(folder("shifted"), settled(), NOW, until=kept), 5 * MINUTE)


def paused() -> World:
    """A tenth of the traffic is with the new revision, and somebody has to say that it goes on."""

    def pauses(made: TargetPlan) -> bool:
        checkout = next(i for i in made.items if i.name == "checkout")
        return checkout.blocked is not None and checkout.blocked.code == "pause"

    return converged(folder("canary-paused"), settled(), NOW, until=pauses)


CASES: Final[dict[str, Callable[[], World]]] = {
    "first-birth": first_birth,
    "nothing-to-do": settled,
    "new-ami": new_ami,
    "capacity": settled,
    "drift": drift,
    "heal": drift,
    "retire": settled,
    "over-a-limit": settled,
    "frozen": settled,
    "unread-zone": unread_zone,
    "conflict": conflict,
    "failed": failed,
    "shifted": shifted,
    "canary": settled,
    "canary-paused": paused,
    "recreate": settled,
}
