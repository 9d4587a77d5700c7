"""Gates of a rollout: what has to hold before a revision gets traffic, and while it has some."""

import re
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from reconciler.core.base import Duration, Spec, said
from reconciler.core.problem import RefusedError
from reconciler.spec.traffic import Traffic

LONGEST_NAME: Final = 255  # characters of an alarm's name (cloudwatch:PutMetricAlarm)
LONGEST_QUERY: Final = 1500  # CloudWatch takes 2,048 characters, and the names of a revision are filled in
SHORTEST, LONGEST = timedelta(minutes=3), timedelta(hours=3)
PLACEHOLDERS: Final = ("{balancer}", "{targetGroup}", "{group}")
MEANT: Final = {"balancer": 0, "loadbalancer": 0, "targetgroup": 1, "group": 2, "autoscalinggroup": 2}
PATH: Final = re.compile(r"/[!-\"$-~]*")  # what a request line takes: no space, and no fragment
UDP: Final = "UDP"


def _alarm(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_NAME:
        raise RefusedError(
            f"an alarm is {said(value)}",
            f"alarms are named by 1 to {LONGEST_NAME} characters",
            "write alarms: [checkout-5xx]",
        )
    if value.startswith("arn:"):
        raise RefusedError(
            "an alarm is named by an ARN",
            "alarms are read in the target's own account and region",
            f"write its name: {value.rpartition(':alarm:')[2] or 'checkout-5xx'}",
        )
    return value


AlarmName = Annotated[
    str,
    BeforeValidator(_alarm),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_NAME}),
]


class MetricGate(Spec):
    """A measure of a revision's own balancer and group that may not be above `max`."""

    metric: Literal["target5xxPercent", "latencyP99", "unhealthyHosts"] | None = Field(
        None, description="Percent of requests, seconds, or hosts; the first two of application balancers."
    )
    query: str | None = Field(
        None,
        min_length=1,
        max_length=LONGEST_QUERY,
        description="Metric math or Metrics Insights with {balancer}, {targetGroup} or {group} in it.",
    )
    max: float = Field(description="The largest value that is good.")
    over: Duration = Field(timedelta(minutes=5), description="How far back is measured: 3m to 3h.")

    @model_validator(mode="after")
    def _fits(self) -> "MetricGate":
        if (self.metric is None) == (self.query is None):
            raise RefusedError(
                "the gate has both metric and query" if self.metric else "the gate has no metric",
                "it measures one thing",
                "write {metric: target5xxPercent, max: 1, over: 5m}, or query in place of metric",
            )
        if self.metric and self.max < 0:
            raise RefusedError("max is below 0", "the metric never is", "write max: 0 or more", "max")
        if self.metric == "target5xxPercent" and self.max >= 100:
            raise RefusedError(
                f"max is {self.max:g} percent", "no share is above it", "write max: 1, for example", "max"
            )
        if not SHORTEST <= self.over <= LONGEST or self.over.total_seconds() % 60:
            raise RefusedError(
                "over is no whole number of minutes from 3m to 3h",
                "CloudWatch has load balancers by the minute, and shows a minute some time after it",
                "write over: 5m",
                "over",
            )
        return self._own()

    def _own(self) -> "MetricGate":
        if self.query is None:
            return self
        for name in re.findall(r"\{([A-Za-z]+)\}", self.query):
            meant = MEANT.get(name.lower())
            if meant is not None and PLACEHOLDERS[meant] != f"{{{name}}}":
                raise RefusedError(
                    f"the query has the placeholder {{{name}}}",
                    "CloudWatch would take it as it stands",
                    f"write {PLACEHOLDERS[meant]}",
                    "query",
                )
        if not any(p in self.query for p in PLACEHOLDERS):
            raise RefusedError(
                "the query has no placeholder",
                "it would measure the same for every revision",
                f"name the revision's own by {', '.join(PLACEHOLDERS)}, or use an alarm",
                "query",
            )
        return self


