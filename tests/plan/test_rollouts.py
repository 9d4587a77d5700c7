"""From what a document says of a rollout to its stages."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reconciler.plan.rollouts import rollout_of
from reconciler.spec.rollout import Rollout, RolloutStep
from reconciler.strategies.wanted import Rollout as Wanted
from reconciler.strategies.wanted import Stage

STEPS = (
    RolloutStep(weight=10, hold=timedelta(minutes=5)),
    RolloutStep(weight=50),
    RolloutStep(pause=True),
)
USUAL = Wanted(
    strategy="blue-green",
    stages=(Stage(weight=100),),
    ready_within=timedelta(minutes=15),
    keep_old=timedelta(minutes=30),
)
ALL = (Stage(weight=100),)
CASES = {
    "nothing said: all at once": (Rollout(), USUAL),
    "canary: each weight, then all": (
        Rollout(strategy="canary", steps=STEPS),
        replace(
            USUAL,
            strategy="canary",
            stages=(
                Stage(weight=10, hold=timedelta(minutes=5)),
                Stage(weight=50, pause=True),
                Stage(weight=100),
            ),
        ),
    ),
    "canary: a pause before any traffic": (
        Rollout(strategy="canary", steps=(RolloutStep(pause=True),)),
        replace(USUAL, strategy="canary", pause_first=True),
    ),
    "canary: all traffic is watched for its hold": (
        Rollout(strategy="canary", steps=(RolloutStep(weight=100, hold=timedelta(hours=1)),)),
        replace(USUAL, strategy="canary", stages=(Stage(weight=100, hold=timedelta(hours=1)),)),
    ),
    "rolling: four batches": (
        Rollout(strategy="rolling"),
        replace(USUAL, strategy="rolling", stages=tuple(Stage(weight=w) for w in (25, 50, 75, 100))),
    ),
    "rolling: the last batch is what is left": (
        Rollout(strategy="rolling", surge="40%"),
        replace(USUAL, strategy="rolling", surge=40, stages=tuple(Stage(weight=w) for w in (40, 80, 100))),
    ),
    "recreate: all at once, and it may hold": (
        Rollout(strategy="recreate", onFailure="hold", keepOld=timedelta(hours=1)),
        replace(USUAL, strategy="recreate", on_failure="hold", keep_old=timedelta(hours=1)),
    ),
}


@pytest.mark.parametrize(("written", "meant"), CASES.values(), ids=CASES)
def test_a_rollout_becomes_its_stages(written: Rollout, meant: Wanted) -> None:
    assert rollout_of(written) == meant


STEP = st.one_of(
    st.builds(RolloutStep, weight=st.integers(1, 100)),
    st.just(RolloutStep(pause=True)),
)


@given(st.lists(STEP, max_size=5).map(tuple))
def test_what_is_taken_rises_to_all_traffic_and_loses_no_pause(steps: tuple[RolloutStep, ...]) -> None:
    try:
        found = rollout_of(Rollout(strategy="canary", steps=steps))
    except ValidationError:
        return
    weights = [s.weight for s in found.stages]
    assert weights == sorted(set(weights))
    assert weights[-1] == 100
    assert {s.weight for s in steps} - {None} <= set(weights)
    assert found.pause_first + sum(s.pause for s in found.stages) == sum(s.pause or 0 for s in steps)
    assert not found.stages[-1].pause, "nothing is held once all traffic is there"
