"""From a document and the world to what is wanted, with every id resolved, or why it can't be."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from reconciler.core.digest import canonical, short
from reconciler.core.facts import FLEET, OWNER, PARTS, SELF, SOURCE, TARGET, Keeper, to_tags
from reconciler.core.ids import AmiId, Arn, Commit, FleetName, ResourceName, Revision, ZoneName, resource_name
from reconciler.kinds.balancer.want import Balancer, HealthCheck, Listener, Rule, TargetGroup
from reconciler.kinds.group.want import Group, Hook, Members, Policy, Schedule, Sizes
from reconciler.kinds.network.live import SecurityGroup, Subnet
from reconciler.kinds.register import Blocked
from reconciler.kinds.template.want import Template
from reconciler.plan.prepare import Prepared, parts_text, revision_of
from reconciler.plan.rollouts import rollout_of
from reconciler.spec.desired import DesiredFleet, DesiredTarget, DesiredZone
from reconciler.spec.fleet import METRICS, Scaling
from reconciler.spec.launch import Selector
from reconciler.spec.traffic import NETWORK, Traffic
from reconciler.spec.traffic import TargetGroup as TargetGroupSpec
from reconciler.strategies.wanted import Dns, TrafficKind, Wanted


class UnresolvedError(Exception):
    """Why a fleet can't be resolved, in one sentence."""


@dataclass(frozen=True, slots=True)
class Network:
    """Subnets and security groups, by what selectors ask for."""

    subnets: dict[str, Subnet]
    groups: dict[str, SecurityGroup]
    by_name: dict[tuple[str, str], list[SecurityGroup]]  # VPC and name

    @staticmethod
    def of(subnets: Sequence[Subnet], groups: Sequence[SecurityGroup]) -> "Network":
        """Index what was read."""
        named: dict[tuple[str, str], list[SecurityGroup]] = {}
        for group in groups:
            named.setdefault((group.vpc, group.name), []).append(group)
        return Network({s.id: s for s in subnets}, {g.id: g for g in groups}, named)

    def choose(self, selectors: Sequence[Selector], what: str) -> tuple[tuple[str, ...], str]:
        """Return subnet ids and their one VPC.

        Raises: UnresolvedError where a selector chooses nothing, or the choice spans VPCs.
        """
        found: dict[str, Subnet] = {}
        for selector in selectors:
            chosen = self._subnets(selector)
            if not chosen:
                raise UnresolvedError(f"{what}: no subnet is chosen by {_said(selector)}")
            found |= {s.id: s for s in chosen}
        vpcs = {s.vpc for s in found.values()}
        if len(vpcs) != 1:
            raise UnresolvedError(
                f"{what}: subnets of {len(vpcs)} VPCs are chosen ({', '.join(sorted(vpcs))})"
            )
        return tuple(sorted(found)), vpcs.pop()

    def _subnets(self, selector: Selector) -> list[Subnet]:
        if selector.id is not None:
            return [self.subnets[selector.id]] if selector.id in self.subnets else []
        wanted = set(selector.tag)
        return [s for s in self.subnets.values() if wanted <= set(s.tags)]

    def security(self, selectors: Sequence[Selector], vpc: str, what: str) -> tuple[str, ...]:
        """Return security group ids.

        Raises: UnresolvedError where a name does not match exactly one in the VPC.
        """
        found: list[str] = []
        for selector in selectors:
            if selector.id is not None:
                if selector.id not in self.groups:
                    raise UnresolvedError(f"{what}: there is no security group {selector.id}")
                found.append(selector.id)
                continue
            named = self.by_name.get((vpc, selector.name or ""), [])
            if len(named) != 1:
                raise UnresolvedError(
                    f"{what}: {len(named)} security groups in {vpc} are named {selector.name}"
                )
            found.append(named[0].id)
        return tuple(sorted(set(found)))


