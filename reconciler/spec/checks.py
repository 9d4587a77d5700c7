"""What must hold between documents, and what AWS would refuse only when it is too late."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

from reconciler.core.duration import format_duration
from reconciler.core.facts import PROPAGATED
from reconciler.core.problem import Position, Problem
from reconciler.spec.desired import Desired, DesiredFleet, DesiredImage, DesiredTarget, Where
from reconciler.spec.evaluated import check_evaluated
from reconciler.spec.zone_checks import check_zones

LONGEST_BALANCED = 21  # a target group's name has 32 characters: the fleet, a hyphen and 10 digits
LONGEST_USER_DATA = 16_384  # bytes before base64 (EC2 User Guide)
MOST_INSTANCE_TAGS = 50 - len(PROPAGATED)  # AWS takes 50 on a resource


def place(where: Where, *paths: str) -> Position:
    """Return the place of the first path that is there."""
    return next((at for p in paths if (at := where(p))), Position("?"))


def check(desired: Desired) -> tuple[Problem, ...]:
    """Return every problem between documents, each once, in the order of its place."""
    found: list[Problem] = []
    found += _targets(desired.targets)
    for image in desired.images:
        found += _image(desired, image)
    for fleet in desired.fleets:
        found += _fleet(desired, fleet)
    found += _owned_names(desired)
    found += check_zones(desired)
    found += check_evaluated(desired)
    return tuple(sorted(set(found)))


def _targets(targets: tuple[DesiredTarget, ...]) -> Iterator[Problem]:
    seen: dict[tuple[str, str], DesiredTarget] = {}
    for target in targets:
        key = (target.spec.account, target.spec.region)
        other = seen.setdefault(key, target)
        if other is not target:
            yield Problem(
                place(target.where, "spec.account"),
                f"target {target.name} has the account and region of {other.name}",
                "two targets there would retire each other's fleets",
                "use one target, or another region",
            )


def _image(desired: Desired, image: DesiredImage) -> Iterator[Problem]:
    for n, name in enumerate(image.spec.targets):
        if desired.target(name) is None:
            yield _dangling(
                place(image.where, f"spec.targets.{n}"), "Target", name, [t.name for t in desired.targets]
            )
    if image.spec.ami:
        named = {t for t, _ in image.spec.ami}
        for name in image.spec.targets:
            if "*" not in named and name not in named:
                yield Problem(
                    place(image.where, "spec.ami"),
                    f"image {image.name} has no ami for target {name}",
                    "an AMI id belongs to one region",
                    f"add {name}: ami-...",
                )
        if "*" in named and len(image.spec.targets) > 1:
            yield Problem(
                place(image.where, "spec.ami"),
                f"image {image.name} has one ami for {len(image.spec.targets)} targets",
                "an AMI id belongs to one region",
                "write one for each target: {prod-seoul: ami-0abc, ...}",
            )


def _dangling(at: Position, kind: str, name: str, known: Sequence[str]) -> Problem:
    names = ", ".join(sorted(known)[:8]) or "none"
    return Problem(
        at, f"there is no {kind} named {name}", "references must lead somewhere", f"known: {names}"
    )


def _fleet(desired: Desired, fleet: DesiredFleet) -> Iterator[Problem]:
    spec, where = fleet.spec, fleet.where
    if desired.target(fleet.target) is None:
        yield _dangling(
            place(where, f"spec.targets.{spec.targets.index(fleet.target)}", "spec.targets"),
            "Target",
            fleet.target,
            [t.name for t in desired.targets],
        )
    image = desired.image(spec.image)
    if image is None:
        yield _dangling(place(where, "spec.image"), "Image", spec.image, [i.name for i in desired.images])
    elif fleet.target not in image.spec.targets:
        yield Problem(
            place(where, "spec.image"),
            f"image {spec.image} is not in target {fleet.target}",
            "a fleet launches an image of its own target",
            f"add {fleet.target} to the image's targets",
        )
    yield from _names(fleet)
    yield from _sizes(fleet)
    yield from _user_data(fleet)
    yield from _tags(desired, fleet)
    if spec.traffic and spec.traffic.dns and desired.zone(spec.traffic.dns.zone) is None:
        known = [z.name for z in desired.zones]
        yield _dangling(place(where, "spec.traffic.dns.zone"), "Zone", spec.traffic.dns.zone, known)
    yield from _ready(fleet)


def _ready(fleet: DesiredFleet) -> Iterator[Problem]:
    """What a new revision has to go through takes less time than it has."""
    spec, where = fleet.spec, fleet.where
    hooks = sum((h.timeout for h in spec.hooks if h.on == "launch"), timedelta())
    if spec.hooks and hooks >= spec.rollout.readyWithin:
        yield Problem(
            place(where, "spec.hooks"),
            "launch hooks may take longer than rollout.readyWithin",
            "every rollout would go back before its instances are in service",
            "shorten the hooks, or raise rollout.readyWithin",
        )
        return
    traffic = spec.traffic
    group = (traffic.balancer.targetGroup if traffic.balancer else traffic.targetGroup) if traffic else None
    if group is None:
        return
    checks = group.health.interval * group.health.healthy
    if checks + hooks >= spec.rollout.readyWithin:
        yield Problem(
            place(
                where,
                *(
                    f"spec.traffic.{at}targetGroup{of}"
                    for of in (".health.interval", ".health", "")
                    for at in ("balancer.", "")
                ),
            ),
            f"{group.health.healthy} health checks {format_duration(group.health.interval)} apart take longer"
            " than rollout.readyWithin",
            "every rollout would go back before its targets are healthy",
            "check more often, or raise rollout.readyWithin",
        )


def _names(fleet: DesiredFleet) -> Iterator[Problem]:
    traffic = fleet.spec.traffic
    if traffic is None or (traffic.balancer is None and traffic.targetGroup is None):
        return
    at = place(fleet.where, "metadata.name")
    if len(fleet.name) > LONGEST_BALANCED:
        yield Problem(
            at,
            f"the name {fleet.name} has {len(fleet.name)} characters",
            "its target group's name is the fleet, a hyphen and 10 digits, and AWS takes 32",
            f"use at most {LONGEST_BALANCED}",
        )
    if traffic.balancer and fleet.name.startswith("internal-"):
        yield Problem(
            at, "the name begins with internal-", "AWS keeps that prefix for itself", "choose another name"
        )


def _sizes(fleet: DesiredFleet) -> Iterator[Problem]:
    for n, entry in enumerate(fleet.spec.scaling):
        if entry.cron and entry.max == 0 and fleet.spec.traffic is not None:
            yield Problem(
                place(fleet.where, f"spec.scaling.{n}.max", f"spec.scaling.{n}"),
                "a schedule switches a fleet with traffic to max 0",
                "its clients would find nobody",
                "write at least 1, or take the traffic away",
            )


def _user_data(fleet: DesiredFleet) -> Iterator[Problem]:
    raw = fleet.user_data
    if raw is None:
        return
    at = place(fleet.where, "spec.launch.userData")
    if len(raw) > LONGEST_USER_DATA:
        yield Problem(
            at,
            f"user data has {len(raw):,} bytes",
            f"EC2 takes {LONGEST_USER_DATA:,} before base64",
            "fetch the rest at boot, or bake it into the image",
        )
    if not raw.startswith((b"#!", b"#cloud-config")):
        yield Problem(
            at,
            "user data begins with neither #! nor #cloud-config",
            "cloud-init would not run it",
            "add a first line #!/bin/sh",
        )


def _tags(desired: Desired, fleet: DesiredFleet) -> Iterator[Problem]:
    """An instance has the tags of its launch template, and those of its group, the Target's, over them."""
    target = desired.target(fleet.target)
    common, own = dict(target.spec.tags) if target else {}, dict(fleet.spec.launch.tags)
    for key in sorted(own):
        if common.get(key, own[key]) != own[key]:
            yield Problem(
                place(fleet.where, f"spec.launch.tags.{key}", "spec.launch.tags"),
                f"tag {key} has another value in Target {fleet.target}",
                "Auto Scaling puts the Target's on instances, and this one stays on their volumes alone",
                "write it in one of both",
            )
    if (count := len({*common, *own})) > MOST_INSTANCE_TAGS:
        yield Problem(
            place(fleet.where, "spec.launch.tags"),
            f"an instance has {count} tags, with those of Target {fleet.target}",
            f"AWS takes 50, and {len(PROPAGATED)} are this program's",
            f"use at most {MOST_INSTANCE_TAGS} together",
        )


