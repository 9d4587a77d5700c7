"""What moves a group, or holds it: policies, scheduled actions, hooks, suspended processes."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from emulator import attachments, instances
from emulator.activities import begin, end, group_pages, stamp
from emulator.region import Body, Group, Region, new_id
from emulator.scope import changeable, group_named, group_of
from emulator.sizes import set_sizes
from emulator.wire import Operation, Params, Refused, invalid

PROCESSES: Final = (
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
)
_TYPES: Final = {
    "SimpleScaling": "ScalingAdjustment",
    "StepScaling": "StepAdjustments",
    "TargetTrackingScaling": "TargetTrackingConfiguration",
    "PredictiveScaling": "PredictiveScalingConfiguration",
}
_SIZES: Final = ("MinSize", "MaxSize", "DesiredCapacity")


def put_policy(region: Region, params: Params) -> Body:
    """autoscaling:PutScalingPolicy."""
    group = changeable(region, params["AutoScalingGroupName"])
    name, kind = params["PolicyName"], params.get("PolicyType", "SimpleScaling")
    if kind not in _TYPES:
        raise invalid(f"Policy type '{kind}' must be one of {', '.join(_TYPES)}")
    if _TYPES[kind] not in params:
        raise invalid(f"{_TYPES[kind]} must be specified for policy type {kind}")
    if len(group.policies) >= 50 and name not in group.policies:
        raise invalid("A group has at most 50 scaling policies")
    if "TargetTrackingConfiguration" in params:
        _check_label(region, group, params["TargetTrackingConfiguration"])
    there = group.policies.get(name, {})
    stem = f"scalingPolicy:{new_id()}:autoScalingGroupName/{group.name}:policyName/{name}"
    body = {"Enabled": True, "StepAdjustments": [], "Alarms": _alarms(region, group, params, kind), **params}
    body |= {"PolicyType": kind, "PolicyARN": there.get("PolicyARN") or region.arn("autoscaling", stem)}
    tracking = body.get("TargetTrackingConfiguration")
    if tracking is not None:
        body["TargetTrackingConfiguration"] = {"DisableScaleIn": False, **tracking}
    group.policies[name] = body
    return {"PolicyARN": body["PolicyARN"], "Alarms": body["Alarms"]}


def _check_label(region: Region, group: Group, tracking: Body) -> None:
    """Requests per target are counted behind a balancer, for a target group of this group."""
    spec = tracking.get("PredefinedMetricSpecification", {})
    if spec.get("PredefinedMetricType") != "ALBRequestCountPerTarget":
        return
    label = spec.get("ResourceLabel", "")
    balancer, _, target_group = label.partition("/targetgroup/")
    stem = region.arn("elasticloadbalancing", "")
    arn, owner = f"{stem}targetgroup/{target_group}", f"{stem}loadbalancer/{balancer}"
    if not target_group or arn not in attachments.attached(group.target_groups):
        raise invalid(f"Resource label '{label}' names no target group of this Auto Scaling group")
    if owner not in region.target_groups[arn].body["LoadBalancerArns"]:
        raise invalid(f"The load balancer of '{label}' does not route traffic to the target group")


def _alarms(region: Region, group: Group, params: Params, kind: str) -> list[Body]:
    """Target tracking keeps two alarms of its own; other policies have those that name them."""
    if kind != "TargetTrackingScaling":
        return []
    names = [f"TargetTracking-{group.name}-Alarm{side}-{new_id()}" for side in ("High", "Low")]
    if params["TargetTrackingConfiguration"].get("DisableScaleIn"):
        del names[1]
    return [{"AlarmName": n, "AlarmARN": region.arn("cloudwatch", f"alarm:{n}")} for n in names]


def describe_policies(region: Region, params: Params) -> Body:
    """autoscaling:DescribePolicies, of one group or of all."""
    found = _of_groups(region, params, lambda g: g.policies)
    if names := params.get("PolicyNames"):
        found = [(k, p) for k, p in found if p["PolicyName"] in names or p["PolicyARN"] in names]
    if kinds := params.get("PolicyTypes"):
        found = [(k, p) for k, p in found if p["PolicyType"] in kinds]
    return group_pages(found, params, "ScalingPolicies")


def _of_groups(
    region: Region, params: Params, table: Callable[[Group], dict[str, Body]]
) -> list[tuple[str, Body]]:
    wanted = params.get("AutoScalingGroupName")
    groups = [group_named(region, wanted)] if wanted else list(region.groups.values())
    return [(f"{g.name}:{name}", body) for g in groups for name, body in table(g).items()]


def delete_policy(region: Region, params: Params) -> None:
    """autoscaling:DeletePolicy, by name or ARN."""
    wanted = params["PolicyName"]
    if wanted.startswith("arn:"):
        groups = list(region.groups.values())
    else:
        if "AutoScalingGroupName" not in params:
            raise invalid("AutoScalingGroupName must be specified where a policy is not named by its ARN")
        groups = [group_of(region, params)]
    for group in groups:
        for name, body in group.policies.items():
            if wanted in {name, body["PolicyARN"]}:
                del group.policies[name]
                return
    raise invalid(f"ScalingPolicy '{wanted}' not found")


def put_schedule(region: Region, params: Params) -> None:
    """autoscaling:PutScheduledUpdateGroupAction."""
    group = changeable(region, params["AutoScalingGroupName"])
    if not any(k in params for k in _SIZES):
        raise invalid("At least one of MinSize, MaxSize and DesiredCapacity must be specified")
    low, high = params.get("MinSize", 0), params.get("MaxSize", 10**9)
    if not low <= params.get("DesiredCapacity", low) <= high:
        raise invalid("Min, max and desired sizes of a scheduled action must be in order")
    start = params.get("StartTime") or params.get("Time")
    if start is not None and _aware(start) < region.at:
        raise invalid("Given start time is in the past")
    if start is None and "Recurrence" not in params:
        raise invalid("Either a start time or a recurrence must be specified")
    name = params["ScheduledActionName"]
    if len(group.schedules) >= 125 and name not in group.schedules:
        raise invalid("A group has at most 125 scheduled actions")
    stem = (
        f"scheduledUpdateGroupAction:{new_id()}:autoScalingGroupName/{group.name}:scheduledActionName/{name}"
    )
    there = group.schedules.get(name, {})
    body = {k: v for k, v in params.items() if k not in {"StartTime", "Time"}}
    body["ScheduledActionARN"] = there.get("ScheduledActionARN") or region.arn("autoscaling", stem)
    first = next_run(body, region.at) if start is None else _aware(start)
    if first is None:
        raise invalid(f"The recurrence '{params.get('Recurrence')}' never comes")
    body |= {"StartTime": first, "Time": first}
    group.schedules[name] = body
    _plan(region, group, body)


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def next_run(body: Body, after: datetime) -> datetime | None:
    """Return when a recurrence comes next. Raises: ValidationError for one that can't be read."""
    if "Recurrence" not in body:
        return None
    try:
        zone = ZoneInfo(body.get("TimeZone", "UTC"))
        return next(CronSim(body["Recurrence"], after.astimezone(zone))).astimezone(UTC)
    except (ZoneInfoNotFoundError, ValueError):
        raise invalid(f"Invalid time zone '{body['TimeZone']}'") from None
    except CronSimError:
        raise invalid(f"Given recurrence string: {body['Recurrence']} is invalid") from None
    except StopIteration:
        return None


