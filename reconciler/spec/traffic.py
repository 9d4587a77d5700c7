"""How traffic reaches a fleet."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from reconciler.core.base import Arn, Duration, Name, Port, Spec, StringMap
from reconciler.core.problem import RefusedError
from reconciler.spec.launch import SecurityGroup, Subnet

APPLICATION = ("HTTP", "HTTPS")
NETWORK = ("TCP", "TLS", "UDP", "TCP_UDP")
SECURE = ("HTTPS", "TLS")


class Listener(Spec):
    """A port of the revision's own balancer."""

    port: Port = Field(description="Port that clients connect to.")
    protocol: Literal["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"] = Field(
        description="HTTP(S): application."
    )
    certificates: tuple[Arn, ...] = Field((), description="The first is the default; HTTPS and TLS need one.")
    sslPolicy: str | None = Field(None, description="TLS policy; AWS's default otherwise.")

    @model_validator(mode="after")
    def _secure(self) -> "Listener":
        if self.protocol in SECURE and not self.certificates:
            raise RefusedError(
                f"the {self.protocol} listener has no certificate",
                "it can't answer without one",
                "add certificates: [arn]",
            )
        if self.protocol not in SECURE and (self.certificates or self.sslPolicy):
            raise RefusedError(
                f"a {self.protocol} listener takes no certificate",
                "it does not encrypt",
                "write HTTPS or TLS, or leave it out",
            )
        return self


class TargetHealth(Spec):
    """How a target group finds out whether a target is healthy."""

    path: str | None = Field(None, pattern=r"^/", description="HTTP and HTTPS checks only.")
    protocol: Literal["HTTP", "HTTPS", "TCP"] | None = Field(None, description="Default: the target group's.")
    port: Port | None = Field(None, description="Default: the port of the traffic.")
    interval: Duration = Field(timedelta(seconds=10), description="5s to 300s.")
    timeout: Duration | None = Field(None, description="Default: half the interval, at least 2s.")
    healthy: int = Field(2, ge=2, le=10, description="Checks in a row.")
    unhealthy: int = Field(2, ge=2, le=10, description="Checks in a row.")
    matcher: str = Field("200", description="HTTP codes that pass.")

    @model_validator(mode="after")
    def _bounds(self) -> "TargetHealth":
        if not 5 <= self.interval.total_seconds() <= 300:
            raise RefusedError("health.interval is out of range", "AWS takes 5s to 300s", "write 10s")
        if self.timeout and not 2 <= self.timeout.total_seconds() <= 120:
            raise RefusedError("health.timeout is out of range", "AWS takes 2s to 120s", "write 5s")
        return self


class TargetGroup(Spec):
    """The target group of each revision."""

    port: Port = Field(description="Port that instances listen on.")
    protocol: Literal["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"] = Field(
        description="Between balancer and instance."
    )
    health: TargetHealth = Field(TargetHealth(), description="Health check.")
    drain: Duration = Field(timedelta(seconds=300), description="Deregistration delay, at most 1h.")
    attributes: StringMap = Field((), description="Other target group attributes.")

    @model_validator(mode="after")
    def _fits(self) -> "TargetGroup":
        if self.drain > timedelta(hours=1):
            raise RefusedError("drain is above 1h", "AWS takes at most 3600 seconds", "write 1h or less")
        check = self.health.protocol or ("TCP" if self.protocol in NETWORK else self.protocol)
        if self.health.path and check == "TCP":
            raise RefusedError(
                "health.path on a TCP check",
                "only HTTP checks have a path",
                "write health.protocol: HTTP, or leave it out",
            )
        if any(key == "deregistration_delay.timeout_seconds" for key, _ in self.attributes):
            raise RefusedError(
                "attributes name the deregistration delay", "`drain` owns it", "write drain instead"
            )
        return self