def _owned_names(desired: Desired) -> Iterator[Problem]:
    owners: dict[tuple[str, str], list[DesiredFleet]] = defaultdict(list)
    rules: dict[tuple[str, int], list[DesiredFleet]] = defaultdict(list)
    for fleet in desired.fleets:
        traffic = fleet.spec.traffic
        if traffic and traffic.dns:
            owners[traffic.dns.zone, traffic.dns.name.lower()].append(fleet)
        if traffic and traffic.listener:
            rules[traffic.listener.arn, traffic.listener.priority].append(fleet)
    for (zone, name), fleets in owners.items():
        for fleet in fleets[1:]:
            fix = "choose another name, or join targets by a record with alias: {fleet, target}"
            if fleet.name == fleets[0].name:
                own = f"overrides: {{{fleet.target}: {{traffic: {{dns: {{name: {_other(name, fleet)}}}}}}}}}"
                fix = f"add {own}; a record with alias: {{fleet, target}} may join the two"
            yield Problem(
                place(fleet.where, "spec.traffic.dns.name"),
                f"{name} in zone {zone} belongs to {_whose(fleets[0], fleet)} already",
                "a fleet's name belongs to that fleet in one target",
                fix,
            )
    for (_, priority), fleets in rules.items():
        for fleet in fleets[1:]:
            same = fleet.name == fleets[0].name
            what = "a listener is in one region" if same else "a priority holds one rule"
            fix = (
                f"add overrides: {{{fleet.target}: {{traffic: {{listener: ..., targetGroup: ...}}}}}}"
                if same
                else ""
            )
            yield Problem(
                place(fleet.where, "spec.traffic.listener.priority"),
                f"priority {priority} of this listener belongs to {_whose(fleets[0], fleet)} already",
                what,
                fix or "choose another priority",
            )


def _whose(first: DesiredFleet, other: DesiredFleet) -> str:
    """Name who has what another one wants; the same fleet by its target."""
    return f"fleet {first.name}" + (f" in target {first.target}" if first.name == other.name else "")


def _other(name: str, fleet: DesiredFleet) -> str:
    return fleet.target if name == "@" else f"{name}-{fleet.target}"
