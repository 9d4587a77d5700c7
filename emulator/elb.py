"""Elastic Load Balancing (v2): balancers, target groups, their attributes and tags.

Creates are idempotent where all settings are equal and refused otherwise, names and limits are AWS's,
and a balancer is `provisioning` until the clock has passed its delay.
"""

import re
from datetime import datetime
from typing import Any, Final

from moto.elbv2.models import ELBv2Backend
from moto.elbv2.responses import ELBV2Response

from emulator import elb_classic, elb_defaults, elb_settings, hands, listeners, physics, rules, target_health
from emulator.balancing import Balancer, TargetGroup, balancer, pages, recount, target_group
from emulator.elb_settings import tag
from emulator.patch import patch
from emulator.region import Body, Region, new_mark, region_of
from emulator.wire import Operation, Params, Refused, invalid, serve

_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")


def _check_name(name: str, what: str) -> None:
    if len(name) > 32:
        raise invalid(f"The {what} name '{name}' cannot be longer than '32' characters")
    if not _NAME.fullmatch(name):
        raise invalid(
            f"The {what} name '{name}' can only contain characters that are alphanumeric characters and"
            " hyphens(-), and cannot begin or end with a hyphen"
        )


def _same(before: Params, now: Params) -> bool:
    def plain(params: Params) -> dict[str, Any]:
        lists = {k: sorted(map(str, v)) if isinstance(v, list) else v for k, v in params.items()}
        return {k: v for k, v in lists.items() if k != "Tags"}

    return plain(before) == plain(now)


def create_load_balancer(region: Region, params: Params) -> Body:
    """elbv2:CreateLoadBalancer."""
    name, kind = params["Name"], params.get("Type", "application")
    _check_name(name, "load balancer")
    if name.startswith("internal-"):
        raise invalid("The load balancer name cannot begin with 'internal-'")
    for one in region.balancers.values():
        if one.body["LoadBalancerName"] == name:
            if _same(one.request, params):
                return {"LoadBalancers": [one.body]}
            raise Refused(
                "DuplicateLoadBalancerName",
                f"A load balancer with the same name '{name}' exists, but with different settings",
            )
    zones, vpc = _zones(region, params, kind)
    groups = _security_groups(region, params.get("SecurityGroups"), vpc, kind)
    mark = new_mark()
    word = {"application": "app", "network": "net", "gateway": "gwy"}[kind]
    arn = region.arn("elasticloadbalancing", f"loadbalancer/{word}/{name}/{mark}")
    scheme = params.get("Scheme", "internet-facing")
    body: Body = {
        "LoadBalancerArn": arn,
        "DNSName": hands.address_of(name) or _dns_name(region.name, name, kind, scheme, mark),
        "CanonicalHostedZoneId": _zone(region.name, kind),
        "CreatedTime": region.at,
        "LoadBalancerName": name,
        "Scheme": scheme,
        "VpcId": vpc,
        "State": {"Code": "provisioning"},
        "Type": kind,
        "AvailabilityZones": zones,
        "SecurityGroups": groups,
        "IpAddressType": params.get("IpAddressType", "ipv4"),
    }
    defaults = elb_defaults.APPLICATION if kind == "application" else elb_defaults.NETWORK
    region.balancers[arn] = Balancer(body=body, attributes=dict(defaults), request=params)
    tag(region, [arn], params.get("Tags", []))
    region.later(physics.current().provision, lambda: body.update(State={"Code": "active"}))
    return {"LoadBalancers": [body]}


