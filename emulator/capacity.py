"""What a group launches next: its template and version, purchase option, instance type and subnet."""

from dataclasses import dataclass
from typing import Any

from emulator import hands
from emulator.region import Body, Group, Region
from emulator.wire import Refused, invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One instance to be."""

    template: Any  # moto's, of a version
    type: str
    subnet: str
    spot: bool
    weight: int


def specification(body: Body) -> Body:
    """Return the template of a group or of a request, wherever it is named."""
    mixed = body.get("MixedInstancesPolicy")
    if mixed:
        found: Body = mixed.get("LaunchTemplate", {}).get("LaunchTemplateSpecification", {})
        return found
    return body.get("LaunchTemplate") or {}


def template(region: Region, spec: Body) -> Any:
    """Return moto's version of a template.

    Raises: ValidationError, worded as by AWS, where the template or the version does not exist.
    """
    id_, name = spec.get("LaunchTemplateId"), spec.get("LaunchTemplateName")
    if not id_ and not name:
        raise invalid(
            "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or"
            " MixedInstancesPolicy parameter."
        )
    try:
        found = region.ec2.get_launch_template(id_) if id_ else region.ec2.get_launch_template_by_name(name)
    except Exception as error:
        which = f"ID {id_}" if id_ else f"name {name}"
        raise _not_there(f"The specified launch template, with template {which}, does not exist.") from error
    number = str(spec.get("Version") or "$Default")
    numbers = {str(v.number) for v in found.versions}
    if number not in {"$Default", "$Latest"} | numbers:
        raise _not_there(
            f"Could not find the specified version {number} for the launch template with ID {found.id}."
        )
    return found.get_version(number)


def _not_there(message: str) -> Refused:
    return invalid(f"You must use a valid fully-formed launch template. {message}")


def filled(region: Region, spec: Body) -> Body:
    """Return a template's specification with id and name, as describes show it."""
    version = template(region, spec)
    described = {"LaunchTemplateId": version.template.id, "LaunchTemplateName": version.template.name}
    return {**described, **({"Version": spec["Version"]} if "Version" in spec else {})}


def next_launch(region: Region, group: Group) -> Launch:
    """Return what a group launches next. Raises: ServiceException where its template is gone."""
    version = template(region, specification(group.body))
    spot, override = _option(group)
    if spec := override.get("LaunchTemplateSpecification"):
        version = template(region, spec)
    type_ = override.get("InstanceType") or version.instance_type
    if not type_:
        raise invalid("The launch template names no instance type, and neither do overrides")
    weight = int(override.get("WeightedCapacity", 1))
    return Launch(template=version, type=type_, subnet=_subnet(region, group), spot=spot, weight=weight)


def _option(group: Group) -> tuple[bool, Body]:
    """Return whether the next instance is a spot one, and its override.

    On-demand instances take the first override, spot ones take turns.
    """
    mixed = group.body.get("MixedInstancesPolicy")
    if not mixed:
        return False, {}
    overrides = mixed.get("LaunchTemplate", {}).get("Overrides") or [{}]
    counted = [m for m in group.members.values() if not m.leaving]
    have = sum(m.weight for m in counted if not m.spot)
    if have < on_demand(mixed.get("InstancesDistribution", {}), group.body["DesiredCapacity"]):
        return False, overrides[0]
    return True, overrides[sum(m.spot for m in counted) % len(overrides)]


def on_demand(distribution: Body, desired: int) -> int:
    """Return how much of a capacity is on-demand: the base, and a share of the rest, rounded up."""
    base = min(desired, int(distribution.get("OnDemandBaseCapacity", 0)))
    percentage = int(distribution.get("OnDemandPercentageAboveBaseCapacity", 100))
    return base + -(-(desired - base) * percentage // 100)


def _subnet(region: Region, group: Group) -> str:
    """Return the subnet with the fewest instances, the first of equals, of those with addresses left.

    A zone without capacity is passed over, unless the group is to be `balanced-only`.

    Raises: InsufficientFreeAddressesInSubnet, InsufficientInstanceCapacity.
    """
    known = region.subnets()
    wanted = [i for i in group.body["VPCZoneIdentifier"].split(",") if i in known]
    subnets = [i for i in wanted if len(known[i]._subnet_ips) < known[i]._available_ip_addresses]
    if not subnets:
        raise Refused(
            "InsufficientFreeAddressesInSubnet",
            f"There are not enough free addresses in subnet '{wanted[0] if wanted else ''}' to satisfy the"
            " requested number of instances.",
        )
    used = [m.instance.subnet_id for m in group.members.values() if not m.leaving]
    only = group.body["AvailabilityZoneDistribution"]["CapacityDistributionStrategy"] == "balanced-only"
    up = subnets if only else [i for i in subnets if not hands.is_out(known[i].availability_zone)]
    chosen = min(up or subnets, key=used.count)
    if hands.is_out(known[chosen].availability_zone):
        raise Refused("InsufficientInstanceCapacity", hands.CAPACITY.removesuffix(hands.FAILED))
    return str(chosen)


def run(region: Region, group: Group, launch: Launch) -> Any:
    """Start the instance in EC2 and return it (moto's). Raises: ServiceException as EC2 refuses it."""
    data, version = launch.template.data, launch.template
    if not data.get("ImageId"):
        raise invalid(
            "You must use a valid fully-formed launch template. The request must contain the parameter"
            " ImageId"
        )
    tags = {t["Key"]: t.get("Value", "") for t in group.tags.values() if t.get("PropagateAtLaunch")}
    reservation = region.ec2.run_instances(
        data["ImageId"],
        1,
        data.get("UserData"),
        [],
        instance_type=launch.type,
        is_instance_type_default=False,
        region_name=region.name,
        subnet_id=launch.subnet,
        key_name=data.get("KeyName"),
        security_group_ids=_security_groups(data),
        launch_template={"LaunchTemplateId": version.template.id, "Version": str(version.number)},
        lifecycle="spot" if launch.spot else None,
        metadata_options=data.get("MetadataOptions", {}),
        iam_instance_profile=_profile(region, data),
        monitoring_state="enabled" if data.get("Monitoring", {}).get("Enabled") else "disabled",
        ebs_optimized=data.get("EbsOptimized", False),
        tags={"instance": {**tags, "aws:autoscaling:groupName": group.name}},
    )
    return reservation.instances[0]


def _profile(region: Region, data: Body) -> Body | None:
    profile = data.get("IamInstanceProfile") or {}
    name = profile.get("Name") or profile.get("Arn", "").rpartition("/")[2]
    if not name:
        return None
    return {
        "Arn": f"arn:aws:iam::{region.ec2.account_id}:instance-profile/{name}",
        "Id": f"AIPA{name.upper()}",
    }


def _security_groups(data: Body) -> list[str]:
    interfaces = data.get("NetworkInterfaces") or [{}]
    found: list[str] = data.get("SecurityGroupIds") or interfaces[0].get("Groups") or []
    return list(found)