class Balancer(Spec):
    """A load balancer for each revision, made and retired with it."""

    type: Literal["application", "network"] = Field("application", description="Layer 7 or layer 4.")
    scheme: Literal["internal", "internet-facing"] = Field("internal", description="Who can reach it.")
    subnets: tuple[Subnet, ...] = Field((), description="Default: the placement's, if internal.")
    securityGroups: tuple[SecurityGroup, ...] = Field((), description="Ids, or {name}.")
    ipAddressType: Literal["ipv4", "dualstack"] = Field("ipv4", description="dualstack adds AAAA records.")
    attributes: StringMap = Field((), description="Load balancer attributes, as AWS names them.")
    webAcl: Arn | None = Field(None, description="WAF web ACL; application balancers only.")
    listeners: tuple[Listener, ...] = Field(min_length=1, max_length=50, description="Ports.")
    targetGroup: TargetGroup = Field(description="Where it forwards to.")

    @model_validator(mode="after")
    def _fits(self) -> "Balancer":
        fitting = APPLICATION if self.type == "application" else NETWORK
        for listener in self.listeners:
            if listener.protocol not in fitting:
                raise RefusedError(
                    f"a {self.type} balancer has no {listener.protocol} listener",
                    "the protocol belongs to the other type",
                    f"write one of {', '.join(fitting)}",
                )
        if self.targetGroup.protocol not in fitting:
            raise RefusedError(
                f"a {self.type} balancer has no {self.targetGroup.protocol} target group",
                "the protocol belongs to the other type",
                f"write one of {', '.join(fitting)}",
            )
        if self.scheme == "internet-facing" and not self.subnets:
            raise RefusedError(
                "an internet-facing balancer has no subnets",
                "those of the instances may be private",
                "add subnets",
            )
        if self.webAcl and self.type == "network":
            raise RefusedError(
                "webAcl on a network balancer", "WAF knows application balancers only", "leave it out"
            )
        ports = [x.port for x in self.listeners]
        if len(set(ports)) != len(ports):
            raise RefusedError("two listeners have one port", "a port has one listener", "change one of them")
        return self


class Dns(Spec):
    """Weighted alias records, one per revision."""

    zone: Name = Field(description="A Zone document.")
    name: str = Field(description="Relative to the zone's domain; @ is the domain itself.")
    evaluateHealth: bool = Field(default=True, description="Route 53 asks the balancer.")


class ExistingListener(Spec):
    """A rule of ours in a listener that exists."""

    arn: Arn = Field(description="The listener.")
    priority: int = Field(ge=1, le=50000, description="Place of our rule; never another's.")
    hosts: tuple[str, ...] = Field((), max_length=5, description="Host header patterns.")
    paths: tuple[str, ...] = Field((), max_length=5, description="Path patterns.")

    @model_validator(mode="after")
    def _some(self) -> "ExistingListener":
        if not self.hosts and not self.paths:
            raise RefusedError(
                "the listener rule has no condition", "a rule needs hosts or paths", "write paths: [/*]"
            )
        if len(self.hosts) + len(self.paths) > 5:
            raise RefusedError(
                "the listener rule has over 5 values", "AWS takes 5 in one rule", "take some out"
            )
        return self


class Attach(Spec):
    """Target groups and classic balancers that exist."""

    targetGroups: tuple[Arn, ...] = Field((), description="ARNs of application or network target groups.")
    classic: tuple[str, ...] = Field((), description="Names of classic load balancers.")

    @model_validator(mode="after")
    def _some(self) -> "Attach":
        if not self.targetGroups and not self.classic:
            raise RefusedError(
                "attach names nothing", "it needs a place to register in", "add targetGroups or classic"
            )
        return self


class Traffic(Spec):
    """One of: balancer with dns; listener with targetGroup; attach."""

    balancer: Balancer | None = Field(None, description="One per revision; needs `dns`.")
    dns: Dns | None = Field(None, description="Where clients find it.")
    listener: ExistingListener | None = Field(None, description="A listener that exists.")
    targetGroup: TargetGroup | None = Field(None, description="Of `listener`: one per revision.")
    attach: Attach | None = Field(None, description="Simply registered in what exists.")

    @model_validator(mode="after")
    def _one_form(self) -> "Traffic":
        given = [n for n in ("balancer", "listener", "attach") if getattr(self, n) is not None]
        if len(given) != 1:
            said = "none" if not given else " and ".join(given)
            raise RefusedError(
                f"traffic has {said} of balancer, listener and attach",
                "exactly one carries it",
                "keep one of the three",
            )
        if (self.balancer is None) != (self.dns is None):
            raise RefusedError(
                "balancer and dns stand apart",
                "each revision's balancer is found by its weighted record",
                "write both",
            )
        if (self.listener is None) != (self.targetGroup is None):
            raise RefusedError(
                "listener and targetGroup stand apart",
                "the rule forwards to each revision's target group",
                "write both",
            )
        if self.targetGroup and self.targetGroup.protocol not in APPLICATION:
            raise RefusedError(
                f"a {self.targetGroup.protocol} target group in a listener rule",
                "only application balancers have rules",
                "write HTTP or HTTPS",
            )
        return self
