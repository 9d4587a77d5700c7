"""Attributes and tags of what Elastic Load Balancing (v2) keeps."""

from typing import Final

from emulator import elb_defaults
from emulator.balancing import balancer, listener, rule, target_group
from emulator.region import Body, Region
from emulator.wire import Operation, Params, Refused, invalid


def describe_load_balancer_attributes(region: Region, params: Params) -> Body:
    """elbv2:DescribeLoadBalancerAttributes."""
    return _attributes(balancer(region, params["LoadBalancerArn"]).attributes)


def modify_load_balancer_attributes(region: Region, params: Params) -> Body:
    """elbv2:ModifyLoadBalancerAttributes."""
    have = balancer(region, params["LoadBalancerArn"]).attributes
    return _set_attributes(have, params, "Load balancer")


def describe_target_group_attributes(region: Region, params: Params) -> Body:
    """elbv2:DescribeTargetGroupAttributes."""
    return _attributes(target_group(region, params["TargetGroupArn"]).attributes)


def modify_target_group_attributes(region: Region, params: Params) -> Body:
    """elbv2:ModifyTargetGroupAttributes."""
    have = target_group(region, params["TargetGroupArn"]).attributes
    return _set_attributes(have, params, "Target group")


def describe_listener_attributes(region: Region, params: Params) -> Body:
    """elbv2:DescribeListenerAttributes."""
    return _attributes(listener(region, params["ListenerArn"]).attributes)


def modify_listener_attributes(region: Region, params: Params) -> Body:
    """elbv2:ModifyListenerAttributes."""
    return _set_attributes(listener(region, params["ListenerArn"]).attributes, params, "Listener")


def _attributes(values: dict[str, str]) -> Body:
    return {"Attributes": [{"Key": k, "Value": v} for k, v in sorted(values.items())]}


def _set_attributes(have: dict[str, str], params: Params, what: str) -> Body:
    wanted = {a["Key"]: a.get("Value", "") for a in params["Attributes"]}
    for key, value in wanted.items():
        if key not in have:
            raise invalid(f"{what} attribute key '{key}' is not recognized")
        low, high = elb_defaults.RANGES.get(key, (0, 0))
        if high and not (value.isdigit() and low <= int(value) <= high):
            raise invalid(f"'{value}' is not a valid value for attribute '{key}'; it must be {low}-{high}")
        if key.endswith(".enabled") and have[key] in {"true", "false"} and value not in {"true", "false"}:
            raise invalid(f"{what} attribute value '{value}' is not valid for '{key}'")
    have.update(wanted)
    return _attributes(wanted)


def _things(region: Region, arns: list[str]) -> None:
    """Raises: as AWS where one of these does not exist."""
    for arn in arns:
        kind = arn.rpartition(":")[2].partition("/")[0]
        finders = {
            "loadbalancer": balancer,
            "targetgroup": target_group,
            "listener": listener,
            "listener-rule": rule,
        }
        if kind not in finders:
            raise invalid(f"'{arn}' is not a valid load balancer, target group, listener or rule ARN")
        finders[kind](region, arn)


def tag(region: Region, arns: list[str], tags: list[Body]) -> None:
    """Add or replace tags of things that exist. Raises: as AWS, with nothing changed."""
    new = {t["Key"]: t.get("Value", "") for t in tags}
    if len(new) < len(tags):
        raise Refused("DuplicateTagKeys", "A tag key was specified more than once")
    if any(len(k) > 128 or len(v) > 256 for k, v in new.items()):
        raise invalid("A tag key is at most 128 characters long, and a value 256")
    if any(k.lower().startswith("aws:") for k in new):
        raise invalid("Tag keys cannot start with the reserved prefix 'aws:'")
    for arn in arns:
        if len(region.tags.get(arn, {}) | new) > 50:
            raise Refused("TooManyTags", f"The limit of 50 tags per resource was reached for '{arn}'")
    for arn in arns:
        region.tags.setdefault(arn, {}).update(new)


def add_tags(region: Region, params: Params) -> None:
    """elbv2:AddTags."""
    _things(region, params["ResourceArns"])
    tag(region, params["ResourceArns"], params["Tags"])


def remove_tags(region: Region, params: Params) -> None:
    """elbv2:RemoveTags."""
    _things(region, params["ResourceArns"])
    for arn in params["ResourceArns"]:
        for key in params["TagKeys"]:
            region.tags.get(arn, {}).pop(key, None)


def describe_tags(region: Region, params: Params) -> Body:
    """elbv2:DescribeTags, of at most 20 things."""
    arns = params["ResourceArns"]
    if len(arns) > 20:
        raise invalid(
            f"1 validation error detected: Value at 'resourceArns' failed to satisfy constraint:"
            f" Member must have length less than or equal to 20, and has {len(arns)}"
        )
    _things(region, arns)
    return {
        "TagDescriptions": [
            {
                "ResourceArn": arn,
                "Tags": [{"Key": k, "Value": v} for k, v in region.tags.get(arn, {}).items()],
            }
            for arn in arns
        ]
    }


OPERATIONS: Final[dict[str, Operation]] = {
    "AddTags": add_tags,
    "DescribeListenerAttributes": describe_listener_attributes,
    "DescribeLoadBalancerAttributes": describe_load_balancer_attributes,
    "DescribeTags": describe_tags,
    "DescribeTargetGroupAttributes": describe_target_group_attributes,
    "ModifyListenerAttributes": modify_listener_attributes,
    "ModifyLoadBalancerAttributes": modify_load_balancer_attributes,
    "ModifyTargetGroupAttributes": modify_target_group_attributes,
    "RemoveTags": remove_tags,
}
