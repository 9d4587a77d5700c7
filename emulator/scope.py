"""Finding the group that a request names."""

from emulator.region import Group, Member, Region
from emulator.wire import Params, invalid


def group_of(region: Region, params: Params) -> Group:
    """Return the group that a request would read. Raises: ValidationError."""
    return group_named(region, params["AutoScalingGroupName"])


def group_named(region: Region, name: str) -> Group:
    """Return a group by name. Raises: ValidationError."""
    if name not in region.groups:
        raise invalid(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return region.groups[name]


def changeable(region: Region, name: str) -> Group:
    """Return a group that a request would change. Raises: ValidationError, also while it is deleted."""
    group = group_named(region, name)
    if group.deleting:
        raise invalid("The AutoScaling group may not be modified while it is pending delete")
    return group


def member_of(region: Region, instance: str) -> tuple[Group, Member]:
    """Return an instance and its group. Raises: ValidationError."""
    group = region.homes.get(instance)
    if group is None:
        raise invalid(f"Instance Id not found - No managed instance found for instance ID: {instance}")
    return group, group.members[instance]