def _plan(region: Region, group: Group, body: Body) -> None:
    region.later(body["StartTime"] - region.at, lambda: _run(region, group, body))


def _run(region: Region, group: Group, body: Body) -> None:
    name = body["ScheduledActionName"]
    if group.schedules.get(name) is not body or group.deleting:
        return
    if group.runs("ScheduledActions"):
        why = f"At {stamp(region.at)} the scheduled action {name} was executed. "
        sizes: dict[str, int] = {k: body[k] for k in _SIZES if k in body}
        try:
            set_sizes(group, sizes)
        except Refused as error:  # the group's other bounds have changed since
            end(
                region,
                begin(region, group, f"Executing scheduled action {name}", why),
                "Failed",
                error.message,
            )
        else:
            instances.settle(region, group, why)
    following = next_run(body, region.at)
    until = body.get("EndTime")
    if following is None or (until is not None and following > _aware(until)):
        del group.schedules[name]
        return
    body |= {"StartTime": following, "Time": following}
    _plan(region, group, body)


def describe_schedules(region: Region, params: Params) -> Body:
    """autoscaling:DescribeScheduledActions, of one group or of all."""
    found = _of_groups(region, params, lambda g: g.schedules)
    if names := params.get("ScheduledActionNames"):
        found = [(k, s) for k, s in found if s["ScheduledActionName"] in names]
    if low := params.get("StartTime"):
        found = [(k, s) for k, s in found if s["StartTime"] >= _aware(low)]
    if high := params.get("EndTime"):
        found = [(k, s) for k, s in found if s["StartTime"] <= _aware(high)]
    return group_pages(found, params, "ScheduledUpdateGroupActions")


