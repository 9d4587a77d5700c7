"""Load balancers, target groups, listeners and rules on AWS: writing, one step at a time."""

from typing import Any, assert_never

from botocore.exceptions import ClientError

from reconciler.core.errors import ChangedError, ConflictError
from reconciler.core.facts import REVISION, Keeper, Tags, identity, tag, to_tags
from reconciler.core.ids import Arn, ResourceName
from reconciler.gateway.errors import Failure, classify
from reconciler.gateway.session import Aws
from reconciler.kinds.balancer.aws import find_rule, read_certificates, read_listeners, read_tags
from reconciler.kinds.balancer.steps import (
    BalancerStep,
    CreateBalancer,
    CreateListener,
    CreateRule,
    CreateTargetGroup,
    DeleteBalancer,
    DeleteRule,
    DeleteTargetGroup,
    SetBalancerAttributes,
    SetBalancerSecurityGroups,
    SetListener,
    SetRule,
    SetRuleConditions,
    SetTargetGroupAttributes,
    SetWebAcl,
    TagBalancing,
)
from reconciler.kinds.balancer.want import Attributes
from reconciler.kinds.receipt import ALREADY, DONE, Receipt


def do(aws: Aws, step: BalancerStep, keeper: Keeper) -> Receipt:
    """Perform one step.

    Raises: ConflictError where the name is another's; ChangedError where the world is not what the
    plan rested on.
    """
    match step:
        case CreateTargetGroup():
            return _create_target_group(aws, step, keeper)
        case CreateBalancer():
            return _create_balancer(aws, step, keeper)
        case CreateListener():
            return _create_listener(aws, step)
        case CreateRule():
            return _create_rule(aws, step)
        case SetRule():
            return _set_rule(aws, step)
        case DeleteRule():
            return _delete_rule(aws, step, keeper)
        case DeleteBalancer() | DeleteTargetGroup():
            return _delete(aws, step, keeper)
        case (
            SetRuleConditions()
            | SetTargetGroupAttributes()
            | SetBalancerAttributes()
            | SetBalancerSecurityGroups()
            | SetWebAcl()
            | SetListener()
            | TagBalancing()
        ):
            return _set(aws, step)
        case _:
            assert_never(step)


def _pairs(values: Attributes | Tags) -> list[dict[str, str]]:
    return [{"Key": k, "Value": v} for k, v in values]


def _same(aws: Aws, arn: str, name: ResourceName, tags: Tags, keeper: Keeper, what: str) -> None:
    """A thing of that name exists: it is ours, of this revision, or nobody of us touches it."""
    have = read_tags(aws, [arn]).get(arn, ())
    if identity(have, name, keeper) is None or tag(have, REVISION) != tag(tags, REVISION):
        raise ConflictError(f"{what} {name} exists and is not ours")


def _create_target_group(aws: Aws, step: CreateTargetGroup, keeper: Keeper) -> Receipt:
    want, client = step.target_group, aws.client("elbv2")
    check = want.check
    request: dict[str, Any] = {
        "Name": want.name,
        "Protocol": want.protocol,
        "Port": want.port,
        "VpcId": want.vpc,
        "TargetType": "instance",
        "HealthCheckProtocol": check.protocol,
        "HealthCheckPort": check.port,
        "HealthCheckIntervalSeconds": check.interval,
        "HealthCheckTimeoutSeconds": check.timeout,
        "HealthyThresholdCount": check.healthy,
        "UnhealthyThresholdCount": check.unhealthy,
        "Tags": _pairs(to_tags({**dict(want.extra_tags), **dict(step.tags)})),
    }
    if want.protocol_version:
        request["ProtocolVersion"] = want.protocol_version
    if check.path:
        request |= {"HealthCheckPath": check.path, "Matcher": {"HttpCode": check.matcher}}
    there = _find(aws, "describe_target_groups", "TargetGroups", want.name)
    if there is None:
        there = client.create_target_group(**request)["TargetGroups"][0]
    else:
        _same(aws, there["TargetGroupArn"], want.name, step.tags, keeper, "target group")
    arn = str(there["TargetGroupArn"])
    if want.attributes:
        client.modify_target_group_attributes(TargetGroupArn=arn, Attributes=_pairs(want.attributes))
    return Receipt(arn=arn)


