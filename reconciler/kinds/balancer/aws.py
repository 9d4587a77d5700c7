"""Load balancers, target groups, listeners and rules on AWS: reading. Writing stands in `write`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from botocore.exceptions import ClientError

from reconciler.core.facts import Tags, to_tags
from reconciler.core.ids import Arn, InstanceId, ResourceName
from reconciler.gateway.errors import Failure, classify
from reconciler.gateway.session import Aws
from reconciler.kinds.balancer.live import (
    HEALTHY,
    LiveBalancer,
    LiveListener,
    LiveRule,
    LiveTargetGroup,
    TargetHealth,
)
from reconciler.kinds.balancer.want import HealthCheck

PAGE: Final = 400  # of every paged operation
TAGS: Final = 20  # ARNs of one DescribeTags
SECURE: Final = ("HTTPS", "TLS")  # protocols of listeners that have certificates


def read(aws: Aws) -> tuple[tuple[LiveBalancer, ...], tuple[LiveTargetGroup, ...]]:
    """Return every balancer and target group of the region, by name, without what needs a call for each.

    Source: elbv2:DescribeLoadBalancers and DescribeTargetGroups, 400 a page, side by side.
    """
    reads = [("describe_load_balancers", "LoadBalancers"), ("describe_target_groups", "TargetGroups")]
    balancers, groups = aws.each(lambda r: _pages(aws, *r), reads)
    return (
        tuple(sorted(map(to_balancer, balancers), key=lambda b: b.name)),
        tuple(sorted(map(to_target_group, groups), key=lambda t: t.name)),
    )


def _pages(aws: Aws, operation: str, key: str, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    marker: str | None = None
    while True:
        call = getattr(aws.client("elbv2"), operation)
        page = call(PageSize=PAGE, **params, **({"Marker": marker} if marker else {}))
        found += page[key]
        marker = page.get("NextMarker")
        if not marker:
            return found


def to_balancer(raw: dict[str, Any]) -> LiveBalancer:
    """Return the fact behind one answer of DescribeLoadBalancers."""
    return LiveBalancer(
        arn=Arn(raw["LoadBalancerArn"]),
        name=ResourceName(raw["LoadBalancerName"]),
        dns_name=raw.get("DNSName", ""),
        zone=raw.get("CanonicalHostedZoneId", ""),
        state=raw.get("State", {}).get("Code", ""),
        type=raw.get("Type", ""),
        scheme=raw.get("Scheme", ""),
        subnets=tuple(sorted(z.get("SubnetId", "") for z in raw.get("AvailabilityZones", []))),
        security_groups=tuple(sorted(raw.get("SecurityGroups", []))),
        ip_type=raw.get("IpAddressType", "ipv4"),
        tags=None,
    )


def to_target_group(raw: dict[str, Any]) -> LiveTargetGroup:
    """Return the fact behind one answer of DescribeTargetGroups."""
    return LiveTargetGroup(
        arn=Arn(raw["TargetGroupArn"]),
        name=ResourceName(raw["TargetGroupName"]),
        port=int(raw.get("Port", 0)),
        protocol=raw.get("Protocol", ""),
        protocol_version=raw.get("ProtocolVersion", ""),
        vpc=raw.get("VpcId", ""),
        check=HealthCheck(
            protocol=raw.get("HealthCheckProtocol", ""),
            port=str(raw.get("HealthCheckPort", "")),
            path=raw.get("HealthCheckPath", ""),
            interval=int(raw.get("HealthCheckIntervalSeconds", 0)),
            timeout=int(raw.get("HealthCheckTimeoutSeconds", 0)),
            healthy=int(raw.get("HealthyThresholdCount", 0)),
            unhealthy=int(raw.get("UnhealthyThresholdCount", 0)),
            matcher=raw.get("Matcher", {}).get("HttpCode", ""),
        ),
        balancers=tuple(sorted(Arn(a) for a in raw.get("LoadBalancerArns", []))),
        tags=None,
    )


def read_tags(aws: Aws, arns: Sequence[str]) -> dict[str, Tags]:
    """Return tags by ARN. Source: elbv2:DescribeTags, 20 ARNs a call."""
    wanted = sorted(set(arns))
    chunks = [wanted[n : n + TAGS] for n in range(0, len(wanted), TAGS)]
    client = aws.client("elbv2")
    pages = aws.each(lambda c: client.describe_tags(ResourceArns=c)["TagDescriptions"], chunks)
    return {
        d["ResourceArn"]: to_tags((t["Key"], t.get("Value", "")) for t in d.get("Tags", []))
        for p in pages
        for d in p
    }


def look_at_balancers(
    aws: Aws, live: tuple[LiveBalancer, ...], names: frozenset[ResourceName]
) -> tuple[LiveBalancer, ...]:
    """Return the balancers with tags, listeners, attributes and web ACL of those that are named."""
    chosen = [b for b in live if b.name in names]
    tags = read_tags(aws, [b.arn for b in chosen])
    looked = dict(
        zip((b.name for b in chosen), aws.each(lambda b: _looked(aws, b, tags), chosen), strict=True)
    )
    return tuple(looked.get(b.name, b) for b in live)


def _looked(aws: Aws, live: LiveBalancer, tags: dict[str, Tags]) -> LiveBalancer:
    attributes = aws.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=live.arn)["Attributes"]
    return replace(
        live,
        tags=tags.get(live.arn, ()),
        listeners=read_listeners(aws, live.arn),
        attributes=tuple(sorted((a["Key"], a.get("Value", "")) for a in attributes)),
        web_acl=_web_acl(aws, live) if live.type == "application" else "",
    )


def _web_acl(aws: Aws, live: LiveBalancer) -> str:
    found = aws.client("wafv2").get_web_acl_for_resource(ResourceArn=live.arn)
    return str(found.get("WebACL", {}).get("ARN", ""))


def read_listeners(aws: Aws, balancer: Arn) -> tuple[LiveListener, ...]:
    """Return a balancer's listeners, by port, with all of their certificates.

    Source: elbv2:DescribeListeners (the default certificate alone), DescribeListenerCertificates.
    """
    raws = _pages(aws, "describe_listeners", "Listeners", LoadBalancerArn=balancer)
    found = [
        replace(x, certificates=read_certificates(aws, x.arn)) if x.protocol in SECURE else x
        for x in map(to_listener, raws)
    ]
    return tuple(sorted(found, key=lambda x: x.port))


def read_certificates(aws: Aws, listener: Arn) -> tuple[Arn, ...]:
    """Return a listener's certificates, the default first, the others sorted.

    Source: elbv2:DescribeListenerCertificates.
    """
    raws = _pages(aws, "describe_listener_certificates", "Certificates", ListenerArn=listener)
    default = {Arn(c["CertificateArn"]) for c in raws if c.get("IsDefault")}
    others = {Arn(c["CertificateArn"]) for c in raws} - default
    return (*sorted(default), *sorted(others))


def to_listener(raw: dict[str, Any]) -> LiveListener:
    """Return the fact behind one answer of DescribeListeners."""
    return LiveListener(
        arn=Arn(raw["ListenerArn"]),
        balancer=Arn(raw.get("LoadBalancerArn", "")),
        port=int(raw.get("Port", 0)),
        protocol=raw.get("Protocol", ""),
        certificates=tuple(Arn(c["CertificateArn"]) for c in raw.get("Certificates", [])),
        ssl_policy=raw.get("SslPolicy", ""),
        forwards=tuple(arn for arn, _ in to_weights(raw.get("DefaultActions", []))),
    )


def to_weights(actions: Sequence[dict[str, Any]]) -> tuple[tuple[Arn, int], ...]:
    """Return target groups and weights of a forward action, however it is written."""
    for action in actions:
        if action.get("Type") != "forward":
            continue
        groups = action.get("ForwardConfig", {}).get("TargetGroups")
        if groups:
            return tuple(sorted((Arn(g["TargetGroupArn"]), int(g.get("Weight", 1))) for g in groups))
        return ((Arn(action["TargetGroupArn"]), 1),)
    return ()


def look_at_target_groups(
    aws: Aws, live: tuple[LiveTargetGroup, ...], names: frozenset[ResourceName]
) -> tuple[LiveTargetGroup, ...]:
    """Return the target groups with tags and attributes of those that are named."""
    chosen = [t for t in live if t.name in names]
    tags = read_tags(aws, [t.arn for t in chosen])
    client = aws.client("elbv2")

    def attributes(group: LiveTargetGroup) -> tuple[tuple[str, str], ...]:
        raws = client.describe_target_group_attributes(TargetGroupArn=group.arn)["Attributes"]
        return tuple(sorted((a["Key"], a.get("Value", "")) for a in raws))

    found = dict(zip((t.name for t in chosen), aws.each(attributes, chosen), strict=True))
    return tuple(
        replace(t, tags=tags.get(t.arn, ()), attributes=found[t.name]) if t.name in found else t for t in live
    )


def read_rules(
    aws: Aws, wanted: frozenset[tuple[Arn, int]], whole: frozenset[Arn] = frozenset()
) -> tuple[tuple[LiveRule, ...], tuple[Arn, ...]]:
    """Return the rules of every listener that fleets name, and the listeners that are not there.

    Tags are read only of rules at a wanted priority; of the listeners in `whole`, of every rule. A
    listener that does not exist is a fact, and no reason not to know the others.
    Source: elbv2:DescribeRules, DescribeTags.
    """
    listeners = sorted({arn for arn, _ in wanted} | whole)
    raws = dict(zip(listeners, aws.each(lambda arn: _rules_of(aws, arn), listeners), strict=True))
    rules = [
        to_rule(raw, arn, ())
        for arn, found in raws.items()
        for raw in found or ()
        if not raw.get("IsDefault")
    ]
    told = [r.arn for r in rules if (r.listener, r.priority) in wanted or r.listener in whole]
    tags = read_tags(aws, told)
    missing = tuple(arn for arn, found in raws.items() if found is None)
    return tuple(replace(r, tags=tags.get(r.arn, ())) for r in rules), missing


def _rules_of(aws: Aws, listener: Arn) -> list[dict[str, Any]] | None:
    """Return a listener's rules, or None where AWS says that there is no such listener."""
    try:
        return _pages(aws, "describe_rules", "Rules", ListenerArn=listener)
    except ClientError as error:
        if classify(error) is Failure.NOT_FOUND:
            return None
        raise


