"""Rollout: how a new revision takes over."""

from datetime import timedelta
from typing import Annotated, Final, Literal, NoReturn

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from reconciler.core.base import Duration, Spec, said
from reconciler.core.problem import RefusedError
from reconciler.spec.gates import Gates
from reconciler.spec.traffic import Traffic

MOST_STEPS: Final = 20
LONGEST_HOLD: Final = timedelta(hours=24)
SURGE: Final = 25
"""Percent of a fleet's size that moves in one batch, where nothing is said."""

A_STEP: Final = "write {weight: 10, hold: 5m} or {pause: true}"


def _weight(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100:
        return value
    if value == 0 and not isinstance(value, bool):
        why = "the new revision has no traffic before the first step, and a step gives it some"
        raise RefusedError("weight is 0", why, "write 1 to 100, or {pause: true} as the first step")
    why = "it is the new revision's share of traffic in whole percents"
    meant = str(value).removesuffix("%")
    fits = isinstance(value, str) and meant.isascii() and meant.isdigit() and 1 <= int(meant) <= 100
    fix = f"write weight: {int(meant)}" if fits else "write a number from 1 to 100"
    raise RefusedError(f"weight is {said(value)}", why, fix)


def _hold(value: timedelta) -> timedelta:
    if value > LONGEST_HOLD:
        why = "two revisions run at full size for as long"
        raise RefusedError("hold is above 24h", why, "write 24h or less, or {pause: true} as the next step")
    return value


def _pause(value: object) -> object:
    if value is not True:
        what = "pause is false" if value is False else f"pause is {said(value)}"
        raise RefusedError(
            what,
            "a pause lasts until somebody says `reconciler promote`",
            "write {pause: true}, or take the step out; time is a weight's hold",
        )
    return value


def _surge(value: object) -> int:
    text = value.removesuffix("%") if isinstance(value, str) and value.endswith("%") else ""
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 100:
        return int(text)
    meant = value if isinstance(value, int) and 1 <= value <= 100 and value is not True else SURGE
    raise RefusedError(
        f"surge is {said(value)}",
        "a batch is a share of the fleet's size, from 1% to 100%",
        f"write surge: {meant}%",
    )


Weight = Annotated[
    int, BeforeValidator(_weight), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 100})
]
Hold = Annotated[Duration, AfterValidator(_hold)]
Pause = Annotated[Literal[True], BeforeValidator(_pause)]
Surge = Annotated[
    int, BeforeValidator(_surge), WithJsonSchema({"type": "string", "pattern": r"^(100|[1-9][0-9]?)%$"})
]