def _find(aws: Aws, operation: str, key: str, name: str) -> dict[str, Any] | None:
    try:
        found = getattr(aws.client("elbv2"), operation)(Names=[name])[key]
    except ClientError as error:
        if classify(error) is Failure.NOT_FOUND:
            return None
        raise
    return dict(found[0]) if found else None


def _create_balancer(aws: Aws, step: CreateBalancer, keeper: Keeper) -> Receipt:
    want, client = step.balancer, aws.client("elbv2")
    there = _find(aws, "describe_load_balancers", "LoadBalancers", want.name)
    if there is None:
        request: dict[str, Any] = {
            "Name": want.name,
            "Type": want.type,
            "Scheme": want.scheme,
            "Subnets": list(want.subnets),
            "IpAddressType": want.ip_type,
            "Tags": _pairs(to_tags({**dict(want.extra_tags), **dict(step.tags)})),
        }
        if want.security_groups:
            request["SecurityGroups"] = list(want.security_groups)
        there = client.create_load_balancer(**request)["LoadBalancers"][0]
    else:
        _same(aws, there["LoadBalancerArn"], want.name, step.tags, keeper, "balancer")
    arn = str(there["LoadBalancerArn"])
    if want.attributes:
        client.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=_pairs(want.attributes))
    if want.web_acl:
        aws.client("wafv2").associate_web_acl(WebACLArn=want.web_acl, ResourceArn=arn)
    return Receipt(arn=arn)


def _create_listener(aws: Aws, step: CreateListener) -> Receipt:
    balancer = _find(aws, "describe_load_balancers", "LoadBalancers", step.name)
    group = _find(aws, "describe_target_groups", "TargetGroups", step.name)
    if balancer is None or group is None:
        raise ChangedError(f"balancer or target group {step.name} is gone")
    arn, want = Arn(balancer["LoadBalancerArn"]), step.listener
    there = next((x for x in read_listeners(aws, arn) if x.port == want.port), None)
    if there is not None:
        return Receipt(arn=there.arn, already=True)
    request: dict[str, Any] = {
        "LoadBalancerArn": arn,
        "Port": want.port,
        "Protocol": want.protocol,
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}],
        "Tags": _pairs(step.tags),
    }
    if want.certificates:
        request["Certificates"] = [{"CertificateArn": want.certificates[0]}]
    if want.ssl_policy:
        request["SslPolicy"] = want.ssl_policy
    client = aws.client("elbv2")
    made = client.create_listener(**request)["Listeners"][0]
    if others := [{"CertificateArn": c} for c in want.certificates[1:]]:
        client.add_listener_certificates(ListenerArn=made["ListenerArn"], Certificates=others)
    return Receipt(arn=made["ListenerArn"])


