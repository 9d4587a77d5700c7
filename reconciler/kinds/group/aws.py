"""Auto Scaling groups on AWS: reading. Writing stands in `write`. The two impure files of this kind."""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from reconciler.core.digest import canonical
from reconciler.core.facts import FLEET, OWNER, to_tags
from reconciler.core.ids import Arn, InstanceId, ResourceName
from reconciler.gateway.session import Aws
from reconciler.kinds.group.live import Instance, LiveGroup
from reconciler.kinds.group.want import Hook, Members, Policy, Schedule, Sizes

PAGE: Final = 100  # of every paged operation of Auto Scaling
HEALTH: Final = ("HealthCheckType", "HealthCheckGracePeriod")
SETTINGS: Final[dict[str, Any]] = {
    "DefaultInstanceWarmup": -1,
    "CapacityRebalance": False,
    "MaxInstanceLifetime": 0,
    "DefaultCooldown": 300,
    "TerminationPolicies": ["Default"],
    "NewInstancesProtectedFromScaleIn": False,
    "InstanceMaintenancePolicy": None,
    "AvailabilityZoneDistribution": None,
}
"""Members that may change beside the revision, and what AWS means where it leaves them out."""

TRANSITIONS: Final = {
    "launch": "autoscaling:EC2_INSTANCE_LAUNCHING",
    "terminate": "autoscaling:EC2_INSTANCE_TERMINATING",
}


def read(aws: Aws, owner: str) -> tuple[LiveGroup, ...]:
    """Return every group that carries our owner tag, by name, with its policies and schedules.

    Source: autoscaling:DescribeAutoScalingGroups (filtered by tag), DescribePolicies and
    DescribeScheduledActions (of the whole account), 100 a page each, side by side.
    """
    reads = [
        (
            "describe_auto_scaling_groups",
            "AutoScalingGroups",
            {"Filters": [{"Name": f"tag:{OWNER}", "Values": [owner]}]},
        ),
        ("describe_policies", "ScalingPolicies", {}),
        ("describe_scheduled_actions", "ScheduledUpdateGroupActions", {}),
    ]
    groups, policies, schedules = aws.each(lambda r: _pages(aws, *r), reads)
    by_group: dict[str, list[Policy]] = defaultdict(list)
    for raw in policies:
        if raw.get("PolicyType") == "TargetTrackingScaling":
            by_group[raw["AutoScalingGroupName"]].append(to_policy(raw))
    timed: dict[str, list[Schedule]] = defaultdict(list)
    for raw in schedules:
        timed[raw["AutoScalingGroupName"]].append(to_schedule(raw))
    made = [
        to_group(r, by_group[r["AutoScalingGroupName"]], timed[r["AutoScalingGroupName"]]) for r in groups
    ]
    return tuple(sorted(made, key=lambda g: g.name))


def _pages(aws: Aws, operation: str, key: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    paginator = aws.client("autoscaling").get_paginator(operation)
    pages = paginator.paginate(**params, PaginationConfig={"PageSize": PAGE})
    return [raw for page in pages for raw in page[key]]


def find(aws: Aws, name: str) -> LiveGroup | None:
    """Return one group by name as it is now, without policies and schedules; None if there is none."""
    raws = aws.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    found = raws["AutoScalingGroups"]
    return to_group(found[0], (), ()) if found else None


def find_all(aws: Aws, owner: str, fleet: str) -> tuple[LiveGroup, ...]:
    """Return the groups of one fleet as they are now, without policies and schedules."""
    filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in ((OWNER, owner), (FLEET, fleet))]
    raws = _pages(aws, "describe_auto_scaling_groups", "AutoScalingGroups", {"Filters": filters})
    return tuple(to_group(raw, (), ()) for raw in raws)


