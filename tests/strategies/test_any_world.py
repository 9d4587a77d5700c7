"""From any world each strategy converges, breaks no invariant after any write, and survives any failing write."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.ids import resource_name
from reconciler.plan import settle
from tests.strategies.chaos import events, happen, peace
from tests.strategies.invariants import check_converged
from tests.strategies.life import Life
from tests.strategies.shapes import WAYS, shapes
from tests.worlds import revision

STOPPED = ("failed", "held")  # codes of a rollout that stays so until somebody says `retry`
TRIES = settings(
    deadline=None, max_examples=int(os.environ.get("N") or 120), suppress_health_check=list(HealthCheck)
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
    if plan.blocked and plan.blocked.code in STOPPED:
        life.retry()
        plan = life.calm()
    assert plan.blocked is None, plan.blocked
    check_converged(settle.checked(settle.launched(life.world)), life.want)


def test_names_are_made_of_fleet_and_digits() -> None:
    assert resource_name("web", revision(1)) == "web-0000000001"
