"""Rules of listeners."""

from typing import Final

from emulator.actions import actions, conditions
from emulator.balancing import Rule, balancer, listener, pages, recount, rule, rules_of
from emulator.elb_settings import tag
from emulator.region import Body, Region, new_mark
from emulator.wire import Operation, Params, Refused, invalid


def _check_priority(region: Region, listener_arn: str, priority: int, but: tuple[str, ...] = ()) -> None:
    if not 1 <= priority <= 50000:
        raise invalid(f"Rule priority '{priority}' must be between 1 and 50000")
    for one in rules_of(region, listener_arn):
        if one.body["Priority"] == str(priority) and one.body["RuleArn"] not in but:
            raise Refused("PriorityInUse", f"Priority '{priority}' is currently in use")


def create_rule(region: Region, params: Params) -> Body:
    """elbv2:CreateRule."""
    owner = listener(region, params["ListenerArn"])
    wanted = conditions(params["Conditions"])
    doing = actions(region, balancer(region, owner.balancer), params["Actions"])
    _check_priority(region, params["ListenerArn"], params["Priority"])
    arn = f"{params['ListenerArn'].replace(':listener/', ':listener-rule/')}/{new_mark()}"
    body = {
        "RuleArn": arn,
        "Priority": str(params["Priority"]),
        "Conditions": wanted,
        "Actions": doing,
        "IsDefault": False,
    }
    region.rules[arn] = Rule(body=body, listener=params["ListenerArn"])
    tag(region, [arn], params.get("Tags", []))
    recount(region)
    return {"Rules": [body]}


def modify_rule(region: Region, params: Params) -> Body:
    """elbv2:ModifyRule: conditions and actions that are named are replaced, whole."""
    there = rule(region, params["RuleArn"])
    if there.body["IsDefault"]:
        raise Refused("OperationNotPermitted", f"Default rule '{params['RuleArn']}' cannot be modified")
    owner = balancer(region, region.listeners[there.listener].balancer)
    changes: Body = {}
    if "Conditions" in params:
        changes["Conditions"] = conditions(params["Conditions"])
    if "Actions" in params:
        changes["Actions"] = actions(region, owner, params["Actions"])
    there.body |= changes
    recount(region)
    return {"Rules": [there.body]}


def describe_rules(region: Region, params: Params) -> Body:
    """elbv2:DescribeRules, by priority, the default one last."""
    wanted, owner = params.get("RuleArns"), params.get("ListenerArn")
    if wanted:
        found = [rule(region, arn) for arn in wanted]
    elif owner:
        listener(region, owner)
        found = rules_of(region, owner)
    else:
        raise invalid("You must specify either listener rule ARNs or a listener ARN")
    keyed = [
        (f"{r.body['Priority'].zfill(6) if not r.body['IsDefault'] else '~'}{r.body['RuleArn']}", r.body)
        for r in found
    ]
    return pages(keyed, params, "Rules")


def delete_rule(region: Region, params: Params) -> None:
    """elbv2:DeleteRule. Raises: OperationNotPermitted for a default rule."""
    arn = params["RuleArn"]
    if rule(region, arn).body["IsDefault"]:
        raise Refused("OperationNotPermitted", f"Default rule '{arn}' cannot be deleted")
    del region.rules[arn]
    region.tags.pop(arn, None)
    recount(region)


def set_rule_priorities(region: Region, params: Params) -> Body:
    """elbv2:SetRulePriorities, all at once."""
    pairs = params["RulePriorities"]
    moved = tuple(p["RuleArn"] for p in pairs)
    for one in pairs:
        _check_priority(region, rule(region, one["RuleArn"]).listener, one["Priority"], moved)
    for one in pairs:
        rule(region, one["RuleArn"]).body["Priority"] = str(one["Priority"])
    return {"Rules": [rule(region, arn).body for arn in moved]}


OPERATIONS: Final[dict[str, Operation]] = {
    "CreateRule": create_rule,
    "DeleteRule": delete_rule,
    "DescribeRules": describe_rules,
    "ModifyRule": modify_rule,
    "SetRulePriorities": set_rule_priorities,
}