def find_rule(aws: Aws, arn: Arn) -> LiveRule | None:
    """Return a rule as it is now, without listener and tags; None: it is gone (elbv2:DescribeRules)."""
    try:
        raws = aws.client("elbv2").describe_rules(RuleArns=[arn])["Rules"]
    except ClientError as error:
        if classify(error) is Failure.NOT_FOUND:
            return None
        raise
    return to_rule(raws[0], Arn(""), ()) if raws else None


def to_rule(raw: dict[str, Any], listener: Arn, tags: Tags) -> LiveRule:
    """Return the fact behind one answer of DescribeRules."""
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    other = False
    for condition in raw.get("Conditions", []):
        values = condition.get("Values") or []
        match condition.get("Field"):
            case "host-header":
                hosts = tuple(sorted(condition.get("HostHeaderConfig", {}).get("Values") or values))
            case "path-pattern":
                paths = tuple(sorted(condition.get("PathPatternConfig", {}).get("Values") or values))
            case _:
                other = True
    priority = str(raw.get("Priority", "0"))
    return LiveRule(
        arn=Arn(raw["RuleArn"]),
        listener=listener,
        priority=int(priority) if priority.isdigit() else 0,
        hosts=hosts,
        paths=paths,
        other_conditions=other,
        weights=to_weights(raw.get("Actions", [])),
        tags=tags,
    )


def read_health(aws: Aws, groups: frozenset[Arn], classic: frozenset[str]) -> tuple[TargetHealth, ...]:
    """Return the health of what is registered, one call for each target group and classic balancer.

    Source: elbv2:DescribeTargetHealth; elb:DescribeInstanceHealth.
    """

    def one(arn: Arn) -> TargetHealth:
        raws = aws.client("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        states = sorted((InstanceId(r["Target"]["Id"]), r["TargetHealth"]["State"]) for r in raws)
        return TargetHealth(group=arn, states=tuple(states))

    def old(name: str) -> TargetHealth:
        raws = aws.client("elb").describe_instance_health(LoadBalancerName=name)["InstanceStates"]
        states = sorted(
            (InstanceId(r["InstanceId"]), HEALTHY if r["State"] == "InService" else r["State"]) for r in raws
        )
        return TargetHealth(group=name, states=tuple(states))

    return (*aws.each(one, sorted(groups)), *aws.each(old, sorted(classic)))
