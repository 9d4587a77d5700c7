"""The balancers' part of simulate: what a write changes at once."""

from dataclasses import dataclass
from typing import assert_never

from reconciler.core.facts import retagged, to_tags
from reconciler.core.ids import Arn
from reconciler.core.quick import replace
from reconciler.kinds.balancer.live import LiveBalancer, LiveListener, LiveRule, LiveTargetGroup
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancing:
    """The facts that these steps change."""

    balancers: tuple[LiveBalancer, ...]
    target_groups: tuple[LiveTargetGroup, ...]
    rules: tuple[LiveRule, ...]


def after(step: BalancerStep, live: Balancing) -> Balancing:
    """Return the facts once `step` took effect; a step done twice is as done once."""
    match step:
        case CreateTargetGroup():
            if any(t.name == step.name for t in live.target_groups):
                return live
            return replace(live, target_groups=_sorted((*live.target_groups, _made_target_group(step))))
        case CreateBalancer():
            if any(b.name == step.name for b in live.balancers):
                return live
            return replace(live, balancers=_sorted((*live.balancers, _made_balancer(step))))
        case CreateRule():
            if any(r.listener == step.rule.listener and r.priority == step.rule.priority for r in live.rules):
                return live
            return replace(live, rules=(*live.rules, _made_rule(step)))
        case SetRule() | SetRuleConditions():
            return replace(live, rules=tuple(_ruled(r, step) for r in live.rules))
        case DeleteRule():
            return replace(live, rules=tuple(r for r in live.rules if r.arn != step.arn))
        case DeleteTargetGroup():
            kept = tuple(t for t in live.target_groups if t.name != step.name)
            return replace(live, target_groups=kept)
        case TagBalancing():
            return _tagged(step, live)
        case SetTargetGroupAttributes():
            return replace(live, target_groups=tuple(_attributed(t, step) for t in live.target_groups))
        case DeleteBalancer():
            return replace(live, balancers=tuple(b for b in live.balancers if b.name != step.name))
        case (
            CreateListener()
            | SetBalancerAttributes()
            | SetBalancerSecurityGroups()
            | SetWebAcl()
            | SetListener()
        ):
            done = tuple(_changed(b, step) if b.name == step.name else b for b in live.balancers)
            return replace(live, balancers=done)
        case _:
            assert_never(step)


def _sorted(things: tuple) -> tuple:  # type: ignore[type-arg]
    return tuple(sorted(things, key=lambda t: t.name))


def _made_target_group(step: CreateTargetGroup) -> LiveTargetGroup:
    want = step.target_group
    return LiveTargetGroup(
        arn=Arn(f"arn:targetgroup/{want.name}"),
        name=want.name,
        port=want.port,
        protocol=want.protocol,
        protocol_version=want.protocol_version,
        vpc=want.vpc,
        check=want.check,
        balancers=(),
        tags=step.tags,
        attributes=want.attributes,
    )


def _made_balancer(step: CreateBalancer) -> LiveBalancer:
    want = step.balancer
    return LiveBalancer(
        arn=Arn(f"arn:loadbalancer/{want.name}"),
        name=want.name,
        dns_name=f"{want.name}.elb.example",
        zone="ZELB",
        state="provisioning",
        type=want.type,
        scheme=want.scheme,
        subnets=want.subnets,
        security_groups=want.security_groups,
        ip_type=want.ip_type,
        tags=step.tags,
        listeners=(),
        attributes=want.attributes,
        web_acl="",
    )


def _made_rule(step: CreateRule) -> LiveRule:
    want = step.rule
    return LiveRule(
        arn=Arn(f"{want.listener}/rule/{want.priority}"),
        listener=want.listener,
        priority=want.priority,
        hosts=want.hosts,
        paths=want.paths,
        other_conditions=False,
        weights=step.weights,
        tags=to_tags(want.tags),
    )


def _ruled(rule: LiveRule, step: SetRule | SetRuleConditions) -> LiveRule:
    if rule.arn != step.arn:
        return rule
    if isinstance(step, SetRule):
        return replace(rule, weights=step.weights)
    return replace(rule, hosts=step.hosts, paths=step.paths)


def _attributed(group: LiveTargetGroup, step: SetTargetGroupAttributes) -> LiveTargetGroup:
    if group.name != step.name:
        return group
    merged = {**dict(group.attributes or ()), **dict(step.attributes)}
    return replace(group, attributes=tuple(sorted(merged.items())))


def _changed(
    balancer: LiveBalancer,
    step: CreateListener | SetBalancerAttributes | SetBalancerSecurityGroups | SetWebAcl | SetListener,
) -> LiveBalancer:
    match step:
        case CreateListener(listener=want):
            have = tuple(x for x in balancer.listeners or () if x.port != want.port)
            made = LiveListener(
                arn=Arn(f"{balancer.arn}/listener/{want.port}"),
                balancer=balancer.arn,
                port=want.port,
                protocol=want.protocol,
                certificates=want.certificates,
                ssl_policy=want.ssl_policy,
                forwards=(Arn(f"arn:targetgroup/{step.name}"),),
            )
            return replace(balancer, listeners=tuple(sorted((*have, made), key=lambda x: x.port)))
        case SetBalancerAttributes():
            merged = {**dict(balancer.attributes or ()), **dict(step.attributes)}
            return replace(balancer, attributes=tuple(sorted(merged.items())))
        case SetBalancerSecurityGroups():
            return replace(balancer, security_groups=step.security_groups)
        case SetWebAcl():
            return replace(balancer, web_acl=step.web_acl)
        case SetListener(listener=want):
            return replace(
                balancer,
                listeners=tuple(
                    replace(x, certificates=want.certificates, ssl_policy=want.ssl_policy)
                    if x.arn == step.arn
                    else x
                    for x in balancer.listeners or ()
                ),
            )
        case _:
            assert_never(step)


def _tagged(step: TagBalancing, live: Balancing) -> Balancing:
    """Tags that were not looked at stay unknown."""
    put = dict(step.put)
    return Balancing(
        balancers=tuple(
            replace(b, tags=retagged(b.tags, put)) if b.arn == step.arn and b.tags is not None else b
            for b in live.balancers
        ),
        target_groups=tuple(
            replace(t, tags=retagged(t.tags, put)) if t.arn == step.arn and t.tags is not None else t
            for t in live.target_groups
        ),
        rules=tuple(replace(r, tags=retagged(r.tags, put)) if r.arn == step.arn else r for r in live.rules),
    )