def to_group(raw: dict[str, Any], policies: Sequence[Policy], schedules: Sequence[Schedule]) -> LiveGroup:
    """Return the fact behind one answer of DescribeAutoScalingGroups."""
    template, mixed = _template(raw)
    return LiveGroup(
        name=ResourceName(raw["AutoScalingGroupName"]),
        arn=Arn(raw.get("AutoScalingGroupARN", "")),
        tags=to_tags((t["Key"], t.get("Value", "")) for t in raw.get("Tags", [])),
        sizes=Sizes(min=raw["MinSize"], max=raw["MaxSize"], desired=raw["DesiredCapacity"]),
        template=ResourceName(template.get("LaunchTemplateName", "")),
        template_version=str(template.get("Version", "$Default")),
        subnets=tuple(sorted(s for s in raw.get("VPCZoneIdentifier", "").split(",") if s)),
        target_groups=tuple(sorted(Arn(a) for a in raw.get("TargetGroupARNs", []))),
        classic=tuple(sorted(raw.get("LoadBalancerNames", []))),
        health=tuple(
            (k, canonical(v))
            for k, v in (
                ("HealthCheckGracePeriod", raw.get("HealthCheckGracePeriod", 0)),
                ("HealthCheckType", raw.get("HealthCheckType", "EC2")),
            )
        ),
        settings=_settings(raw),
        mixed=mixed,
        suspended=tuple(
            sorted(
                (p["ProcessName"], p.get("SuspensionReason", "")) for p in raw.get("SuspendedProcesses", [])
            )
        ),
        policies=tuple(sorted(policies, key=lambda p: p.name)),
        schedules=tuple(sorted(schedules, key=lambda s: s.name)),
        instances=tuple(sorted((to_instance(i) for i in raw.get("Instances", [])), key=lambda i: i.id)),
        deleting=bool(raw.get("Status")),
        propagated=tuple(sorted(t["Key"] for t in raw.get("Tags", []) if t.get("PropagateAtLaunch"))),
    )


def _settings(raw: dict[str, Any]) -> Members:
    return tuple((k, canonical(raw.get(k, default))) for k, default in sorted(SETTINGS.items()))


def _template(raw: dict[str, Any]) -> tuple[dict[str, Any], str]:
    policy = raw.get("MixedInstancesPolicy")
    if not policy:
        return raw.get("LaunchTemplate", {}), ""
    inner = policy.get("LaunchTemplate", {})
    return inner.get("LaunchTemplateSpecification", {}), to_mixed(policy)


def to_mixed(policy: dict[str, Any]) -> str:
    """Return a mixed instances policy without its template, as `want` writes it."""
    distribution = policy.get("InstancesDistribution", {})
    kept = ("OnDemandBaseCapacity", "OnDemandPercentageAboveBaseCapacity", "SpotAllocationStrategy")
    overrides = policy.get("LaunchTemplate", {}).get("Overrides", [])
    return canonical(
        {
            "InstancesDistribution": {k: distribution.get(k) for k in kept},
            "LaunchTemplate": {"Overrides": [{"InstanceType": o.get("InstanceType")} for o in overrides]},
        }
    )


def to_instance(raw: dict[str, Any]) -> Instance:
    """Return one instance of a group."""
    template = raw.get("LaunchTemplate", {})
    return Instance(
        id=InstanceId(raw["InstanceId"]),
        lifecycle=raw.get("LifecycleState", ""),
        healthy=raw.get("HealthStatus", "") == "Healthy",
        zone=raw.get("AvailabilityZone", ""),
        template=template.get("LaunchTemplateName", ""),
        version=str(template.get("Version", "")),
        type=raw.get("InstanceType", ""),
        protected=bool(raw.get("ProtectedFromScaleIn")),
    )


def to_policy(raw: dict[str, Any]) -> Policy:
    """Return a target tracking policy; the balancer's label is put in when written, so it is left out."""
    body = json.loads(canonical(raw.get("TargetTrackingConfiguration", {})))
    predefined = body.get("PredefinedMetricSpecification", {})
    predefined.pop("ResourceLabel", None)
    if body.get("DisableScaleIn") is False:
        del body["DisableScaleIn"]
    body["TargetValue"] = float(body.get("TargetValue", 0))
    return Policy(name=raw["PolicyName"], body=canonical(body))


def to_schedule(raw: dict[str, Any]) -> Schedule:
    """Return a scheduled action."""
    return Schedule(
        name=raw["ScheduledActionName"],
        cron=raw.get("Recurrence", ""),
        timezone=raw.get("TimeZone", "UTC"),
        min=int(raw.get("MinSize", 0)),
        max=int(raw.get("MaxSize", 0)),
    )


def read_hooks(aws: Aws, names: Sequence[ResourceName]) -> dict[ResourceName, tuple[Hook, ...]]:
    """Return the hooks of some groups. Source: autoscaling:DescribeLifecycleHooks, one call each."""
    client = aws.client("autoscaling")
    found = aws.each(
        lambda n: client.describe_lifecycle_hooks(AutoScalingGroupName=n)["LifecycleHooks"], names
    )
    return {
        n: tuple(sorted(map(to_hook, raws), key=lambda h: h.name))
        for n, raws in zip(names, found, strict=True)
    }


def to_hook(raw: dict[str, Any]) -> Hook:
    """Return a lifecycle hook."""
    words = {v: k for k, v in TRANSITIONS.items()}
    return Hook(
        name=raw["LifecycleHookName"],
        on=words.get(raw.get("LifecycleTransition", ""), ""),
        timeout=int(raw.get("HeartbeatTimeout", 3600)),
        result=raw.get("DefaultResult", "ABANDON").lower(),
    )
