"""EC2 Auto Scaling: groups, made, changed, described and deleted. In the place of moto's.

Nothing happens at once here: instances boot, drain and end by the emulator's clock (see `instances`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from moto.autoscaling.models import AutoScalingBackend
from moto.autoscaling.responses import AutoScalingResponse
from moto.ec2.exceptions import InvalidInstanceIdError
from moto.ec2.models import EC2Backend

from emulator import activities, attachments, group_settings, group_tags, hands, instances, members, scaling
from emulator.activities import group_pages, stamp
from emulator.patch import patch
from emulator.region import INSPECT, LOST, Body, Group, Region, region_of, regions
from emulator.scope import changeable, group_named
from emulator.sizes import check_sizes, set_sizes
from emulator.wire import Operation, Params, Refused, invalid, serve

_SIZES: Final = ("MinSize", "MaxSize", "DesiredCapacity")


def create(region: Region, params: Params) -> None:
    """autoscaling:CreateAutoScalingGroup."""
    name = params["AutoScalingGroupName"]
    group_settings.check_name(name)
    if name in region.groups:
        pending = (
            " and is pending delete.  Please wait until Autoscaling completes the deletion process before"
            " creating another group with the same name."
        )
        raise Refused(
            "AlreadyExists",
            f"AutoScalingGroup by this name already exists - A group with the name {name} already exists"
            + (pending if region.groups[name].deleting else ""),
        )
    low, high = int(params["MinSize"]), int(params["MaxSize"])
    desired = int(params.get("DesiredCapacity", low))
    check_sizes(low, high, desired)
    body = group_settings.new(region, params)
    arns, classic = _attached(params)
    attachments.check(region, arns, classic)
    group = Group(body={k: v for k, v in body.items() if v is not None})
    group.body |= {"MinSize": low, "MaxSize": high, "DesiredCapacity": desired}
    group_tags.put(group, params.get("Tags", []))
    for one in params.get("LifecycleHookSpecificationList", []):
        group.hooks[one["LifecycleHookName"]] = scaling.hook(group, one)
    region.groups[name] = group
    attachments.attach(region, group, arns, classic)
    why = (
        f"At {stamp(region.at)} a user request created an AutoScalingGroup changing the desired capacity"
        f" from 0 to {desired}. "
    )
    instances.settle(region, group, why)


def _attached(params: Params) -> tuple[list[str], list[str]]:
    arns, classic = list(params.get("TargetGroupARNs", [])), list(params.get("LoadBalancerNames", []))
    for source in params.get("TrafficSources", []):
        kind = source.get("Type") or ("elbv2" if ":targetgroup/" in source["Identifier"] else "elb")
        if kind not in {"elb", "elbv2"}:
            raise NotImplementedError(f"traffic sources of type {kind}")
        (arns if kind == "elbv2" else classic).append(source["Identifier"])
    return list(dict.fromkeys(arns)), list(dict.fromkeys(classic))


def update(region: Region, params: Params) -> None:
    """autoscaling:UpdateAutoScalingGroup: what is named is changed, and nothing else."""
    group = changeable(region, params["AutoScalingGroupName"])
    found = group_settings.changes(region, params, group.body)
    for size in _SIZES:
        found.pop(size, None)
    before = group.body["DesiredCapacity"]
    set_sizes(group, {k: params[k] for k in _SIZES if k in params})
    group_settings.apply(group.body, found)
    after = group.body["DesiredCapacity"]
    why = (
        f"At {stamp(region.at)} a user request update of AutoScalingGroup constraints changed the desired"
        f" capacity from {before} to {after}. "
    )
    instances.settle(region, group, why if before != after else "")


def set_desired(region: Region, params: Params) -> None:
    """autoscaling:SetDesiredCapacity."""
    group = changeable(region, params["AutoScalingGroupName"])
    wanted, low, high = params["DesiredCapacity"], group.body["MinSize"], group.body["MaxSize"]
    if wanted > high:
        raise invalid(
            f"New SetDesiredCapacity value {wanted} is above max value {high} for the AutoScalingGroup."
        )
    if wanted < low:
        raise invalid(
            f"New SetDesiredCapacity value {wanted} is below min value {low} for the AutoScalingGroup."
        )
    before = group.body["DesiredCapacity"]
    group.body["DesiredCapacity"] = wanted
    why = (
        f"At {stamp(region.at)} a user request explicitly set group desired capacity changing the desired"
        f" capacity from {before} to {wanted}. "
    )
    instances.settle(region, group, why)


def delete(region: Region, params: Params) -> None:
    """autoscaling:DeleteAutoScalingGroup: refused while anything is in it, unless forced; takes time."""
    group = group_named(region, params["AutoScalingGroupName"])
    force, protection = params.get("ForceDelete", False), group.body.get("DeletionProtection", "none")
    if group.deleting:
        return
    if protection == "prevent-all-deletion" or (force and protection == "prevent-force-deletion"):
        raise invalid(
            f"AutoScalingGroup '{group.name}' cannot be deleted: its deletion protection is {protection}"
        )
    if not force and any(not m.leaving for m in group.members.values()):
        raise Refused(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance"
            " request(s) still in the group.",
        )
    if not force and group.members:
        raise Refused(
            "ScalingActivityInProgress",
            "You cannot delete an AutoScalingGroup while there are scaling activities in progress for that"
            " group.",
        )
    instances.delete(region, group)


def describe(region: Region, params: Params) -> Body:
    """autoscaling:DescribeAutoScalingGroups."""
    names = params.get("AutoScalingGroupNames")
    groups = [g for g in region.groups.values() if not names or g.name in names]
    groups = group_tags.filtered(groups, params.get("Filters", []))
    with_instances = params.get("IncludeInstances", True)
    answer = group_pages([(g.name, g) for g in groups], params, "AutoScalingGroups")
    answer["AutoScalingGroups"] = [
        _described(g, with_instances=with_instances) for g in answer["AutoScalingGroups"]
    ]
    return answer


def _described(group: Group, *, with_instances: bool) -> Body:
    arns, classic = attachments.attached(group.target_groups), attachments.attached(group.classic)
    return {
        **group.body,
        "Instances": [m.body for m in group.members.values()] if with_instances else [],
        "Tags": [tag for _, tag in sorted(group.tags.items())],
        "SuspendedProcesses": [
            {"ProcessName": p, "SuspensionReason": r} for p, r in sorted(group.suspended.items())
        ],
        "TargetGroupARNs": arns,
        "LoadBalancerNames": classic,
        "TrafficSources": [
            *({"Identifier": a, "Type": "elbv2"} for a in arns),
            *({"Identifier": n, "Type": "elb"} for n in classic),
        ],
    }


OPERATIONS: Final[dict[str, Operation]] = {
    "CreateAutoScalingGroup": create,
    "DeleteAutoScalingGroup": delete,
    "DescribeAutoScalingGroups": describe,
    "DescribeScalingActivities": activities.describe,
    "SetDesiredCapacity": set_desired,
    "UpdateAutoScalingGroup": update,
    **attachments.OPERATIONS,
    **group_tags.OPERATIONS,
    **members.OPERATIONS,
    **scaling.OPERATIONS,
}

_STOP: Final = EC2Backend.stop_instances


def _stop(backend: EC2Backend, instance_ids: list[str], *args: Any, **kwargs: Any) -> Any:
    answer = _STOP(backend, instance_ids, *args, **kwargs)
    region_of(backend.account_id, backend.region_name).lost(instance_ids)
    return answer


def _get_instance(backend: EC2Backend, instance_id: str) -> Any:
    """Look from the newest on and copy nothing: moto asks for each instance that it has just made."""
    for reservation in reversed(backend.reservations.values()):
        for instance in reservation.instances:
            if instance.id == instance_id:
                return instance
    raise InvalidInstanceIdError(instance_id)


def _terminated(backend: AutoScalingBackend, instance_ids: Sequence[str]) -> None:
    region_of(backend.account_id, backend.region_name).lost(instance_ids)


def install() -> None:
    """Take the place of moto's Auto Scaling."""
    serve(AutoScalingResponse, "autoscaling", OPERATIONS)
    patch(AutoScalingBackend, notify_terminate_instances=_terminated)
    patch(EC2Backend, stop_instances=_stop, get_instance=_get_instance)
    LOST[:] = [instances.lost]
    INSPECT[:] = [instances.inspect]


def tick(now: datetime) -> None:
    """Do what is due, in every account and region, in the order of its times."""
    for one in regions():
        one.run_due(now)


def reset() -> None:
    """Take the test hands off. The rest goes with moto's own reset."""
    hands.reset()
