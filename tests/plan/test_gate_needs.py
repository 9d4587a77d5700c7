"""What gates cost to look at: nothing at rest, alarms before the start, the rest while it rolls."""

from dataclasses import replace

import pytest

from reconciler.core.facts import Unread
from reconciler.kinds.alarm.live import ABSENT, LiveAlarm
from reconciler.kinds.register import Needs
from reconciler.plan.model import ActionKind, TargetPlan
from reconciler.plan.needs import needs
from reconciler.plan.planner import plan_target
from tests.plan.house import IMAGE, KEEPER, TARGET, House, fleet, zone

GATES = """\
  rollout:
    keepOld: 10m
    gates:
      alarms: [web-5xx, web-slow]
      metrics:
        - {metric: target5xxPercent, max: 1}
        - {query: "SELECT MAX(Errors) FROM App WHERE Group = '{group}'", max: 3, over: 10m}
      probe: {path: /healthz}
"""
PLAIN = [fleet("api", "listener"), fleet("job")]


def house() -> House:
    return House().merge(TARGET, IMAGE, zone(), fleet("web", "balancer", GATES), *PLAIN).converge()


def roll(at: House) -> House:
    return at.merge(TARGET, IMAGE, zone(), fleet("web", "balancer", GATES, generation="2"), *PLAIN)


def wanted(at: House) -> Needs:
    bulk = at.bulk()
    return needs(plan_target(at.goal(), bulk, ahead=False), bulk, KEEPER)


def web(plan: TargetPlan):
    (item,) = [i for i in plan.items if i.kind == "Fleet" and i.name == "web"]
    return item


def test_at_rest_nothing_is_asked_for() -> None:
    found = wanted(house())
    assert not found.alarms
    assert not found.metrics
    assert not found.probes


def test_a_rollout_without_gates_asks_for_nothing_either() -> None:
    at = house().merge(
        TARGET,
        IMAGE,
        zone(),
        fleet("web", "balancer", GATES),
        fleet("api", "listener", generation="2"),
        PLAIN[1],
    )
    found = wanted(at)
    assert found.balancers | found.target_groups
    assert not found.alarms | found.metrics | found.probes


def test_before_the_start_alarms_are_asked_for_and_in_the_rollout_all_of_it() -> None:
    at = roll(house())
    assert wanted(at).alarms == {"web-5xx", "web-slow"}
    assert not wanted(at).metrics
    seen: list[tuple[set[str], set[str]]] = []
    names: set[str] = set()
    for _ in range(40):
        found = wanted(at)
        seen.append(({m.metric for m in found.metrics}, {p.path for p in found.probes}))
        names |= {m.name for m in found.metrics} | {p.name for p in found.probes}
        plan = at.apply()
        waits = [i.wait.until for i in plan.items if i.wait and i.wait.until]
        at.wait(min(waits) if waits else None)
    assert ({"target5xxPercent", ""}, {"/healthz"}) in seen
    assert len(names) == 1, "the old revision is not asked"
    assert not wanted(at).alarms


def test_a_plan_says_what_a_rollout_goes_on_with() -> None:
    item = web(roll(house()).plan(ahead=True))
    assert item.action is ActionKind.REPLACE
    (note,) = item.notes
    assert note == (
        "it goes on while alarm web-5xx is not in ALARM; alarm web-slow is not in ALARM;"
        " target5xxPercent is at most 1 over 5m; query 2 is at most 3 over 10m;"
        " GET /healthz is answered 200, 3 times in a row"
    )


@pytest.mark.parametrize("missing", ["fail", "pass"])
def test_an_alarm_that_does_not_exist_is_told_where_it_does_not_block(missing: str) -> None:
    gates = GATES + f"      missing: {missing}\n"
    at = house().merge(TARGET, IMAGE, zone(), fleet("web", "balancer", gates, generation="2"), *PLAIN)
    at.world = replace(at.world, alarms=(LiveAlarm(name="web-slow", state=ABSENT),))
    told = "there is no alarm web-slow here; gates.missing lets that pass"
    assert (told in web(at.plan()).notes) is (missing == "pass")


@pytest.mark.parametrize("lost", ["alarms", "metrics", "probes"])
def test_what_could_not_be_read_is_said(lost: str) -> None:
    at = roll(house())
    for _ in range(3):
        at.apply()
        at.wait()
    at.world = replace(at.world, **{lost: Unread(what=lost, why="AccessDenied")})
    plan = at.plan()
    assert not plan.complete
    assert plan.unread == (f"{lost} could not be read: AccessDenied",)
