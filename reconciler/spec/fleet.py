"""Fleet: an Auto Scaling group per revision. Profile: any part of its spec."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from reconciler.core.base import Name, Spec, said
from reconciler.core.digest import canonical
from reconciler.core.problem import RefusedError
from reconciler.spec.gates import fit_traffic
from reconciler.spec.launch import Capacity, GroupSettings, Health, Hook, Launch, Placement
from reconciler.spec.metadata import Metadata, ProfileMetadata
from reconciler.spec.rollout import Rollout, fit_strategy
from reconciler.spec.target import Cron, Drift, Timezone
from reconciler.spec.traffic import Traffic

METRICS = {
    "cpu": "ASGAverageCPUUtilization",
    "networkIn": "ASGAverageNetworkIn",
    "networkOut": "ASGAverageNetworkOut",
    "requestsPerTarget": "ALBRequestCountPerTarget",
}


def _custom(value: object) -> object:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or not {"MetricName", "Namespace", "Statistic"} <= set(value):
        raise RefusedError(
            f"custom is {said(value)}",
            "a customized metric names MetricName, Namespace and Statistic",
            "write those three",
        )
    known = {"MetricName", "Namespace", "Statistic", "Dimensions", "Unit", "Period"}
    odd = sorted(set(value) - known)
    if odd:
        raise RefusedError(
            f"custom has no member {odd[0]}",
            "AWS does not know it",
            f"members are {', '.join(sorted(known))}",
        )
    return canonical(value)


class Scaling(Spec):
    """A target-tracking policy, or a scheduled switch of the sizes."""

    metric: Literal["cpu", "networkIn", "networkOut", "requestsPerTarget"] | None = Field(
        None, description="requestsPerTarget: application balancer only."
    )
    custom: Annotated[str, BeforeValidator(_custom), WithJsonSchema({"type": "object"})] | None = Field(
        None, description="A CustomizedMetricSpecification."
    )
    target: float | None = Field(None, gt=0, description="Value that the autoscaler holds.")
    cron: Cron | None = Field(None, description="When the sizes switch; five fields.")
    timezone: Timezone = Field("UTC", description="Time zone of `cron`.")
    min: int | None = Field(None, ge=0, description="From then on.")
    max: int | None = Field(None, ge=0, description="From then on.")

    @model_validator(mode="after")
    def _one_form(self) -> "Scaling":
        tracked = [n for n in ("metric", "custom") if getattr(self, n) is not None]
        if self.cron is not None:
            if tracked or self.target is not None:
                raise RefusedError(
                    "a schedule with a metric", "an entry is one or the other", "split it in two"
                )
            if self.min is None or self.max is None:
                raise RefusedError("the schedule lacks min or max", "it switches both", "write min and max")
            if self.min > self.max:
                raise RefusedError(
                    f"min {self.min} is above max {self.max}", "a group's sizes are ordered", "swap them"
                )
            return self
        if len(tracked) != 1 or self.target is None:
            raise RefusedError(
                "the scaling entry is neither policy nor schedule",
                "it needs metric or custom with target, or cron with min and max",
                "write {metric: cpu, target: 60}",
            )
        if self.min is not None or self.max is not None:
            raise RefusedError("min or max on a policy", "only schedules switch sizes", "leave them out")
        return self


def _any_map(value: object) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        raise RefusedError(
            f"overrides is {said(value)}",
            "it maps a target to a part of the spec",
            "write {target: {...}}",
        )
    for target, part in value.items():
        if not isinstance(part, dict):
            raise RefusedError(
                f"overrides of {target} is {said(part)}", "it is a part of the spec", "write a map", target
            )
        for name in ("targets", "profiles", "overrides"):
            if name in part:
                raise RefusedError(
                    f"overrides hold `{name}`",
                    "they can't say where they hold",
                    "take it out",
                    f"{target}.{name}",
                )
    return canonical(value)


class FleetSpec(Spec):
    """A fleet in one target, merged over its profiles."""

    profiles: tuple[Name, ...] = Field((), description="Merged left to right, this spec over them.")
    targets: tuple[Name, ...] = Field(
        min_length=1, description="Where it runs. Rollouts go through them in this order: waves."
    )
    overrides: Annotated[str, BeforeValidator(_any_map), WithJsonSchema({"type": "object"})] = Field(
        "{}", description="By target: merged over the spec there."
    )
    image: Name = Field(description="An Image document.")
    launch: Launch = Field(description="What an instance would be.")
    hooks: tuple[Hook, ...] = Field((), max_length=50, description="Lifecycle hooks.")
    group: GroupSettings = Field(GroupSettings(), description="Settings that no instance notices.")
    capacity: Capacity = Field(description="Sizes.")
    placement: Placement = Field(description="Where instances run.")
    health: Health = Field(Health(), description="What instances are replaced for.")
    scaling: tuple[Scaling, ...] = Field((), max_length=50, description="Policies and schedules.")
    traffic: Traffic | None = Field(None, description="Absent: a worker fleet, shifted by capacity alone.")
    rollout: Rollout = Field(Rollout(), description="Strategy, deadline, and how long the old one is kept.")
    drift: Drift | None = Field(None, description="Over the Target's.")
    adopt: None = Field(None, description="Refused for now: taking over groups that exist comes with import.")

    @model_validator(mode="after")
    def _fits(self) -> "FleetSpec":
        if len(set(self.targets)) != len(self.targets):
            raise RefusedError(
                "a target stands twice in targets",
                "each is a wave of its own, in this order",
                "take one out",
                "targets",
            )
        if len(self.launch.instanceTypes) > 1 and self.launch.purchase is None:
            raise RefusedError(
                "several instanceTypes without purchase",
                "a plain group has one type",
                "add purchase: {onDemandPercent: 100}",
                "launch.instanceTypes",
            )
        names = [h.name for h in self.hooks]
        if len(set(names)) != len(names):
            raise RefusedError(
                "two hooks have one name", "a name is unique in its group", "rename one", "hooks"
            )
        if self.health.check == "elb" and self.traffic is None:
            raise RefusedError(
                "health.check is elb without traffic", "no balancer would be asked", "write ec2"
            )
        fit_strategy(self.rollout, self.traffic)
        fit_traffic(self.rollout.gates, self.traffic)
        return self._scaled()

    def _scaled(self) -> "FleetSpec":
        for entry in self.scaling:
            if entry.metric == "requestsPerTarget" and not _application(self.traffic):
                raise RefusedError(
                    "requestsPerTarget without an application balancer of the fleet's own",
                    "the metric is that of its target group",
                    "scale on cpu, or add traffic with balancer or listener",
                    "scaling",
                )
        keys = [e.metric or e.custom for e in self.scaling if e.cron is None]
        if len(set(keys)) != len(keys):
            raise RefusedError("two policies track one metric", "they would fight", "keep one", "scaling")
        crons = [(e.cron, e.timezone) for e in self.scaling if e.cron]
        if len(set(crons)) != len(crons):
            raise RefusedError(
                "two schedules switch at one time", "the last one would win by chance", "keep one"
            )
        return self


def _application(traffic: Traffic | None) -> bool:
    if traffic is None or traffic.attach is not None:
        return False
    return traffic.listener is not None or (
        traffic.balancer is not None and traffic.balancer.type == "application"
    )


class Fleet(Spec):
    """Document of kind Fleet."""

    apiVersion: Literal["reconciler/v1"]
    kind: Literal["Fleet"]
    metadata: Metadata
    spec: FleetSpec


def _optional(value: object) -> object:
    if not isinstance(value, dict):
        raise RefusedError(
            f"spec is {said(value)}", "a profile holds any part of a fleet's spec", "write a map"
        )
    return value


class ProfileSpec(Spec):
    """Any part of a fleet's spec but targets, profiles and overrides."""

    image: Name | None = None
    launch: dict[str, Any] | None = None
    hooks: list[Any] | None = None
    group: dict[str, Any] | None = None
    capacity: dict[str, Any] | None = None
    placement: dict[str, Any] | None = None
    health: dict[str, Any] | None = None
    scaling: list[Any] | None = None
    traffic: dict[str, Any] | None = None
    rollout: dict[str, Any] | None = None
    drift: Drift | None = None
    adopt: None = Field(None, description="Refused for now: taking over groups that exist comes with import.")


class Profile(Spec):
    """Document of kind Profile: what several fleets share."""

    apiVersion: Literal["reconciler/v1"]
    kind: Literal["Profile"]
    metadata: ProfileMetadata
    spec: Annotated[ProfileSpec, BeforeValidator(_optional)]