class ProbeGate(Spec):
    """A GET to the revision's own balancer, with the fleet's DNS name as Host."""

    path: str = Field(max_length=1024, description="Path and query.")
    status: int = Field(200, ge=200, le=599, description="Redirects are not followed.")
    times: int = Field(3, ge=1, le=10, description="Answers in a row, in each pass.")

    @model_validator(mode="after")
    def _path(self) -> "ProbeGate":
        if not PATH.fullmatch(self.path):
            raise RefusedError(
                f"path is {said(self.path)}",
                "a path begins with / and holds printable ASCII without spaces and #",
                "write path: /healthz, and escape other characters by %",
                "path",
            )
        return self


class Gates(Spec):
    """What trips a rollout."""

    alarms: tuple[AlarmName, ...] = Field(
        (), max_length=20, description="CloudWatch alarms by name. In ALARM before the start: blocked."
    )
    metrics: tuple[MetricGate, ...] = Field((), max_length=10, description="Of the revision's own things.")
    probe: ProbeGate | None = Field(None, description="Needs a balancer of the fleet's own.")
    missing: Literal["fail", "pass"] = Field(
        "fail", description="Where an alarm or a metric has no data, can't be read or does not exist."
    )

    @model_validator(mode="after")
    def _once(self) -> "Gates":
        for n, name in enumerate(self.alarms):
            if name in self.alarms[:n]:
                raise RefusedError(
                    f"alarm {name} stands there twice", "one look is enough", "keep one", f"alarms.{n}"
                )
        measured = [(m.metric, m.query, m.over) for m in self.metrics]
        for n, what in enumerate(measured):
            if what in measured[:n]:
                raise RefusedError(
                    f"{what[0] or 'the query'} stands there twice",
                    "the smaller max would count alone",
                    "keep one, or measure over another time",
                    f"metrics.{n}",
                )
        return self


def fit_traffic(gates: Gates | None, traffic: Traffic | None) -> None:
    """Check that what the gates measure is there. Raises: RefusedError, at its place in a fleet's spec."""
    if gates is None:
        return
    if gates.probe:
        _probed(traffic)
    own = bool(traffic and (traffic.balancer or traffic.listener))
    network = bool(traffic and traffic.balancer and traffic.balancer.type == "network")
    for n, gate in enumerate(gates.metrics):
        at = f"rollout.gates.metrics.{n}"
        if gate.metric and not own:
            raise RefusedError(
                f"{gate.metric} without a target group of the fleet's own",
                "the metric is that of each revision's target group",
                "use alarms, or traffic with balancer or listener",
                f"{at}.metric",
            )
        if gate.metric in ("target5xxPercent", "latencyP99") and network:
            raise RefusedError(
                f"{gate.metric} of a network balancer",
                "it passes connections on and sees no request",
                "write unhealthyHosts, or a query",
                f"{at}.metric",
            )
        foreign = next((p for p in PLACEHOLDERS[:2] if not own and p in (gate.query or "")), None)
        if foreign:
            raise RefusedError(
                f"the query names {foreign}, and the fleet has none of its own",
                "each revision's own would stand there",
                "write {group}, or traffic with balancer or listener",
                f"{at}.query",
            )


def _probed(traffic: Traffic | None) -> None:
    at = "rollout.gates.probe"
    if traffic is None or traffic.balancer is None or traffic.dns is None:
        raise RefusedError(
            "gates.probe without a balancer of the fleet's own",
            "it asks each revision's own balancer; behind a shared one it would ask the old revision",
            "use metrics, or traffic with balancer and dns",
            at,
        )
    if all(x.protocol == UDP for x in traffic.balancer.listeners):
        raise RefusedError(
            "gates.probe of a balancer that listens for UDP alone",
            "a probe asks by HTTP",
            "use metrics, or add a TCP listener",
            at,
        )
    if "*" in traffic.dns.name:
        raise RefusedError(
            "gates.probe of a wildcard name",
            "a request asks for one name",
            "use metrics, or another traffic.dns.name",
            at,
        )
