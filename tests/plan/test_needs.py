"""What is looked at beside the bulk reads is enough to decide on, and nothing where nothing moves."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.kinds.register import Step
from reconciler.plan import settle
from reconciler.plan.model import TargetPlan
from reconciler.plan.needs import needs, nothing
from reconciler.plan.planner import plan_target
from tests.effort import tries
from tests.plan.house import IMAGE, KEEPER, TARGET, TRAFFIC, House, fleet, zone

EVENTS = st.sampled_from(
    [
        *["pass"] * 6,
        *["half", "nothing lands"],
        *["launch"] * 2,
        *["check"] * 2,
        *["sync", "provision", "gone", "end", "minutes", "hours", "die", "lose tag"],
        *["commit", "back", "leave", "return", "resize", "kind"],
    ]
)


def document(kind: str, n: int, sizes: int) -> str:
    more = f"  capacity: {{min: 1, max: {5 + sizes}, desired: 2}}\n"
    return fleet("web", kind, more, generation=str(n))


def happen(house: House, event: str, kind: str, state: list[int], draw: st.DataObject) -> None:
    """Let one thing happen to a house: `state` is generation, newest generation, sizes."""
    groups = house.world.groups
    settling = {
        "launch": settle.launched,
        "check": settle.checked,
        "sync": settle.synced,
        "provision": settle.provisioned,
        "gone": settle.gone,
        "end": settle.ended,
    }
    if event in ("pass", "half", "nothing lands"):
        left = [{"pass": 99, "half": draw.draw(st.integers(0, 4)), "nothing lands": 0}[event]]
        house.failing = lambda _step: _spent(_step, left)
        house.apply()
        house.failing = None
    elif event in settling:
        house.world = settling[event](house.world)
    elif event in ("minutes", "hours"):
        house.pass_time(timedelta(minutes=4 if event == "minutes" else 70))
    elif event in ("die", "lose tag") and groups:
        victim = draw.draw(st.sampled_from(groups))
        left_tags = tuple(t for t in victim.tags if t[0] != "reconciler:stage")
        changed = (
            replace(victim, instances=victim.instances[1:])
            if event == "die"
            else replace(victim, tags=left_tags)
        )
        house.world = replace(house.world, groups=tuple(changed if g is victim else g for g in groups))
    elif event in ("commit", "back", "resize", "leave", "return", "kind"):
        state[1] += event == "commit"
        state[0] = state[1] if event == "commit" else draw.draw(st.integers(1, state[1]))
        state[2] += event == "resize"
        kind = draw.draw(st.sampled_from(list(TRAFFIC))) if event == "kind" else kind
        documents = [] if event == "leave" else [document(kind, state[0], state[2])]
        house.merge(TARGET, IMAGE, zone(), fleet("stays"), *documents)


def _spent(_step: Step, left: list[int]) -> bool:
    left[0] -= 1
    return left[0] < 0


def moves(plan: TargetPlan) -> list[object]:
    return [(i.kind, i.name, i.action, i.now, i.wait, i.blocked, i.because) for i in plan.items]


@pytest.mark.slow
@pytest.mark.parametrize("kind", TRAFFIC)
@settings(deadline=None, max_examples=tries(25), suppress_health_check=list(HealthCheck))
@given(events=st.lists(EVENTS, max_size=40), draw=st.data())
def test_planning_on_what_was_asked_for_gives_the_moves_of_planning_on_everything(
    kind: str, events: list[str], draw: st.DataObject
) -> None:
    house = House().merge(TARGET, IMAGE, zone(), fleet("stays")).converge()
    house.merge(TARGET, IMAGE, zone(), fleet("stays"), document(kind, 1, 0))
    state = [1, 1, 0]
    for event in events:
        happen(house, event, kind, state, draw)
        assert moves(house.plan()) == moves(plan_target(house.goal(), house.whole(), ahead=False))
    house.merge(TARGET, IMAGE, zone(), fleet("stays"), document(kind, state[1] + 1, 0))
    house.converge(200)
    names = {g.tag("reconciler:fleet") for g in house.world.groups}
    assert names == {"stays", "web"}
    assert len(house.world.groups) == 2
    bulk = house.bulk()
    assert nothing(needs(plan_target(house.goal(), bulk, ahead=False), bulk, KEEPER))


def test_an_audited_fleet_is_looked_at_in_full_and_no_other() -> None:
    house = House().merge(
        TARGET, IMAGE, zone(), fleet("web", "balancer"), fleet("api", "listener"), fleet("job")
    )
    house.converge()
    bulk = house.bulk()
    found = needs(plan_target(house.goal(), bulk, ahead=False), bulk, KEEPER, frozenset({"web"}))
    assert {n.rpartition("-")[0] for n in (*found.balancers, *found.target_groups, *found.hooks)} == {"web"}
    assert len(found.health) == 1
    assert not found.changes
