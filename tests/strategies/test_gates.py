"""Gates by table: what each fact of a pass makes of a gate."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from reconciler.kinds.alarm.live import ABSENT
from reconciler.kinds.metric.live import Measured
from reconciler.kinds.probe.live import Probed
from reconciler.strategies.gates import asks, judge
from reconciler.strategies.wanted import (
    MetricGate,
)
from tests.strategies.gated import (
    ERRORS,
    FAILS,
    LOST,
    NAME,
    OVER,
    PASSES,
    PROBE,
    SINCE,
    SLOW,
    WRITTEN,
    alarm,
    live,
    measure,
    seen,
    want_of,
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """What was read, and what the one gate makes of it."""

    id: str
    gates: dict[str, Any]
    state: str
    why: str
    facts: dict[str, Any] = field(default_factory=dict)
    step: int | None = 0
    age: timedelta = timedelta()
    balancer: str = "active"


def of_alarm(id: str, facts: Any, state: str, why: str, **gates: Any) -> Case:
    asked = {"alarms": ("web-5xx",), **gates}
    return Case(
        id=f"alarm: {id}", gates=asked, facts={"alarms": facts}, state=state, why=f"alarm web-5xx {why}"
    )


def of_metric(
    id: str, facts: Any, state: str, why: str, gate: MetricGate = ERRORS, missing: str = "fail", **more: Any
) -> Case:
    asked = {"metrics": (gate,), "missing": missing}
    return Case(id=f"metric: {id}", gates=asked, facts={"metrics": facts}, state=state, why=why, **more)


def of_probe(id: str, passes: int | None, answer: str, state: str, why: str, **more: Any) -> Case:
    (asked,) = asks(want_of(probe=PROBE), seen(want_of(), live(want_of()))).probes
    found = () if passes is None else (Probed(probe=asked, passes=passes, answer=answer),)
    return Case(
        id=f"probe: {id}",
        gates={"probe": PROBE},
        facts={"probes": more.pop("facts", found)},
        state=state,
        why=f"probe /healthz{why}",
        **more,
    )


def value(number: float | None, gate: MetricGate = ERRORS, why: str = "") -> tuple[Measured, ...]:
    return (Measured(measure=measure(gate), value=number, why=why),)


LONG, SHORT = OVER + timedelta(minutes=3), OVER + timedelta(minutes=2)
CASES = [
    of_alarm("OK", (alarm("OK"),), "pass", f"is OK{SINCE}"),
    of_alarm("in ALARM", (alarm("ALARM"),), "fail", f"is in ALARM{SINCE}"),
    of_alarm(
        "in ALARM, whatever is missing", (alarm("ALARM"),), "fail", f"is in ALARM{SINCE}", missing="pass"
    ),
    of_alarm("not looked at", (), "wait", "was not read in this pass"),
    of_alarm(
        "no data", (alarm("INSUFFICIENT_DATA"),), "fail", f"has no data: INSUFFICIENT_DATA{SINCE}{FAILS}"
    ),
    of_alarm(
        "no data, let pass",
        (alarm("INSUFFICIENT_DATA"),),
        "pass",
        f"has no data: INSUFFICIENT_DATA{SINCE}{PASSES}",
        missing="pass",
    ),
    of_alarm("absent", (alarm(ABSENT),), "fail", f"does not exist in this account and region{FAILS}"),
    of_alarm(
        "absent, let pass",
        (alarm(ABSENT),),
        "pass",
        f"does not exist in this account and region{PASSES}",
        missing="pass",
    ),
    of_alarm("unreadable", LOST, "fail", f"can't be read: {LOST.why}{FAILS}"),
    of_alarm("unreadable, let pass", LOST, "pass", f"can't be read: {LOST.why}{PASSES}", missing="pass"),
    of_metric("below", value(0.25), "pass", "target5xxPercent is 0.25, at most 1, over 5m"),
    of_metric("equal", value(1), "pass", "target5xxPercent is 1, at most 1, over 5m"),
    of_metric("above", value(4.2), "fail", "target5xxPercent is 4.2, above 1, over 5m", step=1),
    of_metric("above before traffic", value(4.2), "fail", "target5xxPercent is 4.2, above 1, over 5m"),
    of_metric("seconds", value(0.7, SLOW), "fail", "latencyP99 is 0.7, above 0.5, over 5m", SLOW),
    of_metric("written", value(2, WRITTEN), "pass", "query 1 is 2, at most 3, over 5m", WRITTEN),
    of_metric("not looked at", (), "wait", "target5xxPercent was not read in this pass", step=1, age=LONG),
    of_metric(
        "no data, and no traffic yet",
        value(None),
        "pass",
        f"target5xxPercent has no data: {NAME} has no traffic yet",
        age=LONG,
    ),
    of_metric(
        "no data, and its stage was lost",
        value(None),
        "pass",
        f"target5xxPercent has no data: {NAME} has no traffic yet",
        step=None,
    ),
    of_metric(
        "no data yet",
        value(None),
        "wait",
        "target5xxPercent has no data yet; after 2026-11-23T12:01:00Z that counts as missing",
        step=1,
        age=SHORT,
    ),
    of_metric(
        "no data", value(None), "fail", f"target5xxPercent has no data over 5m{FAILS}", step=1, age=LONG
    ),
    of_metric(
        "no data, let pass",
        value(None),
        "pass",
        f"target5xxPercent has no data over 5m{PASSES}",
        missing="pass",
        step=1,
        age=LONG,
    ),
    of_metric("unreadable", LOST, "fail", f"target5xxPercent can't be read: {LOST.why}{FAILS}"),
    of_metric(
        "unreadable, let pass",
        LOST,
        "pass",
        f"target5xxPercent can't be read: {LOST.why}{PASSES}",
        missing="pass",
    ),
    of_metric(
        "a query that CloudWatch refuses",
        value(None, WRITTEN, "GetMetricData: ValidationError"),
        "fail",
        f"query 1 can't be read: GetMetricData: ValidationError{FAILS}",
        WRITTEN,
    ),
    of_probe("passes", 3, "", "pass", ": 200, 3 times in a row"),
    of_probe("another status", 0, "503", "fail", ": 503 after 0 of 3 answers of 200"),
    of_probe(
        "no answer",
        2,
        "no answer within 5 s",
        "fail",
        ": no answer within 5 s after 2 of 3 answers of 200",
        step=1,
    ),
    of_probe("not asked", None, "", "wait", " was not asked in this pass"),
    of_probe("could not be asked", None, "", "wait", f" could not be asked: {LOST.why}", facts=LOST),
    of_probe(
        "a balancer that is not there yet",
        None,
        "",
        "wait",
        f": balancer {NAME} can't be asked yet",
        balancer="provisioning",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_gate_says_what_it_measured_against_what(case: Case) -> None:
    want = want_of(**case.gates)
    new = live(want, case.step, case.age, case.balancer)
    (gate,) = judge(want, seen(want, new, **case.facts), new)
    assert (gate.state, gate.why) == (case.state, case.why)


def test_every_gate_is_judged_and_named() -> None:
    want = want_of(alarms=("web-5xx",), metrics=(ERRORS, WRITTEN), probe=PROBE)
    new = live(want)
    assert [g.name for g in judge(want, seen(want, new), new)] == [
        "alarm web-5xx",
        "target5xxPercent",
        "query 2",
        "probe /healthz",
    ]
    assert judge(want_of(), seen(want), new) == ()
