"""What keeps a rollout with gates from starting, and what its gates ask for."""

from dataclasses import replace
from typing import Any

import pytest

from reconciler.kinds.alarm.live import ABSENT
from reconciler.kinds.balancer.want import Listener
from reconciler.kinds.probe.want import Probe
from reconciler.strategies.gates import NOTHING, asks, before, judge
from reconciler.strategies.wanted import (
    NO_GATES,
    TrafficKind,
    Wanted,
)
from tests.strategies.gated import (
    ERRORS,
    FAILS,
    LOST,
    NAME,
    PROBE,
    SINCE,
    WRITTEN,
    alarm,
    first,
    live,
    measure,
    seen,
    want_of,
)

START = [
    ("all is well", (alarm("OK"),), "fail", None),
    ("in ALARM", (alarm("ALARM"),), "pass", f"it does not start: alarm web-5xx is in ALARM{SINCE}"),
    (
        "absent",
        (alarm(ABSENT),),
        "fail",
        f"it does not start: alarm web-5xx does not exist in this account and region{FAILS}",
    ),
    ("absent, let pass", (alarm(ABSENT),), "pass", None),
    (
        "no data",
        (alarm("INSUFFICIENT_DATA"),),
        "fail",
        f"it does not start: alarm web-5xx has no data: INSUFFICIENT_DATA{SINCE}{FAILS}",
    ),
    ("no data, let pass", (alarm("INSUFFICIENT_DATA"),), "pass", None),
    ("unreadable", LOST, "fail", f"it does not start: alarm web-5xx can't be read: {LOST.why}{FAILS}"),
    ("unreadable, let pass", LOST, "pass", None),
    ("not looked at", (), "pass", "it does not start: alarm web-5xx was not read in this pass"),
]


@pytest.mark.parametrize(("facts", "missing", "why"), [s[1:] for s in START], ids=[s[0] for s in START])
def test_an_alarm_keeps_a_rollout_from_starting(facts: Any, missing: str, why: str | None) -> None:
    want = want_of(alarms=("web-5xx",), missing=missing)
    found = before(want, seen(want, alarms=facts))
    assert (found and (found.code, found.why)) == (why and ("gate", why))


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("OK", None),
        ("INSUFFICIENT_DATA", None),
        ("ALARM", f"it does not start: alarm web-5xx is in ALARM{SINCE}"),
        (ABSENT, f"it does not start: alarm web-5xx does not exist in this account and region{FAILS}"),
    ],
    ids=["OK", "no data", "in ALARM", "absent"],
)
def test_at_the_first_birth_an_alarm_has_no_data_yet_and_holds(state: str, why: str | None) -> None:
    want = want_of(alarms=("web-5xx",))
    new = live(want, 0)
    found = before(want, first(want, alarms=(alarm(state),)))
    assert (found and found.why) == why
    (gate,) = judge(want, first(want, new, alarms=(alarm(state),)), new)
    assert gate.state == ("fail" if why else "pass")


def test_what_has_no_alarm_starts_whatever_was_read() -> None:
    want = want_of(metrics=(ERRORS,), probe=PROBE)
    assert before(want, seen(want, alarms=LOST, metrics=LOST, probes=LOST)) is None


BLIND = [
    f"app/{NAME}/50dc6c495c0c9188",
    f"targetgroup/{NAME}/73e2d6bc24d8a067",
    "web-00000000ff",
    f"SEARCH('{{AWS/ApplicationELB,LoadBalancer}} LoadBalancer=\"app/{NAME}/1\"', 'Sum', 60)",
]
SEES = [
    "app/shared/50dc6c495c0c9188",
    "other-web-0000000002",
    "web-00000000020",
    "web-0000000002-b",
    "checkout",
]


@pytest.mark.parametrize("watched", BLIND)
@pytest.mark.parametrize("missing", ["fail", "pass"])
def test_an_alarm_of_one_revision_s_own_is_refused(watched: str, missing: str) -> None:
    want = want_of(alarms=("web-5xx",), missing=missing)
    facts = seen(want, live(want), alarms=(alarm("OK", "checkout", watched),))
    blocked = before(want, facts)
    assert blocked
    assert blocked.code == "gate"
    assert "can't see the next one; write gates.metrics instead" in blocked.why
    (gate,) = judge(want, facts, live(want))
    assert gate.state == missing


@pytest.mark.parametrize("watched", SEES)
def test_an_alarm_of_anything_else_is_taken(watched: str) -> None:
    want = want_of(alarms=("web-5xx",))
    assert before(want, seen(want, alarms=(alarm("OK", watched),))) is None


def test_what_is_measured_has_cloudwatch_s_names_of_the_revision() -> None:
    group = f"targetgroup/{NAME}/73e2d6bc24d8a067"
    own, shared = measure(ERRORS), measure(ERRORS, TrafficKind.LISTENER)
    assert (own.name, own.balancer, own.target_group) == (NAME, f"app/{NAME}/50dc6c495c0c9188", group)
    assert (shared.balancer, shared.target_group) == ("app/shared/50dc6c495c0c9188", group)
    worker = measure(WRITTEN, TrafficKind.NONE)
    assert (worker.name, worker.balancer, worker.target_group) == (NAME, "", "")


def test_nothing_is_asked_for_a_fleet_without_gates() -> None:
    want = want_of()
    assert want.rollout.gates == NO_GATES
    assert asks(want, seen(want, live(want))) == NOTHING


def test_before_the_birth_only_alarms_are_asked_for() -> None:
    want = want_of(alarms=("web-5xx",), metrics=(ERRORS,), probe=PROBE)
    found = asks(want, seen(want))
    assert (found.name, found.alarms) == (want.name, frozenset({"web-5xx"}))
    assert found.metrics == found.probes == frozenset()


def test_a_balancer_that_is_gone_or_not_there_yet_is_not_measured() -> None:
    want = want_of(metrics=(ERRORS,), probe=PROBE)
    bare = replace(live(want), balancer=None)
    found = asks(want, seen(want, bare))
    assert found.metrics == found.probes == frozenset()
    states = [g.state for g in judge(want, seen(want, bare), bare)]
    assert states == ["pass", "wait"]


def listening(*listeners: tuple[int, str]) -> Wanted:
    want = want_of(probe=PROBE)
    made = tuple(Listener(port=p, protocol=x, certificates=(), ssl_policy="") for p, x in listeners)
    assert want.balancer
    return replace(want, balancer=replace(want.balancer, listeners=made))


@pytest.mark.parametrize(
    ("listeners", "port", "secure"),
    [
        (((80, "HTTP"),), 80, False),
        (((80, "HTTP"), (8443, "HTTPS")), 8443, True),
        (((53, "UDP"), (8080, "TCP")), 8080, False),
        (((53, "TCP_UDP"), (443, "TLS")), 443, True),
    ],
    ids=["HTTP", "HTTPS before HTTP", "TCP, not UDP", "TLS"],
)
def test_a_probe_asks_where_clients_ask(listeners: Any, port: int, secure: bool) -> None:
    want = listening(*listeners)
    (probe,) = asks(want, seen(want, live(want))).probes
    assert probe == Probe(
        name=want.name,
        host=f"internal-{NAME}-1.eu-west-1.elb.amazonaws.com",
        port=port,
        secure=secure,
        header="web.example.com",
        path="/healthz",
        status=200,
        times=3,
    )
