"""Actions and conditions of listeners and rules: checked, and described, as AWS does it."""

from typing import Any, Final

from emulator.balancing import Balancer, target_group
from emulator.elb_defaults import is_http
from emulator.region import Body, Region
from emulator.wire import Refused, invalid

_FINAL: Final = {"forward", "redirect", "fixed-response"}
_CONFIGS: Final = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "source-ip": "SourceIpConfig",
    "http-header": "HttpHeaderConfig",
    "query-string": "QueryStringConfig",
}


def actions(region: Region, owner: Balancer, given: list[Body]) -> list[Body]:
    """Return actions as describes show them: a forward always with its ForwardConfig.

    Raises: as AWS for none or two final actions, more than 5 target groups, a weight out of 0 to 999,
    a target group that does not exist, does not fit or is behind another balancer.
    """
    final = [a for a in given if a.get("Type") in _FINAL]
    if len(final) != 1:
        raise Refused(
            "InvalidLoadBalancerAction",
            "There must be exactly one forward, redirect or fixed-response action",
        )
    return [_forward(region, owner, a) if a["Type"] == "forward" else dict(a) for a in given]


def _forward(region: Region, owner: Balancer, action: Body) -> Body:
    config = action.get("ForwardConfig", {})
    groups = config.get("TargetGroups") or [{"TargetGroupArn": action.get("TargetGroupArn")}]
    if not groups[0].get("TargetGroupArn"):
        raise invalid("A target group ARN must be specified")
    single = action.get("TargetGroupArn")
    if single and (len(groups) != 1 or groups[0]["TargetGroupArn"] != single):
        raise invalid("You cannot specify both a target group ARN and a forward config that differs from it")
    if len(groups) > 5:
        raise Refused("TooManyTargetGroups", "The maximum number of target groups per action is 5")
    if len({g["TargetGroupArn"] for g in groups}) < len(groups):
        raise invalid("A target group can be specified only once in an action")
    forwarded = [{"TargetGroupArn": g["TargetGroupArn"], "Weight": g.get("Weight", 1)} for g in groups]
    for one in forwarded:
        if not 0 <= one["Weight"] <= 999:
            raise invalid(f"Weight '{one['Weight']}' must be between 0 and 999")
        _check_target_group(region, owner, one["TargetGroupArn"])
    described: Body = {**action, "Type": "forward"}
    described["ForwardConfig"] = {
        "TargetGroups": forwarded,
        "TargetGroupStickinessConfig": {"Enabled": False, **config.get("TargetGroupStickinessConfig", {})},
    }
    if len(forwarded) == 1:
        described["TargetGroupArn"] = forwarded[0]["TargetGroupArn"]
    return described


def _check_target_group(region: Region, owner: Balancer, arn: str) -> None:
    group = target_group(region, arn)
    application = owner.body["Type"] == "application"
    if group.body["TargetType"] != "lambda" and is_http(group.body["Protocol"]) is not application:
        raise Refused(
            "InvalidConfigurationRequest",
            f"The protocol of target group '{arn}' does not fit a balancer of type {owner.body['Type']}",
        )
    if group.body.get("VpcId", owner.body["VpcId"]) != owner.body["VpcId"]:
        raise Refused(
            "InvalidConfigurationRequest",
            f"The target group '{arn}' is in another VPC than the load balancer",
        )
    if set(group.body["LoadBalancerArns"]) - {owner.body["LoadBalancerArn"]}:
        raise Refused(
            "TargetGroupAssociationLimit",
            f"The following target groups cannot be associated with more than one load balancer: {arn}",
        )


def conditions(given: list[Body]) -> list[Body]:
    """Return conditions as describes show them: with their config, and with `Values` where AWS has both.

    Raises: ValidationError for a field that is none, for no value, and for more than 5 values.
    """
    if not given:
        raise invalid("At least one condition must be specified")
    found, count = [], 0
    for one in given:
        config = _CONFIGS.get(one.get("Field", ""))
        if config is None:
            raise invalid(f"Condition field '{one.get('Field')}' must be one of '{', '.join(_CONFIGS)}'")
        inner: dict[str, Any] = one.get(config) or {"Values": one.get("Values", [])}
        if not inner.get("Values"):
            raise invalid("A condition value must be specified")
        count += len(inner["Values"])
        described = {"Field": one["Field"], config: inner}
        if config in {"HostHeaderConfig", "PathPatternConfig"}:
            described["Values"] = inner["Values"]
        found.append(described)
    if count > 5:
        raise invalid(f"The maximum number of condition values per rule is 5, and there are {count}")
    return found