class RolloutStep(Spec):
    """A share of traffic, held for a while; or a pause."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["weight"]}, {"required": ["pause"]}]}
    )

    weight: Weight | None = Field(None, description="Percent of traffic that the new revision has.")
    hold: Hold | None = Field(None, description="How long at least: 0s to 24h, 0s if absent. With weight.")
    pause: Pause | None = Field(None, description="Nothing goes on until `reconciler promote`. Alone.")

    @model_validator(mode="after")
    def _one_form(self) -> "RolloutStep":
        if self.pause and self.weight is not None:
            why = "a step gives traffic, or waits for somebody"
            fix = f"write {{weight: {self.weight}}}, then {{pause: true}}"
            raise RefusedError("the step has both weight and pause", why, fix, "pause")
        if self.pause and self.hold is not None:
            why = "a pause lasts until somebody says `reconciler promote`"
            raise RefusedError("a pause with hold", why, "give the hold to the weight before it", "hold")
        if not self.pause and self.weight is None:
            why = "a step gives traffic, or waits for somebody"
            raise RefusedError("the step has neither weight nor pause", why, A_STEP)
        return self


class Rollout(Spec):
    """How a new revision takes over."""

    strategy: Literal["blue-green", "canary", "rolling", "recreate"] = Field(
        "blue-green",
        description="All at once; by steps of traffic; by batches of capacity; the old one first.",
    )
    steps: tuple[RolloutStep, ...] | None = Field(
        None,
        description="Of canary: weights that rise, and pauses; all traffic follows the last.",
        json_schema_extra={"minItems": 1, "maxItems": MOST_STEPS},
    )
    surge: Surge | None = Field(
        None, description=f"Of rolling: share of the size that moves in one batch; {SURGE}% if absent."
    )
    order: int = Field(
        0, ge=0, le=1000, description="Lower first, when a commit or an image moves many fleets."
    )
    readyWithin: Duration = Field(
        timedelta(minutes=15),
        description="Past it, the revision goes back. Until the first traffic; of rolling: for each batch.",
    )
    gates: Gates | None = Field(None, description="What trips it: alarms, metrics, a probe.")
    onFailure: Literal["rollback", "hold"] = Field(
        "rollback", description="Go back by itself, or stop where it is until somebody decides."
    )
    keepOld: Duration = Field(
        timedelta(minutes=30), description="How long the old revision can be gone back to."
    )

    @model_validator(mode="after")
    def _fits(self) -> "Rollout":
        if not timedelta(minutes=1) <= self.readyWithin <= timedelta(hours=24):
            raise RefusedError(
                "readyWithin is out of range",
                "a revision has 1m to 24h to get ready",
                "write 15m",
                "readyWithin",
            )
        if self.keepOld > timedelta(days=7):
            raise RefusedError(
                "keepOld is above 168h",
                "an old revision costs what the new one does",
                "write 168h or less",
                "keepOld",
            )
        if self.surge is not None and self.strategy != "rolling":
            why = f"only rolling moves capacity in batches; {self.strategy} does not"
            raise RefusedError(
                f"surge with {self.strategy}", why, "take it out, or write strategy: rolling", "surge"
            )
        if self.strategy == "canary":
            _rising(self.steps)
        elif self.steps is not None:
            why = f"only canary moves traffic in steps; {self.strategy} does not"
            raise RefusedError(
                f"steps with {self.strategy}", why, "take them out, or write strategy: canary", "steps"
            )
        return self


def _rising(steps: tuple[RolloutStep, ...] | None) -> None:
    """Check that steps lead to all traffic. Raises: RefusedError, at its place in a rollout."""
    if steps is None:
        raise RefusedError(
            "canary without steps",
            "they say what share of traffic the new revision gets, and for how long",
            "add steps: [{weight: 10, hold: 5m}, {weight: 50, hold: 10m}] beside it; "
            "a profile's count where it names canary too",
            "strategy",
        )
    if not 1 <= len(steps) <= MOST_STEPS:
        raise RefusedError(
            f"{len(steps)} steps",
            f"a canary has 1 to {MOST_STEPS}, so that somebody can follow it",
            A_STEP if not steps else "join some: a longer hold, or larger weights",
            "steps",
        )
    before = 0
    for n, step in enumerate(steps):
        if step.weight is None:
            _may_pause(steps[:n], before, f"steps.{n}.pause")
            continue
        if step.weight <= before:
            _refuse_weight(step.weight, before, f"steps.{n}.weight")
        before = step.weight


def _refuse_weight(weight: int, before: int, at: str) -> NoReturn:
    what = f"weight {weight} after weight {before}"
    if before == 100:
        raise RefusedError(what, "all traffic is there", "take it out", at)
    why = "a step gives more than the one before; a gate or `reconciler abort` goes back, no step does"
    raise RefusedError(what, why, f"write more than {before}, or take it out", at)


def _may_pause(earlier: tuple[RolloutStep, ...], weight: int, at: str) -> None:
    if weight == 100:
        raise RefusedError(
            "a pause after weight 100",
            "all traffic is there, and `keepOld` says how long the old revision can be gone back to",
            "pause before weight 100, give it a hold, or raise keepOld",
            at,
        )
    if earlier and earlier[-1].pause:
        raise RefusedError(
            "two pauses in a row", "nothing changes between them", "take one out, or put a weight between", at
        )


def fit_strategy(rollout: Rollout, traffic: Traffic | None) -> None:
    """Check that the strategy can move this traffic. Raises: RefusedError, at its place in a fleet's spec."""
    at = "rollout.strategy"
    weighted = traffic is not None and traffic.attach is None
    if rollout.strategy == "canary" and traffic is None:
        raise RefusedError(
            "canary without traffic",
            "no traffic reaches this fleet here that could be shared out",
            "write rolling: it moves capacity in batches; or add traffic, in each target",
            at,
        )
    if rollout.strategy == "canary" and not weighted:
        raise RefusedError(
            "canary with traffic: attach",
            "a share of traffic needs weights: those of DNS records or of a listener rule",
            "write rolling: it moves capacity in batches; or traffic with balancer and dns, or with listener",
            at,
        )
    if rollout.strategy == "rolling" and traffic is not None and weighted:
        kind = "balancer and dns" if traffic.balancer else "listener"
        raise RefusedError(
            f"rolling with traffic: {kind}",
            "weights move traffic there, whatever the capacity",
            "write canary with steps: [{weight: 25, hold: 5m}, {weight: 50, hold: 5m}]",
            at,
        )