def _said(selector: Selector) -> str:
    return selector.id or ", ".join(f"{k}={v}" for k, v in selector.tag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where, for whom and at which commit a fleet is resolved."""

    target: DesiredTarget
    keeper: Keeper
    commit: Commit
    network: Network
    zones: tuple[DesiredZone, ...]


def resolve(fleet: DesiredFleet, prepared: Prepared, ami: AmiId, place: Place) -> Wanted | Blocked:
    """Return what is wanted of a fleet, or why it can't be told."""
    try:
        return _resolve(fleet, prepared, ami, place)
    except UnresolvedError as why:
        return Blocked(code="unresolved", why=str(why))


def _resolve(fleet: DesiredFleet, prepared: Prepared, ami: AmiId, place: Place) -> Wanted:
    spec = fleet.spec
    revision = Revision(revision_of(fleet, prepared, ami))
    name = resource_name(fleet.name, revision)
    subnets, vpc = place.network.choose(spec.placement.subnets, "placement.subnets")
    drift = spec.drift or place.target.spec.drift
    traffic = spec.traffic
    group_spec = _target_group_spec(traffic)
    drain = group_spec.drain if group_spec else timedelta(seconds=300)
    return Wanted(
        fleet=FleetName(fleet.name),
        target=fleet.target,
        keeper=place.keeper,
        commit=place.commit,
        revision=revision,
        name=name,
        spec_hash=prepared.spec_hash,
        template=_template(fleet, prepared, ami, place, name, vpc),
        group=_group(fleet, place, name, subnets),
        kind=_kind(traffic),
        target_group=_target_group(group_spec, name, vpc) if group_spec else None,
        balancer=_balancer(traffic, name, place.network, subnets, vpc),
        dns=_dns(traffic, place),
        rule=_rule(traffic, fleet, place),
        rollout=rollout_of(spec.rollout),
        drain=drain if traffic else timedelta(),
        protect=fleet.metadata.protect,
        heal=drift.mode == "heal",
        ignore=drift.ignore,
    )


def _kind(traffic: Traffic | None) -> TrafficKind:
    if traffic is None:
        return TrafficKind.NONE
    if traffic.balancer:
        return TrafficKind.DNS
    return TrafficKind.LISTENER if traffic.listener else TrafficKind.ATTACH


def _target_group_spec(traffic: Traffic | None) -> TargetGroupSpec | None:
    if traffic is None:
        return None
    return traffic.balancer.targetGroup if traffic.balancer else traffic.targetGroup


def _template(
    fleet: DesiredFleet, prepared: Prepared, ami: AmiId, place: Place, name: ResourceName, vpc: str
) -> Template:
    launch = fleet.spec.launch
    groups = place.network.security(launch.securityGroups, vpc, "launch.securityGroups")
    body = {**json.loads(prepared.body), "ImageId": ami}
    if launch.publicIp:
        body["NetworkInterfaces"] = [
            {
                "DeviceIndex": 0,
                "AssociatePublicIpAddress": True,
                **({"Groups": list(groups)} if groups else {}),
            }
        ]
    elif groups:
        body["SecurityGroupIds"] = list(groups)
    tags = {**dict(place.target.spec.tags), PARTS: parts_text(prepared, ami)}
    return Template(name=name, image=ami, body=canonical(body), tags=to_tags(tags))


def _group(fleet: DesiredFleet, place: Place, name: ResourceName, subnets: tuple[str, ...]) -> Group:
    spec = fleet.spec
    attach = spec.traffic.attach if spec.traffic else None
    own = _target_group_spec(spec.traffic) is not None
    capacity = spec.capacity
    desired = capacity.min if capacity.desired is None else capacity.desired
    return Group(
        name=name,
        sizes=Sizes(min=capacity.min, max=capacity.max, desired=desired),
        autoscaled=bool(spec.scaling),
        subnets=subnets,
        target_groups=(name,) if own else (),
        attach_target_groups=tuple(Arn(a) for a in attach.targetGroups) if attach else (),
        attach_classic=attach.classic if attach else (),
        hooks=tuple(
            Hook(name=h.name, on=h.on, timeout=_seconds(h.timeout), result=h.result)
            for h in sorted(spec.hooks, key=lambda h: h.name)
        ),
        policies=tuple(sorted((_policy(e) for e in spec.scaling if not e.cron), key=lambda p: p.name)),
        schedules=tuple(sorted((_schedule(e) for e in spec.scaling if e.cron), key=lambda s: s.name)),
        health=_members(
            {
                "HealthCheckType": spec.health.check.upper(),
                "HealthCheckGracePeriod": _seconds(spec.health.grace),
            }
        ),
        settings=_settings(fleet),
        mixed=_mixed(fleet),
        birth=(),
        tags=(),
        extra_tags=to_tags(place.target.spec.tags),
    )


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def _members(values: dict[str, Any]) -> Members:
    return tuple((k, canonical(v)) for k, v in sorted(values.items()))


def _settings(fleet: DesiredFleet) -> Members:
    group = fleet.spec.group
    return _members(
        {
            "DefaultInstanceWarmup": -1 if group.warmup is None else _seconds(group.warmup),
            "CapacityRebalance": group.capacityRebalance,
            "MaxInstanceLifetime": 0
            if group.maxInstanceLifetime is None
            else _seconds(group.maxInstanceLifetime),
            **json.loads(group.extra),
        }
    )


def _mixed(fleet: DesiredFleet) -> str:
    purchase, types = fleet.spec.launch.purchase, fleet.spec.launch.instanceTypes
    if purchase is None:
        return ""
    return canonical(
        {
            "InstancesDistribution": {
                "OnDemandBaseCapacity": purchase.onDemandBase,
                "OnDemandPercentageAboveBaseCapacity": purchase.onDemandPercent,
                "SpotAllocationStrategy": purchase.spotAllocation,
            },
            "LaunchTemplate": {"Overrides": [{"InstanceType": t} for t in types]},
        }
    )


def _policy(entry: Scaling) -> Policy:
    if entry.custom is not None:
        metric = {"CustomizedMetricSpecification": json.loads(entry.custom)}
        name = f"custom-{short(entry.custom)}"
    else:
        name = entry.metric or ""
        metric = {"PredefinedMetricSpecification": {"PredefinedMetricType": METRICS[name]}}
    return Policy(name=name, body=canonical({**metric, "TargetValue": float(entry.target or 0)}))


def _schedule(entry: Scaling) -> Schedule:
    return Schedule(
        name=f"schedule-{short([entry.cron, entry.timezone])}",
        cron=entry.cron or "",
        timezone=entry.timezone,
        min=entry.min or 0,
        max=entry.max or 0,
    )


def _target_group(spec: TargetGroupSpec, name: ResourceName, vpc: str) -> TargetGroup:
    network = spec.protocol in NETWORK
    check = spec.health
    protocol = check.protocol or ("TCP" if network else spec.protocol)
    interval = _seconds(check.interval)
    attributes = {**dict(spec.attributes), "deregistration_delay.timeout_seconds": str(_seconds(spec.drain))}
    return TargetGroup(
        name=name,
        port=spec.port,
        protocol=spec.protocol,
        protocol_version="" if network else "HTTP1",
        vpc=vpc,
        check=HealthCheck(
            protocol=protocol,
            port=str(check.port) if check.port else "traffic-port",
            path="" if protocol == "TCP" else (check.path or "/"),
            interval=interval,
            timeout=_seconds(check.timeout) if check.timeout else max(2, interval // 2),
            healthy=check.healthy,
            unhealthy=check.unhealthy,
            matcher="" if protocol == "TCP" else check.matcher,
        ),
        drain=_seconds(spec.drain),
        attributes=tuple(sorted(attributes.items())),
        tags=(),
    )


def _balancer(
    traffic: Traffic | None, name: ResourceName, network: Network, subnets: tuple[str, ...], vpc: str
) -> Balancer | None:
    spec = traffic.balancer if traffic else None
    if spec is None:
        return None
    where = subnets
    if spec.subnets:
        where, other = network.choose(spec.subnets, "traffic.balancer.subnets")
        if other != vpc:
            raise UnresolvedError(f"traffic.balancer.subnets are in {other}, the instances in {vpc}")
    zones = {network.subnets[s].zone for s in where}
    if spec.type == "application" and len(zones) < 2:
        raise UnresolvedError("an application balancer needs subnets in two availability zones")
    return Balancer(
        name=name,
        type=spec.type,
        scheme=spec.scheme,
        subnets=where,
        security_groups=network.security(spec.securityGroups, vpc, "traffic.balancer.securityGroups"),
        ip_type=spec.ipAddressType,
        attributes=spec.attributes,
        web_acl=spec.webAcl or "",
        listeners=tuple(
            Listener(
                port=x.port,
                protocol=x.protocol,
                certificates=_certificates(x.certificates),
                ssl_policy=x.sslPolicy or "",
            )
            for x in sorted(spec.listeners, key=lambda x: x.port)
        ),
        tags=(),
    )


def _certificates(written: Sequence[str]) -> tuple[Arn, ...]:
    """Return the default certificate first; the order of the others means nothing."""
    return tuple(Arn(c) for c in (*written[:1], *sorted(set(written[1:]) - set(written[:1]))))


def full_name(name: str, domain: str) -> str:
    """Return a record's name as Route 53 holds it: lower case, whole, ending with a dot."""
    domain = domain.lower().rstrip(".")
    whole = domain if name == "@" else f"{name.lower()}.{domain}"
    return whole.replace("*", "\\052") + "."


def _dns(traffic: Traffic | None, place: Place) -> Dns | None:
    spec = traffic.dns if traffic else None
    zone = next((z for z in place.zones if spec and z.name == spec.zone), None)
    if spec is None or zone is None or traffic is None or traffic.balancer is None:
        return None
    dual = traffic.balancer.ipAddressType == "dualstack"
    return Dns(
        zone=ZoneName(spec.zone),
        name=full_name(spec.name, zone.spec.domain),
        types=("A", "AAAA") if dual else ("A",),
        evaluate_health=spec.evaluateHealth,
    )


def _rule(traffic: Traffic | None, fleet: DesiredFleet, place: Place) -> Rule | None:
    spec = traffic.listener if traffic else None
    if spec is None:
        return None
    keeper = place.keeper
    tags = {
        OWNER: keeper.owner,
        SOURCE: keeper.source,
        TARGET: keeper.target,
        FLEET: fleet.name,
        SELF: f"{spec.arn.rpartition('/')[2]}/{spec.priority}",
    }
    return Rule(
        listener=Arn(spec.arn),
        priority=spec.priority,
        hosts=tuple(sorted(spec.hosts)),
        paths=tuple(sorted(spec.paths)),
        tags=to_tags(tags),
    )
