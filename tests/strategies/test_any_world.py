"""From any world each strategy converges, breaks no invariant after any write, and survives any failing write."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.ids import resource_name
from reconciler.plan import settle
from reconciler.strategies.wanted import TrafficKind
from tests.strategies.chaos import events, happen, peace
from tests.strategies.invariants import check_converged
from tests.strategies.life import Life, Shape
from tests.worlds import BLUE_GREEN, RECREATE, canary_of, revision, rolling_by

TRIES = settings(
    deadline=None,
    max_examples=int(os.environ.get("N") or (600 if os.environ.get("CI") else 150)),
    suppress_health_check=list(HealthCheck),
)
CANARY = canary_of((10, 5), (50, 0), None)
WAYS = {
    **{f"blue-green, {k.name.lower()}": (k, BLUE_GREEN) for k in TrafficKind},
    "canary, dns": (TrafficKind.DNS, CANARY),
    "canary, listener": (TrafficKind.LISTENER, CANARY),
    "canary that pauses first, dns": (TrafficKind.DNS, canary_of((25, 0), (50, 3), pause_first=True)),
    "canary that pauses first, listener": (TrafficKind.LISTENER, canary_of((99, 1), pause_first=True)),
    "rolling, attach": (TrafficKind.ATTACH, rolling_by(25)),
    "rolling, none": (TrafficKind.NONE, rolling_by(34)),
    **{f"recreate, {k.name.lower()}": (k, RECREATE) for k in TrafficKind},
}


@st.composite
def shapes(draw: st.DrawFn, way: str) -> Shape:
    """A fleet of this strategy and kind of traffic."""
    kind, rollout = WAYS[way]
    return Shape(
        kind=kind,
        keep=draw(st.sampled_from([0, 10, 30])),
        twofold=draw(st.booleans()),
        scheduled=draw(st.booleans()),
        heal=draw(st.booleans()),
        rollout=rollout,
    )


@pytest.mark.parametrize("way", WAYS)
@TRIES
@given(draw=st.data(), history=events(60))
def test_any_world_converges_and_no_write_breaks_an_invariant(
    way: str, history: list[str], draw: st.DataObject
) -> None:
    life = Life(draw.draw(shapes(way)))
    for event in history:
        happen(life, event, draw)
    peace(life)
    plan = life.calm()
    if plan.blocked and plan.blocked.code == "failed":
        life.retry()
        plan = life.calm()
    assert plan.blocked is None, plan.blocked
    check_converged(settle.checked(settle.launched(life.world)), life.want)


def test_names_are_made_of_fleet_and_digits() -> None:
    assert resource_name("web", revision(1)) == "web-0000000001"