def _zones(region: Region, params: Params, kind: str) -> tuple[list[Body], str]:
    """Return the zones of a balancer, and its VPC."""
    ids = params.get("Subnets") or [m["SubnetId"] for m in params.get("SubnetMappings", [])]
    if not ids:
        raise invalid("You must specify either subnets or subnet mappings")
    known = region.subnets()
    if missing := [i for i in ids if i not in known]:
        raise Refused("SubnetNotFound", f"The subnet ID '{missing[0]}' does not exist")
    zones = [known[i].availability_zone for i in ids]
    if len(set(zones)) < len(zones):
        raise Refused(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if kind == "application" and len(ids) < 2:
        raise invalid("At least two subnets in two different Availability Zones must be specified")
    if len({known[i].vpc_id for i in ids}) > 1:
        raise Refused("InvalidConfigurationRequest", "All subnets must belong to the same VPC")
    described = [
        {"ZoneName": z, "SubnetId": i, "LoadBalancerAddresses": []} for i, z in zip(ids, zones, strict=True)
    ]
    return described, str(known[ids[0]].vpc_id)


def _security_groups(region: Region, ids: list[str] | None, vpc: str, kind: str) -> list[str]:
    if not ids:
        if kind != "application":
            return []
        default = region.ec2.get_default_security_group(vpc)
        return [default.id] if default else []
    for one in ids:
        if region.ec2.get_security_group_from_id(one) is None:
            raise Refused("InvalidConfigurationRequest", f"One or more security groups are invalid: '{one}'")
    return list(ids)


def _dns_name(region: str, name: str, kind: str, scheme: str, mark: str) -> str:
    """Each type has its own form of name; the name of an internal application balancer says that it is."""
    if kind != "application":
        return f"{name}-{mark}.elb.{region}.amazonaws.com"
    prefix = "internal-" if scheme == "internal" else ""
    return f"{prefix}{name}-{int(mark, 16) % 10**10}.{region}.elb.amazonaws.com"


def _zone(region: str, kind: str) -> str:
    return elb_defaults.ZONES.get(region, elb_defaults.ZONES["us-east-1"])[
        "application" if kind == "application" else "network"
    ]


def describe_load_balancers(region: Region, params: Params) -> Body:
    """elbv2:DescribeLoadBalancers."""
    wanted, names = params.get("LoadBalancerArns"), params.get("Names")
    found = [b.body for b in region.balancers.values()]
    if wanted:
        found = [balancer(region, arn).body for arn in wanted]
    elif names:
        found = [b for b in found if b["LoadBalancerName"] in names]
        if missing := sorted(set(names) - {b["LoadBalancerName"] for b in found}):
            raise Refused("LoadBalancerNotFound", f"Load balancers '{missing}' not found")
    return pages([(b["LoadBalancerArn"], b) for b in found], params, "LoadBalancers")


def delete_load_balancer(region: Region, params: Params) -> None:
    """elbv2:DeleteLoadBalancer: its listeners go with it. One that does not exist is no error."""
    arn = params["LoadBalancerArn"]
    there = region.balancers.get(arn)
    if there is None:
        return
    if there.attributes["deletion_protection.enabled"] == "true":
        raise Refused(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )
    for one in [a for a, x in region.listeners.items() if x.balancer == arn]:
        listeners.drop_listener(region, one)
    del region.balancers[arn]
    region.tags.pop(arn, None)
    recount(region)


def set_security_groups(region: Region, params: Params) -> Body:
    """elbv2:SetSecurityGroups."""
    there = balancer(region, params["LoadBalancerArn"])
    body = there.body
    if body["Type"] == "network" and not body["SecurityGroups"]:
        raise Refused(
            "InvalidConfigurationRequest",
            "You cannot set security groups on a Network Load Balancer that was created without any",
        )
    groups = _security_groups(region, params["SecurityGroups"], body["VpcId"], body["Type"])
    body["SecurityGroups"] = groups
    return {"SecurityGroupIds": groups}


def create_target_group(region: Region, params: Params) -> Body:
    """elbv2:CreateTargetGroup."""
    name = params["Name"]
    _check_name(name, "target group")
    for one in region.target_groups.values():
        if one.name == name:
            if _same(one.request, params):
                return {"TargetGroups": [one.body]}
            raise Refused(
                "DuplicateTargetGroupName",
                f"A target group with the same name '{name}' exists, but with different settings",
            )
    settings = elb_defaults.target_group(params)
    _check_target_group(region, params, settings)
    arn = region.arn("elasticloadbalancing", f"targetgroup/{name}/{new_mark()}")
    body = {"TargetGroupArn": arn, "TargetGroupName": name, **settings, "LoadBalancerArns": []}
    attributes = elb_defaults.target_group_attributes(body["Protocol"])
    region.target_groups[arn] = TargetGroup(body=body, attributes=attributes, request=params)
    tag(region, [arn], params.get("Tags", []))
    return {"TargetGroups": [body]}


def _check_target_group(region: Region, params: Params, settings: Body) -> None:
    if settings["TargetType"] != "lambda":
        for member, what in (("Protocol", "protocol"), ("Port", "port"), ("VpcId", "VPC ID")):
            if member not in params:
                raise invalid(f"A {what} must be specified")
        if params["VpcId"] not in {v.id for v in region.ec2.describe_vpcs()}:
            raise invalid(f"The VPC ID '{params['VpcId']}' is not found")
    check_health_check(settings)


def check_health_check(settings: Body) -> None:
    """Raises: ValidationError for a check that AWS would refuse."""
    interval, timeout = settings["HealthCheckIntervalSeconds"], settings["HealthCheckTimeoutSeconds"]
    if not 5 <= interval <= 300:
        raise invalid("Health check interval must be between 5 and 300 seconds")
    if not 2 <= timeout <= 120:
        raise invalid("Health check timeout must be between 2 and 120 seconds")
    if elb_defaults.is_http(settings["Protocol"]) and timeout >= interval:
        raise invalid("Health check interval must be greater than the timeout.")
    for member, what in (("HealthyThresholdCount", "healthy"), ("UnhealthyThresholdCount", "unhealthy")):
        if not 2 <= settings[member] <= 10:
            raise invalid(f"Health check {what} threshold must be between 2 and 10")


def modify_target_group(region: Region, params: Params) -> Body:
    """elbv2:ModifyTargetGroup."""
    there = target_group(region, params["TargetGroupArn"])
    changed = {**there.body, **{k: v for k, v in params.items() if k != "TargetGroupArn"}}
    check_health_check(changed)
    there.body.update(changed)
    there.request = {**there.request, **{k: v for k, v in params.items() if k != "TargetGroupArn"}}
    return {"TargetGroups": [there.body]}


def describe_target_groups(region: Region, params: Params) -> Body:
    """elbv2:DescribeTargetGroups."""
    wanted, names, behind = (params.get(k) for k in ("TargetGroupArns", "Names", "LoadBalancerArn"))
    found = [g.body for g in region.target_groups.values()]
    if behind:
        balancer(region, behind)
        found = [g for g in found if behind in g["LoadBalancerArns"]]
    if wanted:
        found = [target_group(region, arn).body for arn in wanted]
    elif names:
        found = [g for g in found if g["TargetGroupName"] in names]
        if sorted(set(names) - {g["TargetGroupName"] for g in found}):
            raise Refused("TargetGroupNotFound", "One or more target groups not found")
    return pages([(g["TargetGroupArn"], g) for g in found], params, "TargetGroups")


def delete_target_group(region: Region, params: Params) -> None:
    """elbv2:DeleteTargetGroup: refused while a listener or rule names it. A missing one is no error."""
    arn = params["TargetGroupArn"]
    there = region.target_groups.get(arn)
    if there is None:
        return
    if there.used is not None:
        raise Refused("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
    del region.target_groups[arn]
    region.tags.pop(arn, None)


OPERATIONS: Final[dict[str, Operation]] = {
    "CreateLoadBalancer": create_load_balancer,
    "CreateTargetGroup": create_target_group,
    "DeleteLoadBalancer": delete_load_balancer,
    "DeleteTargetGroup": delete_target_group,
    "DescribeLoadBalancers": describe_load_balancers,
    "DescribeTargetGroups": describe_target_groups,
    "ModifyTargetGroup": modify_target_group,
    "SetSecurityGroups": set_security_groups,
    **elb_settings.OPERATIONS,
    **listeners.OPERATIONS,
    **rules.OPERATIONS,
    **target_health.OPERATIONS,
}


def _notify(backend: ELBv2Backend, instance_ids: list[str]) -> None:
    """Terminated instances leave their target groups, of whichever Auto Scaling group they are."""
    region = region_of(backend.account_id, backend.region_name)
    target_health.leave(region, instance_ids)


def install() -> None:
    """Take the place of moto's Elastic Load Balancing, of both generations."""
    serve(ELBV2Response, "elbv2", OPERATIONS, keep=("DescribeSSLPolicies", "DescribeAccountLimits"))
    patch(ELBv2Backend, notify_terminate_instances=_notify)
    elb_classic.install()


def tick(now: datetime) -> None:
    """Nothing: what is due here is due in the region, which `autoscaling` ticks."""
