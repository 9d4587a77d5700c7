"""Targets: registered, checked by time, drained by time. Health is worked out when it is asked for."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from emulator import hands, physics
from emulator.balancing import Target, TargetGroup, target_group
from emulator.region import Body, Region
from emulator.wire import Operation, Params, Refused

_REASONS: Final = {
    "unused": (
        "Target.NotInUse",
        "Target group is not configured to receive traffic from the load balancer",
    ),
    "stopped": ("Target.InvalidState", "Target is in the stopped state"),
    "initial": ("Elb.InitialHealthChecking", "Initial health checks in progress"),
    "unhealthy": ("Target.FailedHealthChecks", "Health checks failed"),
    "draining": ("Target.DeregistrationInProgress", "Target deregistration is in progress"),
}


def register(region: Region, group: TargetGroup, instance: str, port: int | None = None) -> None:
    """Register a target; checks begin. A target that is registered already is left alone."""
    key = (instance, port or group.body.get("Port"))
    there = group.targets.get(key)
    if there is None or there.drained is not None:
        group.targets[key] = Target(id=instance, port=key[1], registered=region.at)


def deregister(region: Region, group: TargetGroup, instance: str, port: int | None = None) -> None:
    """Begin to drain a target (all of its ports if none is named); a target in no use is gone at once."""
    delay = timedelta(seconds=int(group.attributes["deregistration_delay.timeout_seconds"]))
    for key, target in list(group.targets.items()):
        if target.id != instance or (port and key[1] != port) or target.drained is not None:
            continue
        if group.used is None or not delay:
            del group.targets[key]
        else:
            target.drained = region.at + delay


def health(region: Region, group: TargetGroup) -> dict[tuple[str, int | None], str]:
    """Return the state of every target of a group; forget those that are drained."""
    for key, target in list(group.targets.items()):
        if target.drained is not None and target.drained <= region.at:
            del group.targets[key]
    states = _instance_states(region, group)
    return {key: _health(region, group, t, states.get(t.id)) for key, t in group.targets.items()}


def _instance_states(region: Region, group: TargetGroup) -> dict[str, str]:
    """Return EC2's states of instances that are targets, where they are of no Auto Scaling group too."""
    wanted = {t.id for t in group.targets.values() if t.id.startswith("i-")}
    found = {
        i: region.homes[i].members[i].instance.state
        for i in wanted
        if i in region.homes and i in region.homes[i].members
    }
    if wanted - set(found):
        found |= {i.id: i.state for i in region.ec2.all_instances() if i.id in wanted}
    return found


def _health(region: Region, group: TargetGroup, target: Target, instance: str | None) -> str:
    if target.drained is not None:
        return "draining"
    if group.used is None:
        return "unused"
    if instance in {"stopped", "stopping"}:
        return "stopped"
    home = region.homes.get(target.id)
    names = (group.name, target.id, *((home.name,) if home else ()))
    since = max(target.registered, group.used)
    if hands.is_unhealthy(names, since, region.at):
        return "unhealthy"
    return "healthy" if region.at >= since + physics.current().healthy else "initial"


def _describe(group: TargetGroup, instance: str, port: int | None, state: str) -> Body:
    health_: Body = {"State": "unused" if state == "stopped" else state}
    if state in _REASONS:
        health_["Reason"], health_["Description"] = _REASONS[state]
    check = group.body.get("HealthCheckPort", "traffic-port")
    return {
        "Target": {"Id": instance, "Port": port},
        "HealthCheckPort": str(port) if check == "traffic-port" else check,
        "TargetHealth": health_,
    }


def describe_target_health(region: Region, params: Params) -> Body:
    """elbv2:DescribeTargetHealth."""
    group = target_group(region, params["TargetGroupArn"])
    states = health(region, group)
    wanted = params.get("Targets")
    if wanted is None:
        return {"TargetHealthDescriptions": [_describe(group, i, p, s) for (i, p), s in states.items()]}
    found = []
    for one in wanted:
        key = (one["Id"], one.get("Port") or group.body.get("Port"))
        described = _describe(group, *key, states.get(key, ""))
        if key not in states:
            described["TargetHealth"] = {
                "State": "unused",
                "Reason": "Target.NotRegistered",
                "Description": "Target is not registered to the target group",
            }
        found.append(described)
    return {"TargetHealthDescriptions": found}


def register_targets(region: Region, params: Params) -> None:
    """elbv2:RegisterTargets. Raises: InvalidTarget for an instance that does not run."""
    group = target_group(region, params["TargetGroupArn"])
    if group.body["TargetType"] == "instance":
        running: dict[str, Any] = {i.id: i.state for i in region.ec2.all_instances()}
        ids = [t["Id"] for t in params["Targets"]]
        if bad := [i for i in ids if i not in running]:
            raise Refused(
                "InvalidTarget", f"The following targets are not valid: {', '.join(map(repr, bad))}"
            )
        if bad := [i for i in ids if running[i] not in {"running", "pending"}]:
            names = ", ".join(map(repr, bad))
            raise Refused(
                "InvalidTarget",
                f"The following targets are not in a running state and cannot be registered: {names}",
            )
    for one in params["Targets"]:
        register(region, group, one["Id"], one.get("Port"))


def deregister_targets(region: Region, params: Params) -> None:
    """elbv2:DeregisterTargets."""
    group = target_group(region, params["TargetGroupArn"])
    for one in params["Targets"]:
        deregister(region, group, one["Id"], one.get("Port"))


def leave(region: Region, instances: Sequence[str]) -> None:
    """Begin to drain instances wherever they are targets."""
    for group in region.target_groups.values():
        for one in instances:
            deregister(region, group, one)


OPERATIONS: Final[dict[str, Operation]] = {
    "DeregisterTargets": deregister_targets,
    "DescribeTargetHealth": describe_target_health,
    "RegisterTargets": register_targets,
}
