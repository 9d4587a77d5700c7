"""A fleet with gates at its new revision, and the facts that gates rest on."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from reconciler.core.facts import STAGE, Identity, Unread
from reconciler.core.ids import Arn, Commit, ResourceName
from reconciler.kinds.alarm.live import LiveAlarm
from reconciler.kinds.balancer.live import LiveBalancer, LiveTargetGroup
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.metric.want import Measure
from reconciler.strategies.gates import asks
from reconciler.strategies.slice import Live, Slice, StageTag
from reconciler.strategies.wanted import (
    Gates,
    MetricGate,
    ProbeGate,
    TrafficKind,
    Wanted,
)
from tests.worlds import CHECK, NOON, revision, wanted

OVER = timedelta(minutes=5)
ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:"
LISTENER = Arn(f"{ARN}listener/app/shared/50dc6c495c0c9188/f2f7dc8efc522ab2")
NAME = "web-0000000002"
ERRORS = MetricGate(metric="target5xxPercent", query="", max=1, over=OVER)
SLOW = MetricGate(metric="latencyP99", query="", max=0.5, over=OVER)
WRITTEN = MetricGate(metric="", query="SELECT MAX(Errors) FROM App WHERE Group = '{group}'", max=3, over=OVER)
PROBE = ProbeGate(path="/healthz", status=200, times=3)
SINCE = " since 2026-11-23T11:55:00Z"
FAILS, PASSES = " (gates.missing: fail)", " (gates.missing: pass)"
LOST = Unread(what="it", why="DescribeAlarms: AccessDenied")


def want_of(kind: TrafficKind = TrafficKind.DNS, **gates: Any) -> Wanted:
    want = wanted(2, kind)
    rule = replace(want.rule, listener=LISTENER) if want.rule else None
    return replace(want, rule=rule, rollout=replace(want.rollout, gates=Gates(**gates)))


def live(want: Wanted, step: int | None = None, age: timedelta = timedelta(), state: str = "active") -> Live:
    """The new revision, at this stage for so long; None: its stage is not there."""
    stage = StageTag(step=step or 0, stages="abc", change="", since=NOON - age)
    tags = ((STAGE, stage.text()),) if step is not None else ()
    return Live(
        revision=want.revision,
        name=want.name,
        identity=Identity(fleet=want.fleet, revision=want.revision, born=0, commit=Commit("c" * 40)),
        group=group(want, tags),
        template=None,
        target_group=target_group(want) if want.target_group else None,
        balancer=balancer(want, state) if want.balancer else None,
        records=(),
        rule_weight=None,
    )


def group(want: Wanted, tags: tuple[tuple[str, str], ...]) -> LiveGroup:
    return LiveGroup(
        name=want.name,
        arn=Arn("arn"),
        tags=tags,
        sizes=Sizes(min=1, max=1, desired=1),
        template=want.name,
        template_version="1",
        subnets=(),
        target_groups=(),
        classic=(),
        health=(),
        settings=(),
        mixed="",
        suspended=(),
        policies=(),
        schedules=(),
        instances=(),
        deleting=False,
    )


def target_group(want: Wanted) -> LiveTargetGroup:
    return LiveTargetGroup(
        arn=Arn(f"{ARN}targetgroup/{want.name}/73e2d6bc24d8a067"),
        name=want.name,
        port=8080,
        protocol="HTTP",
        protocol_version="HTTP1",
        vpc="vpc-1",
        check=CHECK,
        balancers=(),
    )


def balancer(want: Wanted, state: str = "active") -> LiveBalancer:
    return LiveBalancer(
        arn=Arn(f"{ARN}loadbalancer/app/{want.name}/50dc6c495c0c9188"),
        name=want.name,
        dns_name=f"internal-{want.name}-1.eu-west-1.elb.amazonaws.com.",
        zone="Z1",
        state=state,
        type="application",
        scheme="internal",
        subnets=(),
        security_groups=(),
        ip_type="ipv4",
    )


def old(want: Wanted) -> Live:
    """A revision that serves."""
    return replace(live(replace(want, revision=revision(1)), 1), name=ResourceName("web-0000000001"))


def seen(want: Wanted, *revisions: Live, **facts: Any) -> Slice:
    """What a pass saw of a fleet, whose old revision is there."""
    return first(want, old(want), *revisions, **facts)


def first(want: Wanted, *revisions: Live, **facts: Any) -> Slice:
    """What a pass saw of a fleet of these revisions alone."""
    empty: dict[str, Any] = dict.fromkeys(("zones", "rules", "health", "changes", "target_groups"), ())
    return Slice(fleet=want.fleet, as_of=NOON, revisions=revisions, rule=None, **empty, **facts)


def alarm(state: str, *watches: str) -> LiveAlarm:
    return LiveAlarm(name="web-5xx", state=state, since=NOON - OVER, watches=watches)


def measure(gate: MetricGate, kind: TrafficKind = TrafficKind.DNS) -> Measure:
    (made,) = asks(want_of(kind, metrics=(gate,)), seen(want_of(kind), live(want_of(kind)))).metrics
    return made