def delete_schedule(region: Region, params: Params) -> None:
    """autoscaling:DeleteScheduledAction."""
    schedules = group_of(region, params).schedules
    if params["ScheduledActionName"] not in schedules:
        raise invalid(f"ScheduledAction '{params['ScheduledActionName']}' not found")
    del schedules[params["ScheduledActionName"]]


def hook(group: Group, params: Params) -> Body:
    """Return a hook as describes show it. Raises: ValidationError."""
    name = params["LifecycleHookName"]
    there = group.hooks.get(name, {})
    transition = params.get("LifecycleTransition") or there.get("LifecycleTransition")
    if transition not in {instances.LAUNCHING, instances.TERMINATING}:
        raise invalid(f"Lifecycle transition '{transition}' is not valid")
    timeout = int({"HeartbeatTimeout": 3600, **there, **params}["HeartbeatTimeout"])
    if not 30 <= timeout <= 7200:
        raise invalid("HeartbeatTimeout must be between 30 and 7200 seconds")
    result = params.get("DefaultResult", there.get("DefaultResult", "ABANDON"))
    if result not in {"CONTINUE", "ABANDON"}:
        raise invalid(f"DefaultResult '{result}' must be CONTINUE or ABANDON")
    body = {**there, **params, "AutoScalingGroupName": group.name, "LifecycleTransition": transition}
    limit = {"GlobalTimeout": min(172800, 100 * timeout)}
    return {**body, "HeartbeatTimeout": timeout, "DefaultResult": result, **limit}


def put_hook(region: Region, params: Params) -> None:
    """autoscaling:PutLifecycleHook."""
    group = changeable(region, params["AutoScalingGroupName"])
    group.hooks[params["LifecycleHookName"]] = hook(group, params)


def describe_hooks(region: Region, params: Params) -> Body:
    """autoscaling:DescribeLifecycleHooks."""
    hooks, names = group_of(region, params).hooks, params.get("LifecycleHookNames")
    return {"LifecycleHooks": [h for n, h in hooks.items() if not names or n in names]}


def delete_hook(region: Region, params: Params) -> None:
    """autoscaling:DeleteLifecycleHook."""
    hooks = group_of(region, params).hooks
    if params["LifecycleHookName"] not in hooks:
        raise invalid(f"No Lifecycle Hook found with name: {params['LifecycleHookName']}")
    del hooks[params["LifecycleHookName"]]


def suspend(region: Region, params: Params) -> None:
    """autoscaling:SuspendProcesses."""
    group = changeable(region, params["AutoScalingGroupName"])
    reason = f"User suspended at {stamp(region.at)}"
    for process in _processes(params):
        group.suspended.setdefault(process, reason)


def resume(region: Region, params: Params) -> None:
    """autoscaling:ResumeProcesses: what was held back happens now."""
    group = changeable(region, params["AutoScalingGroupName"])
    for process in _processes(params):
        group.suspended.pop(process, None)
    instances.inspect(region, group)


def _processes(params: Params) -> list[str]:
    named: list[Any] = params.get("ScalingProcesses") or list(PROCESSES)
    if strange := [p for p in named if p not in PROCESSES]:
        raise invalid(f"The process type {strange[0]} is not supported")
    return named


def _process_types(region: Region, params: Params) -> Body:
    """autoscaling:DescribeScalingProcessTypes."""
    return {"Processes": [{"ProcessName": p} for p in PROCESSES]}


OPERATIONS: Final[dict[str, Operation]] = {
    "DeleteLifecycleHook": delete_hook,
    "DeletePolicy": delete_policy,
    "DeleteScheduledAction": delete_schedule,
    "DescribeLifecycleHooks": describe_hooks,
    "DescribePolicies": describe_policies,
    "DescribeScalingProcessTypes": _process_types,
    "DescribeScheduledActions": describe_schedules,
    "PutLifecycleHook": put_hook,
    "PutScalingPolicy": put_policy,
    "PutScheduledUpdateGroupAction": put_schedule,
    "ResumeProcesses": resume,
    "SuspendProcesses": suspend,
}
