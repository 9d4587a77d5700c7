"""The life of a group's instances, by the clock: launched, in service, unhealthy, terminated, replaced."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from moto.core.exceptions import ServiceException

from emulator import attachments, capacity, hands, physics
from emulator.activities import begin, end, stamp
from emulator.region import Body, Group, Member, Region, new_id

LAUNCHING: Final = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING: Final = "autoscaling:EC2_INSTANCE_TERMINATING"
_RETRY: Final = timedelta(minutes=1)  # after a failed launch; twice as long after each more, to 16 minutes
_ASIDE: Final = {"Standby", "EnteringStandby"}

_ABANDONED: Final = (
    "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token {token} was abandoned:"
    " Lifecycle Action Completed with ABANDON Result"
)
_OUT: Final = "an instance was taken out of service in response to"
BY_EC2: Final = f"{_OUT} an EC2 health check indicating it has been terminated or stopped."
BY_USER: Final = f"{_OUT} a user health-check."
BY_ELB: Final = f"{_OUT} an ELB system health check failure."


def counted(group: Group) -> list[Member]:
    """Return the instances that make up the capacity."""
    return [m for m in group.members.values() if not m.leaving and m.state not in _ASIDE]


def settle(region: Region, group: Group, why: str = "") -> None:
    """Let a group do what its sizes and the health of its instances ask for, as far as its processes run."""
    if group.deleting:
        return
    _replace(region, group)
    desired = group.body["DesiredCapacity"]
    have = sum(m.weight for m in counted(group))
    if have < desired and group.runs("Launch"):
        cause = _cause(
            region,
            why,
            "an instance was started in response to",
            f"increasing the capacity from {have} to {desired}",
        )
        while have < desired:
            launched = _launch(region, group, cause)
            if launched is None:
                return
            have += launched.weight
    elif have > desired and group.runs("Terminate"):
        cause = _cause(region, why, _OUT, f"shrinking the capacity from {have} to {desired}")
        for member in _surplus(group, have - desired):
            terminate(region, group, member, cause)


def _cause(region: Region, why: str, what: str, how: str) -> str:
    return f"{why}At {stamp(region.at)} {what} a difference between desired and actual capacity, {how}."


def _replace(region: Region, group: Group) -> None:
    for member in list(group.members.values()):
        if member.dead and group.runs("HealthCheck") and member.state not in _ASIDE:
            member.body["HealthStatus"] = "Unhealthy"
            member.why = BY_EC2
        sick = (
            member.body["HealthStatus"] == "Unhealthy" and not member.leaving and member.state not in _ASIDE
        )
        if sick and group.runs("ReplaceUnhealthy") and group.runs("Terminate"):
            terminate(region, group, member, f"At {stamp(region.at)} {member.why or BY_USER}")


def _launch(region: Region, group: Group, cause: str) -> Member | None:
    activity = begin(region, group, "Launching a new EC2 instance", cause)
    reason = hands.launch_failure_of(group.name)
    if reason is None:
        try:
            launch = capacity.next_launch(region, group)
            instance = capacity.run(region, group, launch)
        except ServiceException as error:
            reason = f"{error.message} Launching EC2 instance failed."
        else:
            return _pending(region, group, launch, instance, activity)
    activity["Description"] += f".  Status Reason: {reason}"
    end(region, activity, "Failed", reason)
    if not group.retrying:
        group.retrying = True
        region.later(_RETRY * 2 ** min(group.failures, 4), lambda: _retry(region, group))
    group.failures += 1
    return None


def _retry(region: Region, group: Group) -> None:
    group.retrying = False
    settle(region, group)


def _pending(region: Region, group: Group, launch: capacity.Launch, instance: Any, activity: Body) -> Member:
    group.failures = 0
    template = launch.template.template
    body = {
        "InstanceId": instance.id,
        "InstanceType": launch.type,
        "AvailabilityZone": instance.availability_zone,
        "LifecycleState": "Pending",
        "HealthStatus": "Healthy",
        "LaunchTemplate": {
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "Version": str(launch.template.number),
        },
        "ProtectedFromScaleIn": group.body["NewInstancesProtectedFromScaleIn"],
        **({"WeightedCapacity": str(launch.weight)} if launch.weight != 1 else {}),
    }
    member = Member(
        body=body,
        instance=instance,
        launched_at=region.at,
        spot=launch.spot,
        weight=launch.weight,
        activity=activity,
    )
    activity["Description"] = f"Launching a new EC2 instance: {instance.id}"
    activity["Details"] = (
        f'{{"Subnet ID":"{launch.subnet}","Availability Zone":"{instance.availability_zone}"}}'
    )
    group.members[member.id] = member
    region.homes[member.id] = group
    mark = member.enter("Pending")
    region.later(physics.current().boot, lambda: _booted(region, group, member, mark))
    return member


def _booted(region: Region, group: Group, member: Member, mark: int) -> None:
    if member.waiting == mark and not _wait(region, group, member, LAUNCHING, "Pending:Wait"):
        _serve(region, group, member)


def _wait(region: Region, group: Group, member: Member, transition: str, state: str) -> bool:
    """Let an instance wait for its hooks, if there are any, until they time out or are completed."""
    hooks = [h for h in group.hooks.values() if h["LifecycleTransition"] == transition]
    if not hooks:
        return False
    mark = member.enter(state)
    longest = max(hooks, key=lambda h: h["HeartbeatTimeout"])
    result = "ABANDON" if any(h["DefaultResult"] == "ABANDON" for h in hooks) else "CONTINUE"
    delay = timedelta(seconds=longest["HeartbeatTimeout"])
    region.later(delay, lambda: _heard_nothing(region, group, member, mark, result))
    return True


def _heard_nothing(region: Region, group: Group, member: Member, mark: int, result: str) -> None:
    if member.waiting == mark:
        proceed(region, group, member, result)


def beat(region: Region, group: Group, member: Member, timeout: timedelta) -> None:
    """Begin an instance's wait anew."""
    mark = member.enter(member.state)
    region.later(timeout, lambda: _heard_nothing(region, group, member, mark, "ABANDON"))


