"""Groups behind balancers: instances registered as they come into service, and taken out before they go."""

from datetime import timedelta
from typing import Final

from emulator import elb_classic, physics, target_health
from emulator.activities import group_pages
from emulator.region import Body, Group, Member, Region
from emulator.scope import group_of
from emulator.wire import Operation, Params, invalid


def check(region: Region, arns: list[str], classic: list[str]) -> None:
    """Raises: ValidationError where a target group or balancer does not exist."""
    if any(arn not in region.target_groups for arn in arns):
        raise invalid("Provided Target Groups may not be valid. Please ensure they exist and try again.")
    if any(not elb_classic.exists(region, name) for name in classic):
        raise invalid("Provided Load Balancers may not be valid. Please ensure they exist and try again.")


def place(region: Region, group: Group, member: Member) -> None:
    """Register an instance that came into service, unless AddToLoadBalancer is suspended."""
    if not group.runs("AddToLoadBalancer"):
        return
    for arn, state in group.target_groups.items():
        if state != "Removing" and arn in region.target_groups:
            target_health.register(region, region.target_groups[arn], member.id)
    for name, state in group.classic.items():
        if state != "Removing":
            elb_classic.register(region, name, member.id)


def remove(region: Region, group: Group, member: Member) -> None:
    """Begin to take an instance out of what its group is attached to."""
    for arn in group.target_groups:
        if arn in region.target_groups:
            target_health.deregister(region, region.target_groups[arn], member.id)
    for name in group.classic:
        elb_classic.deregister(region, name, member.id)


def unhealthy(region: Region, group: Group) -> set[str]:
    """Return the instances that fail the checks of what their group is attached to."""
    found: set[str] = set()
    for arn in group.target_groups:
        if arn in region.target_groups:
            states = target_health.health(region, region.target_groups[arn])
            found |= {i for (i, _), state in states.items() if state == "unhealthy"}
    for name in group.classic:
        if elb_classic.exists(region, name):
            found |= {i for i, state in elb_classic.states(region, name).items() if state != "InService"}
    return found


def attach(region: Region, group: Group, arns: list[str], classic: list[str]) -> None:
    """Attach; what is in service is registered. Raises: ValidationError."""
    check(region, arns, classic)
    for table, names in ((group.target_groups, arns), (group.classic, classic)):
        new = [n for n in names if table.get(n) not in {"Adding", "Added"}]
        table.update(dict.fromkeys(new, "Adding"))
        if new:
            region.later(physics.current().healthy, lambda t=table, n=new: _added(t, n))  # type: ignore[misc]
    for member in group.members.values():
        if member.state == "InService":
            place(region, group, member)


def _added(table: dict[str, str], names: list[str]) -> None:
    table.update({n: "Added" for n in names if table.get(n) == "Adding"})


def detach(region: Region, group: Group, arns: list[str], classic: list[str]) -> None:
    """Detach; instances are drained. Raises: ValidationError for what is not attached."""
    for table, names, what in (
        (group.target_groups, arns, "Target Groups"),
        (group.classic, classic, "Load Balancers"),
    ):
        if any(n not in table for n in names):
            raise invalid(f"Trying to remove {what} that are not part of the group")
    for arn in arns:
        there = region.target_groups.get(arn)
        delay = (
            timedelta(seconds=int(there.attributes["deregistration_delay.timeout_seconds"]))
            if there
            else timedelta()
        )
        if there:
            for member in group.members.values():
                target_health.deregister(region, there, member.id)
        group.target_groups[arn] = "Removing"
        region.later(delay, lambda a=arn: _removed(group.target_groups, a))  # type: ignore[misc]
    for name in classic:
        for member in group.members.values():
            elb_classic.deregister(region, name, member.id)
        del group.classic[name]


def _removed(table: dict[str, str], name: str) -> None:
    if table.get(name) == "Removing":
        del table[name]


def attached(table: dict[str, str]) -> list[str]:
    """Return what is attached and not about to be removed."""
    return [n for n, state in table.items() if state != "Removing"]


def _attach_target_groups(region: Region, params: Params) -> None:
    """autoscaling:AttachLoadBalancerTargetGroups, at most 10 in a call."""
    attach(region, group_of(region, params), _few(params["TargetGroupARNs"]), [])


def _detach_target_groups(region: Region, params: Params) -> None:
    """autoscaling:DetachLoadBalancerTargetGroups."""
    detach(region, group_of(region, params), _few(params["TargetGroupARNs"]), [])


def _attach_balancers(region: Region, params: Params) -> None:
    """autoscaling:AttachLoadBalancers."""
    attach(region, group_of(region, params), [], _few(params["LoadBalancerNames"]))


def _detach_balancers(region: Region, params: Params) -> None:
    """autoscaling:DetachLoadBalancers."""
    detach(region, group_of(region, params), [], _few(params["LoadBalancerNames"]))


def _few(names: list[str]) -> list[str]:
    if len(names) > 10:
        raise invalid("At most 10 can be named in one call")
    return names


def _describe_target_groups(region: Region, params: Params) -> Body:
    """autoscaling:DescribeLoadBalancerTargetGroups."""
    table = group_of(region, params).target_groups
    described = [(a, {"LoadBalancerTargetGroupARN": a, "State": s}) for a, s in table.items()]
    return group_pages(described, params, "LoadBalancerTargetGroups", 100)


def _describe_balancers(region: Region, params: Params) -> Body:
    """autoscaling:DescribeLoadBalancers."""
    table = group_of(region, params).classic
    return group_pages(
        [(n, {"LoadBalancerName": n, "State": s}) for n, s in table.items()], params, "LoadBalancers", 100
    )


def _describe_sources(region: Region, params: Params) -> Body:
    """autoscaling:DescribeTrafficSources."""
    group = group_of(region, params)
    described = [
        (f"{kind}{name}", {"TrafficSource": name, "Identifier": name, "Type": kind, "State": state})
        for kind, table in (("elbv2", group.target_groups), ("elb", group.classic))
        for name, state in table.items()
    ]
    return group_pages(described, params, "TrafficSources")


OPERATIONS: Final[dict[str, Operation]] = {
    "AttachLoadBalancerTargetGroups": _attach_target_groups,
    "AttachLoadBalancers": _attach_balancers,
    "DescribeLoadBalancerTargetGroups": _describe_target_groups,
    "DescribeLoadBalancers": _describe_balancers,
    "DescribeTrafficSources": _describe_sources,
    "DetachLoadBalancerTargetGroups": _detach_target_groups,
    "DetachLoadBalancers": _detach_balancers,
}
