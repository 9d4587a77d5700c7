"""From the rollout that a document asks for to the stages that it goes through."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from reconciler.plan.prepare import gates_of
from reconciler.spec.rollout import SURGE
from reconciler.strategies import blue_green, canary, recreate, rolling
from reconciler.strategies.wanted import Rollout, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.spec.rollout import Rollout as RolloutSpec


def rollout_of(spec: RolloutSpec) -> Rollout:
    """Return how a revision takes over, by its strategy's stages."""
    surge = SURGE if spec.surge is None else spec.surge
    name, first, stages = _stages(spec, surge)
    return Rollout(
        strategy=name,
        stages=stages,
        ready_within=spec.readyWithin,
        keep_old=spec.keepOld,
        gates=gates_of(spec),
        pause_first=first,
        surge=surge,
        on_failure=spec.onFailure,
    )


def _stages(spec: RolloutSpec, surge: int) -> tuple[str, bool, tuple[Stage, ...]]:
    match spec.strategy:
        case "blue-green":
            return blue_green.NAME, False, blue_green.stages()
        case "canary":
            return canary.NAME, *canary.stages(_steps(spec))
        case "rolling":
            return rolling.NAME, False, rolling.stages(surge)
        case "recreate":
            return recreate.NAME, False, recreate.stages()
        case _:
            assert_never(spec.strategy)


def _steps(spec: RolloutSpec) -> Iterator[Stage | None]:
    for step in spec.steps or ():
        yield None if step.weight is None else Stage(weight=step.weight, hold=step.hold or timedelta())
