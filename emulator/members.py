"""Operations on single instances of groups."""

from datetime import timedelta
from typing import Final

from emulator import attachments, instances
from emulator.activities import begin, end, group_pages, stamp
from emulator.region import Body, Group, Member, Region
from emulator.scope import changeable, member_of
from emulator.wire import Operation, Params, invalid


def describe(region: Region, params: Params) -> Body:
    """autoscaling:DescribeAutoScalingInstances."""
    wanted = params.get("InstanceIds")
    found = [
        (i, {"AutoScalingGroupName": g.name, **g.members[i].body})
        for i, g in region.homes.items()
        if not wanted or i in wanted
    ]
    return group_pages(found, params, "AutoScalingInstances")


def terminate(region: Region, params: Params) -> Body:
    """autoscaling:TerminateInstanceInAutoScalingGroup: replaced, unless the capacity is decremented."""
    group, member = member_of(region, params["InstanceId"])
    low, desired = group.body["MinSize"], group.body["DesiredCapacity"]
    if params["ShouldDecrementDesiredCapacity"] and not member.leaving:
        if desired - 1 < low:
            raise invalid(
                f"Currently, desiredSize equals minSize ({low}). Terminating instance without replacement"
                " will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to"
                " false or lower group's min size."
            )
        group.body["DesiredCapacity"] = desired - 1
    cause = (
        f"At {stamp(region.at)} instance {member.id} was taken out of service in response to a user request."
    )
    activity = instances.terminate(region, group, member, cause)
    instances.settle(region, group)
    return {"Activity": activity}


def set_health(region: Region, params: Params) -> None:
    """autoscaling:SetInstanceHealth; within the grace period only if it is not to be respected."""
    group, member = member_of(region, params["InstanceId"])
    if params["HealthStatus"] not in {"Healthy", "Unhealthy"}:
        raise invalid("HealthStatus must be Healthy or Unhealthy")
    grace = timedelta(seconds=group.body["HealthCheckGracePeriod"])
    since = member.in_service_at
    if params.get("ShouldRespectGracePeriod", True) and (since is None or region.at < since + grace):
        return
    member.body["HealthStatus"] = params["HealthStatus"]
    member.why = instances.BY_USER
    instances.settle(region, group)


def _chosen(region: Region, params: Params) -> tuple[Group, list[Member]]:
    group = changeable(region, params["AutoScalingGroupName"])
    ids = params.get("InstanceIds", [])
    if strange := [i for i in ids if i not in group.members]:
        raise invalid(f"The instance {strange[0]} is not part of Auto Scaling group {group.name}.")
    return group, [group.members[i] for i in ids]


def set_protection(region: Region, params: Params) -> None:
    """autoscaling:SetInstanceProtection."""
    group, chosen = _chosen(region, params)
    for member in chosen:
        member.body["ProtectedFromScaleIn"] = params["ProtectedFromScaleIn"]
    instances.settle(region, group)


def enter_standby(region: Region, params: Params) -> Body:
    """autoscaling:EnterStandby."""
    group, chosen = _chosen(region, params)
    _in_state(chosen, "InService")
    _shrink(group, len(chosen), fewer=params["ShouldDecrementDesiredCapacity"])
    activities = []
    for member in chosen:
        attachments.remove(region, group, member)
        member.enter("Standby")
        activities.append(_moved(region, group, member, "Moving EC2 instance to Standby"))
    instances.settle(region, group)
    return {"Activities": activities}


def exit_standby(region: Region, params: Params) -> Body:
    """autoscaling:ExitStandby: the capacity grows by what comes back."""
    group, chosen = _chosen(region, params)
    _in_state(chosen, "Standby")
    if group.body["DesiredCapacity"] + len(chosen) > group.body["MaxSize"]:
        raise invalid(f"The desired size would be above the max size {group.body['MaxSize']}")
    activities = []
    for member in chosen:
        group.body["DesiredCapacity"] += 1
        member.enter("InService")
        attachments.place(region, group, member)
        activities.append(_moved(region, group, member, "Moving EC2 instance out of Standby"))
    return {"Activities": activities}


def detach(region: Region, params: Params) -> Body:
    """autoscaling:DetachInstances: they run on, in no group."""
    group, chosen = _chosen(region, params)
    _shrink(group, len(chosen), fewer=params["ShouldDecrementDesiredCapacity"])
    activities = []
    for member in chosen:
        attachments.remove(region, group, member)
        member.enter("Detached")
        del group.members[member.id], region.homes[member.id]
        activities.append(_moved(region, group, member, "Detaching EC2 instance"))
    instances.settle(region, group)
    return {"Activities": activities}


def _in_state(chosen: list[Member], state: str) -> None:
    for member in chosen:
        if member.state != state:
            raise invalid(f"The instance {member.id} is in {member.state} and not in {state}.")


def _shrink(group: Group, count: int, *, fewer: bool) -> None:
    if not fewer:
        return
    if group.body["DesiredCapacity"] - count < group.body["MinSize"]:
        raise invalid(f"The desired size would be below the min size {group.body['MinSize']}")
    group.body["DesiredCapacity"] -= count


def _moved(region: Region, group: Group, member: Member, what: str) -> Body:
    cause = f"At {stamp(region.at)} instance {member.id} was moved in response to a user request."
    activity = begin(region, group, f"{what}: {member.id}", cause, member.body["AvailabilityZone"])
    end(region, activity)
    return activity


def _waiting(region: Region, params: Params) -> tuple[Group, Member]:
    group = changeable(region, params["AutoScalingGroupName"])
    if params["LifecycleHookName"] not in group.hooks:
        raise invalid(f"No Lifecycle Hook found with name: {params['LifecycleHookName']}")
    member = group.members.get(params.get("InstanceId", ""))
    if member is None or not member.state.endswith(":Wait"):
        raise invalid(f"No active Lifecycle Action found with instance ID {params.get('InstanceId')}")
    return group, member


def complete_action(region: Region, params: Params) -> None:
    """autoscaling:CompleteLifecycleAction, by instance id."""
    group, member = _waiting(region, params)
    instances.proceed(region, group, member, params["LifecycleActionResult"])


def heartbeat(region: Region, params: Params) -> None:
    """autoscaling:RecordLifecycleActionHeartbeat, by instance id."""
    group, member = _waiting(region, params)
    hook = group.hooks[params["LifecycleHookName"]]
    instances.beat(region, group, member, timedelta(seconds=hook["HeartbeatTimeout"]))


OPERATIONS: Final[dict[str, Operation]] = {
    "CompleteLifecycleAction": complete_action,
    "DescribeAutoScalingInstances": describe,
    "DetachInstances": detach,
    "EnterStandby": enter_standby,
    "ExitStandby": exit_standby,
    "RecordLifecycleActionHeartbeat": heartbeat,
    "SetInstanceHealth": set_health,
    "SetInstanceProtection": set_protection,
    "TerminateInstanceInAutoScalingGroup": terminate,
}