def _conditions(hosts: tuple[str, ...], paths: tuple[str, ...]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if hosts:
        found.append({"Field": "host-header", "HostHeaderConfig": {"Values": list(hosts)}})
    if paths:
        found.append({"Field": "path-pattern", "PathPatternConfig": {"Values": list(paths)}})
    return found


def _forward(weights: tuple[tuple[Arn, int], ...]) -> list[dict[str, Any]]:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


def _create_rule(aws: Aws, step: CreateRule) -> Receipt:
    want, client = step.rule, aws.client("elbv2")
    raws = client.describe_rules(ListenerArn=want.listener)["Rules"]
    there = next((r for r in raws if r.get("Priority") == str(want.priority)), None)
    if there is not None:
        have = read_tags(aws, [there["RuleArn"]]).get(there["RuleArn"], ())
        if not set(want.tags) <= set(have):
            raise ConflictError(f"listener rule {want.priority} exists and is not ours")
        return Receipt(arn=there["RuleArn"], already=True)
    made = client.create_rule(
        ListenerArn=want.listener,
        Priority=want.priority,
        Conditions=_conditions(want.hosts, want.paths),
        Actions=_forward(step.weights),
        Tags=_pairs(want.tags),
    )
    return Receipt(arn=made["Rules"][0]["RuleArn"])


def _set_rule(aws: Aws, step: SetRule) -> Receipt:
    live = find_rule(aws, step.arn)
    if live is None:
        raise ChangedError(f"the listener rule of {step.name} is gone")
    wanted = tuple(sorted(step.weights))
    if live.weights == wanted:
        return ALREADY
    if live.weights != tuple(sorted(step.expect)):
        raise ChangedError(f"the weights of the rule of {step.name} are not what was planned on")
    aws.client("elbv2").modify_rule(RuleArn=step.arn, Actions=_forward(wanted))
    after = find_rule(aws, step.arn)
    if after is None or after.weights != wanted:
        raise ChangedError(f"the weights of the rule of {step.name} do not read back as written")
    return DONE


def _delete_rule(aws: Aws, step: DeleteRule, keeper: Keeper) -> Receipt:
    if find_rule(aws, step.arn) is None:
        return ALREADY
    have = read_tags(aws, [step.arn]).get(step.arn, ())
    if tag(have, "reconciler:owner") != keeper.owner or tag(have, "reconciler:source") != keeper.source:
        raise ConflictError(f"the listener rule of {step.name} is not ours any more")
    aws.client("elbv2").delete_rule(RuleArn=step.arn)
    return DONE


def _delete(aws: Aws, step: DeleteBalancer | DeleteTargetGroup, keeper: Keeper) -> Receipt:
    client = aws.client("elbv2")
    is_balancer = isinstance(step, DeleteBalancer)
    what = "balancer" if is_balancer else "target group"
    operation = "describe_load_balancers" if is_balancer else "describe_target_groups"
    there = _find(aws, operation, "LoadBalancers" if is_balancer else "TargetGroups", step.name)
    if there is None or step.arn not in there.values():
        return ALREADY
    if identity(read_tags(aws, [step.arn]).get(step.arn, ()), step.name, keeper) is None:
        raise ConflictError(f"{what} {step.name} is not ours any more")
    if is_balancer:
        client.delete_load_balancer(LoadBalancerArn=step.arn)
        return DONE
    if there.get("LoadBalancerArns"):
        raise ChangedError(f"target group {step.name} is still behind {', '.join(there['LoadBalancerArns'])}")
    client.delete_target_group(TargetGroupArn=step.arn)
    return DONE


def _set(
    aws: Aws,
    step: SetRuleConditions
    | SetTargetGroupAttributes
    | SetBalancerAttributes
    | SetBalancerSecurityGroups
    | SetWebAcl
    | SetListener
    | TagBalancing,
) -> Receipt:
    client = aws.client("elbv2")
    match step:
        case SetRuleConditions():
            client.modify_rule(RuleArn=step.arn, Conditions=_conditions(step.hosts, step.paths))
        case SetTargetGroupAttributes():
            attributes = _pairs(step.attributes)
            client.modify_target_group_attributes(TargetGroupArn=step.arn, Attributes=attributes)
        case SetBalancerAttributes():
            attributes = _pairs(step.attributes)
            client.modify_load_balancer_attributes(LoadBalancerArn=step.arn, Attributes=attributes)
        case SetBalancerSecurityGroups():
            client.set_security_groups(LoadBalancerArn=step.arn, SecurityGroups=list(step.security_groups))
        case SetWebAcl():
            waf = aws.client("wafv2")
            if step.web_acl:
                waf.associate_web_acl(WebACLArn=step.web_acl, ResourceArn=step.arn)
            else:
                waf.disassociate_web_acl(ResourceArn=step.arn)
        case SetListener():
            _set_listener(aws, step)
        case TagBalancing():
            client.add_tags(ResourceArns=[step.arn], Tags=_pairs(step.put))
        case _:
            assert_never(step)
    return DONE


def _set_listener(aws: Aws, step: SetListener) -> None:
    """Write the default certificate and the policy, then add and take away the others."""
    client, want = aws.client("elbv2"), step.listener
    request: dict[str, Any] = {"Certificates": [{"CertificateArn": c} for c in want.certificates[:1]]}
    if want.ssl_policy:
        request["SslPolicy"] = want.ssl_policy
    client.modify_listener(ListenerArn=step.arn, **request)
    have, wanted = set(read_certificates(aws, step.arn)), set(want.certificates)
    if more := sorted(wanted - have):
        client.add_listener_certificates(
            ListenerArn=step.arn, Certificates=[{"CertificateArn": c} for c in more]
        )
    if less := sorted(have - wanted):
        client.remove_listener_certificates(
            ListenerArn=step.arn, Certificates=[{"CertificateArn": c} for c in less]
        )
