"""The settings of a group: what AWS fills in, and what it refuses."""

from typing import Any, Final

from emulator import capacity
from emulator.region import Body, Region, new_id
from emulator.wire import Params, invalid

_ELSEWHERE: Final = {
    "Tags",
    "TargetGroupARNs",
    "LoadBalancerNames",
    "TrafficSources",
    "LifecycleHookSpecificationList",
    "SkipZonalShiftValidation",
    "AvailabilityZones",
    "AvailabilityZoneIds",
}
_DEFAULTS: Final[Body] = {
    "DefaultCooldown": 300,
    "HealthCheckType": "EC2",
    "HealthCheckGracePeriod": 0,
    "TerminationPolicies": ["Default"],
    "NewInstancesProtectedFromScaleIn": False,
    "EnabledMetrics": [],
    "AvailabilityZoneDistribution": {"CapacityDistributionStrategy": "balanced-best-effort"},
    "AvailabilityZoneImpairmentPolicy": {
        "ZonalShiftEnabled": False,
        "ImpairedZoneHealthCheckBehavior": "IgnoreUnhealthy",
    },
    "CapacityReservationSpecification": {"CapacityReservationPreference": "default"},
}
_DISTRIBUTION: Final[Body] = {
    "OnDemandAllocationStrategy": "prioritized",
    "OnDemandBaseCapacity": 0,
    "OnDemandPercentageAboveBaseCapacity": 100,
    "SpotAllocationStrategy": "lowest-price",
}
_UNSET: Final[dict[str, Any]] = {
    "DefaultInstanceWarmup": -1,
    "MaxInstanceLifetime": 0,
    "InstanceMaintenancePolicy": {"MinHealthyPercentage": -1, "MaxHealthyPercentage": -1},
    "PlacementGroup": "",
    "Context": "",
}
"""Values by which a request takes a setting away."""

_CHECKS: Final = {"EC2", "ELB", "EBS", "VPC_LATTICE"}
_POLICIES: Final = {
    "AllocationStrategy",
    "ClosestToNextInstanceHour",
    "Default",
    "NewestInstance",
    "OldestInstance",
    "OldestLaunchConfiguration",
    "OldestLaunchTemplate",
}
_DAY: Final = 86400  # seconds


def check_name(name: str) -> None:
    """Raises: ValidationError for a name that no group can have."""
    if not 1 <= len(name) <= 255 or ":" in name or not name.isprintable():
        raise invalid(f"'{name}' is not a valid name of a group: 1 to 255 printable characters, no colon")


def new(region: Region, params: Params) -> Body:
    """Return the body of a new group without its sizes. Raises: ValidationError."""
    name = params["AutoScalingGroupName"]
    stem = f"autoScalingGroup:{new_id()}"
    role = "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    return {
        "AutoScalingGroupARN": region.arn("autoscaling", f"{stem}:autoScalingGroupName/{name}"),
        "CreatedTime": region.at,
        "ServiceLinkedRoleARN": f"arn:aws:iam::{region.account}:{role}",
        **_DEFAULTS,
        **changes(region, params, {}),
    }


def changes(region: Region, params: Params, body: Body) -> Body:
    """Return what a request would set in a body; None for what it takes away. Raises: ValidationError."""
    found = {k: v for k, v in params.items() if k not in _ELSEWHERE}
    _check(found)
    for key, none in _UNSET.items():
        if found.get(key) == none:
            found[key] = None
    if "LaunchConfigurationName" in found or "InstanceId" in found:
        raise NotImplementedError("groups from launch configurations or instances")
    if "LaunchTemplate" in found:
        found["LaunchTemplate"] = capacity.filled(region, found["LaunchTemplate"])
        found["MixedInstancesPolicy"] = None
    elif "MixedInstancesPolicy" in found:
        found["MixedInstancesPolicy"] = _mixed(region, found["MixedInstancesPolicy"], body)
        found["LaunchTemplate"] = None
    elif not body:
        capacity.template(region, {})
    if "VPCZoneIdentifier" in params or "AvailabilityZones" in params:
        found |= _zones(region, params)
    elif not body:
        raise invalid("At least one Availability Zone or VPC Subnet is required.")
    return found


def apply(body: Body, found: Body) -> None:
    """Put changes into a body."""
    for key, value in found.items():
        if value is None:
            body.pop(key, None)
        else:
            body[key] = value


def _check(found: Body) -> None:
    kinds = set(found.get("HealthCheckType", "EC2").split(","))
    if not kinds <= _CHECKS:
        raise invalid(
            f"Health check type '{found['HealthCheckType']}' must be of {', '.join(sorted(_CHECKS))}"
        )
    policies = set(found.get("TerminationPolicies", ["Default"]))
    if not policies or any(p not in _POLICIES and not p.startswith("arn:") for p in policies):
        raise invalid(f"Termination policies must be of {', '.join(sorted(_POLICIES))}")
    lifetime = found.get("MaxInstanceLifetime", 0)
    if lifetime and not _DAY <= lifetime <= 365 * _DAY:
        raise invalid("MaxInstanceLifetime must be 0, or between 86400 and 31536000 seconds")
    if min(found.get("DefaultCooldown", 0), found.get("HealthCheckGracePeriod", 0)) < 0:
        raise invalid("Cooldown and grace period must not be negative")


def _mixed(region: Region, given: Body, body: Body) -> Body:
    before: Body = body.get("MixedInstancesPolicy") or {}
    template = given.get("LaunchTemplate") or before.get("LaunchTemplate") or {}
    spec = capacity.filled(region, template.get("LaunchTemplateSpecification", {}))
    distribution = {
        **_DISTRIBUTION,
        **(given.get("InstancesDistribution") or before.get("InstancesDistribution") or {}),
    }
    if not 0 <= distribution["OnDemandPercentageAboveBaseCapacity"] <= 100:
        raise invalid("OnDemandPercentageAboveBaseCapacity must be between 0 and 100")
    if distribution["SpotAllocationStrategy"] == "lowest-price":
        distribution.setdefault("SpotInstancePools", 2)
    overrides = template.get("Overrides", [])
    if any("InstanceRequirements" in o for o in overrides):
        raise NotImplementedError("overrides by InstanceRequirements")
    if len(overrides) > 40:
        raise invalid("A mixed instances policy has at most 40 overrides")
    return {
        "LaunchTemplate": {"LaunchTemplateSpecification": spec, "Overrides": overrides},
        "InstancesDistribution": distribution,
    }


def _zones(region: Region, params: Params) -> Body:
    """Return subnets and zones; zones alone mean their default subnets."""
    known = region.subnets()
    ids = [s for s in params.get("VPCZoneIdentifier", "").replace(" ", "").split(",") if s]
    if missing := [i for i in ids if i not in known]:
        raise invalid(f"The subnet ID '{missing[0]}' does not exist")
    if not ids:
        wanted = params.get("AvailabilityZones", [])
        ids = [i for i, s in known.items() if s.availability_zone in wanted and s.default_for_az == "true"]
        if not ids:
            raise invalid("At least one Availability Zone or VPC Subnet is required.")
    zones = sorted({known[i].availability_zone for i in ids})
    if len({known[i].vpc_id for i in ids}) > 1:
        raise invalid("The subnets belong to more than one VPC")
    return {"VPCZoneIdentifier": ",".join(ids), "AvailabilityZones": zones}