def proceed(region: Region, group: Group, member: Member, result: str) -> None:
    """End an instance's wait: into service, or away where a launch was abandoned."""
    if member.state == "Terminating:Wait":
        _go(region, group, member)
    elif member.state == "Pending:Wait":
        if result == "CONTINUE":
            _serve(region, group, member)
            return
        if member.activity is not None:
            reason = _ABANDONED.format(token=new_id())
            member.activity["Description"] += f".  Status Reason: {reason}"
            end(region, member.activity, "Cancelled", reason)
        member.activity = None
        cause = f"At {stamp(region.at)} {_OUT} an abandoned lifecycle action."
        terminate(region, group, member, cause)
        settle(region, group)


def _serve(region: Region, group: Group, member: Member) -> None:
    member.enter("InService")
    member.in_service_at = region.at
    end(region, member.activity)
    member.activity = None
    attachments.place(region, group, member)
    if "ELB" in group.body["HealthCheckType"]:
        grace = timedelta(seconds=group.body["HealthCheckGracePeriod"])
        region.later(max(grace, physics.current().healthy), lambda: inspect(region, group))


def inspect(region: Region, group: Group) -> None:
    """Mark what fails its balancer's checks after the grace period, where the group counts those."""
    if "ELB" in group.body["HealthCheckType"] and group.runs("HealthCheck"):
        grace = timedelta(seconds=group.body["HealthCheckGracePeriod"])
        for instance in attachments.unhealthy(region, group) & set(group.members):
            member = group.members[instance]
            since = member.in_service_at
            if member.state == "InService" and since is not None and region.at >= since + grace:
                member.body["HealthStatus"] = "Unhealthy"
                member.why = BY_ELB
    settle(region, group)


def terminate(region: Region, group: Group, member: Member, cause: str, *, hooks: bool = True) -> Body | None:
    """Begin to terminate an instance: out of its balancers, through its hooks. Returns the activity."""
    if member.leaving:
        return member.activity
    end(region, member.activity, "Cancelled")
    zone = member.body["AvailabilityZone"]
    member.activity = begin(region, group, f"Terminating EC2 instance: {member.id}", cause, zone)
    attachments.remove(region, group, member)
    if member.dead or not hooks or not _wait(region, group, member, TERMINATING, "Terminating:Wait"):
        _go(region, group, member)
    return member.activity


def _go(region: Region, group: Group, member: Member) -> None:
    mark = member.enter("Terminating")
    if member.instance.state != "terminated":
        member.instance._state.name, member.instance._state.code = "shutting-down", 32
    region.later(physics.current().terminate, lambda: _gone(region, group, member, mark))


def _gone(region: Region, group: Group, member: Member, mark: int) -> None:
    if member.waiting != mark:
        return
    if member.instance.state != "terminated":
        member.instance.terminate()
    end(region, member.activity)
    del group.members[member.id], region.homes[member.id]
    if group.deleting and not group.members:
        finish(region, group)
    settle(region, group)


def delete(region: Region, group: Group) -> None:
    """Begin to delete a group, with all of its instances and without their hooks."""
    group.body |= {"Status": "Delete in progress", "MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0}
    cause = f"At {stamp(region.at)} an instance was taken out of service in response to a user request."
    for member in list(group.members.values()):
        if member.state == "Terminating:Wait":
            _go(region, group, member)
        terminate(region, group, member, cause, hooks=False)
    if not group.members:
        finish(region, group)


def finish(region: Region, group: Group) -> None:
    """Remove an empty group after the time that AWS needs for it, with all that was its own."""
    region.later(physics.current().delete, lambda: _removed(region, group))


def _removed(region: Region, group: Group) -> None:
    if region.groups.get(group.name) is group:
        region.past += group.activities
        del region.groups[group.name]


def _surplus(group: Group, count: int) -> list[Member]:
    """Return what a scale-in takes: from the fullest zone, by policy, never protected ones."""
    left = [m for m in counted(group) if not m.body["ProtectedFromScaleIn"]]
    going: list[Member] = []
    while count > 0 and left:
        zones = [m.body["AvailabilityZone"] for m in left]
        fullest = max(zones.count(z) for z in zones)
        choice = [m for m in left if zones.count(m.body["AvailabilityZone"]) == fullest]
        policies = group.body["TerminationPolicies"]
        newest = policies[0] == "NewestInstance"
        if policies[0] in {"Default", "OldestLaunchTemplate"}:
            choice.sort(key=lambda m: (int(m.body["LaunchTemplate"]["Version"]), m.launched_at))
        else:
            choice.sort(key=lambda m: m.launched_at, reverse=newest)
        if choice[0].weight > count:
            break
        count -= choice[0].weight
        left.remove(choice[0])
        going.append(choice[0])
    return going


def lost(region: Region, instances: Sequence[str]) -> None:
    """Let groups notice instances that somebody terminated or stopped."""
    for one in instances:
        group = region.homes.get(one)
        if group is not None:
            group.members[one].dead = True
            settle(region, group)
