"""Gates of a rollout: what has to hold before a revision gets traffic, and while it has some.

What counts was looked at in this pass. A gate says what is good or bad and never what follows from it:
bad before there is traffic is waited out until `readyWithin`, bad with traffic sends it back.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from reconciler.core.duration import format_duration
from reconciler.core.facts import Unread
from reconciler.core.ids import DIGITS, FleetName, ResourceName
from reconciler.kinds.alarm.live import ABSENT, LiveAlarm
from reconciler.kinds.metric.want import Measure
from reconciler.kinds.probe.want import Probe
from reconciler.kinds.register import Blocked
from reconciler.strategies.slice import Live, Slice
from reconciler.strategies.wanted import NO_GATES, Gates, MetricGate, Wanted

State: TypeAlias = Literal["pass", "fail", "wait"]

LATE: Final = timedelta(minutes=3)
"""How late CloudWatch may show a minute of a load balancer: it gets them each 60 s, some time after."""

SECURE: Final = ("HTTPS", "TLS")
ASKABLE: Final = ("HTTP", "TCP", "TCP_UDP", *SECURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What one gate says of a revision."""

    name: str
    state: State  # wait: not known yet, or not looked at in this pass
    why: str  # what was measured, against what


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """What a pass has to look at for the gates of one fleet."""

    name: ResourceName | None = None  # what its start, held by a gate until they are read, would make
    alarms: frozenset[str] = frozenset()
    metrics: frozenset[Measure] = frozenset()
    probes: frozenset[Probe] = frozenset()


NOTHING: Final = Asks()


def asks(want: Wanted, s: Slice) -> Asks:
    """Return what the gates of a fleet rest on, as far as there is something to ask."""
    gates, new = want.rollout.gates, s.live(want.revision)
    if gates == NO_GATES:
        return NOTHING
    probe = _probe_of(want, new) if new else None
    measures = (_measure_of(want, new, g) for g in gates.metrics) if new and new.up else ()
    return Asks(
        name=want.name,
        alarms=frozenset(gates.alarms),
        metrics=frozenset(m for m in measures if m),
        probes=frozenset({probe} if probe else ()),
    )


def ungated(want: Wanted) -> Wanted:
    """Return a fleet without its gates: a preview of what follows once they hold."""
    return replace(want, rollout=replace(want.rollout, gates=NO_GATES))


def notes(want: Wanted, s: Slice) -> Iterator[str]:
    """Yield what a plan tells of the gates of a fleet that starts or rolls."""
    gates = want.rollout.gates
    if has_to_hold := _said(gates):
        yield f"it goes on while {has_to_hold}"
    absent = [a.name for a in _alarms(s, gates.alarms) if a.state == ABSENT]
    if absent and gates.missing == "pass":  # else it is what blocks the start
        yield f"there is no alarm {', '.join(absent)} here; gates.missing lets that pass"


def _said(gates: Gates) -> str:
    found = [f"alarm {name} is not in ALARM" for name in gates.alarms]
    found += [
        f"{name} is at most {m.max:g} over {format_duration(m.over)}" for name, m in _named(gates.metrics)
    ]
    if (probe := gates.probe) is not None:
        found.append(f"GET {probe.path} is answered {probe.status}, {probe.times} times in a row")
    return "; ".join(found)


def before(want: Wanted, s: Slice) -> Blocked | None:
    """Say which alarm keeps a rollout from starting, if one does."""
    gates = want.rollout.gates
    if not gates.alarms:
        return None
    if blind := [b for a in _alarms(s, gates.alarms) if (b := _blind(want.fleet, a))]:
        return Blocked(code="gate", why=blind[0])
    bad = [g.why for name in gates.alarms if (g := _alarm(want, s, name)).state != "pass"]
    return Blocked(code="gate", why=f"it does not start: {'; '.join(bad)}") if bad else None


def judge(want: Wanted, s: Slice, new: Live) -> tuple[Gate, ...]:
    """Return every gate of a revision, on the facts of this pass.

    A metric without data holds as long as the revision has no traffic: there is nothing to measure.
    """
    gates = want.rollout.gates
    found = [_alarm(want, s, name) for name in gates.alarms]
    found += [_metric(want, s, new, name, gate) for name, gate in _named(gates.metrics)]
    return (*found, *([_probe(want, s, new)] if gates.probe else ()))


def _alarms(s: Slice, names: Iterable[str]) -> list[LiveAlarm]:
    return [a for a in s.alarms if a.name in names] if isinstance(s.alarms, tuple) else []


def _alarm(want: Wanted, s: Slice, name: str) -> Gate:
    said = f"alarm {name}"
    if isinstance(s.alarms, Unread):
        return _missing(want, said, f"{said} can't be read: {s.alarms.why}")
    live = next((a for a in s.alarms if a.name == name), None)
    if live is None:
        return Gate(name=said, state="wait", why=f"{said} was not read in this pass")
    if live.state == ABSENT:
        return _missing(want, said, f"{said} does not exist in this account and region")
    if blind := _blind(want.fleet, live):
        return _missing(want, said, blind)
    since = f" since {_time(live.since)}" if live.since else ""
    match live.state:
        case "OK":
            return Gate(name=said, state="pass", why=f"{said} is OK{since}")
        case "ALARM":
            return Gate(name=said, state="fail", why=f"{said} is in ALARM{since}")
        case _ if _first(want, s):
            why = f"{said} has no data: nothing served before {want.name}"
            return Gate(name=said, state="pass", why=why)
        case _:
            return _missing(want, said, f"{said} has no data: {live.state}{since}")


def _first(want: Wanted, s: Slice) -> bool:
    """Is there no other revision: nothing that an alarm could have had data of, and nothing to go back to."""
    return not any(r.up for r in s.revisions if r.revision != want.revision)


def _missing(want: Wanted, name: str, why: str) -> Gate:
    state = want.rollout.gates.missing
    return Gate(name=name, state=state, why=f"{why} (gates.missing: {state})")


def _blind(fleet: FleetName, alarm: LiveAlarm) -> str | None:
    """Say that an alarm watches what one revision alone has, and so can't see the next one."""
    own = re.compile(rf"(?<![A-Za-z0-9-]){re.escape(fleet)}-[0-9a-f]{{{DIGITS}}}(?![A-Za-z0-9-])")
    found = next((m.group() for text in alarm.watches if (m := own.search(text))), None)
    if found is None:
        return None
    return (
        f"alarm {alarm.name} watches {found}, which is one revision's alone, and can't see the next one;"
        " write gates.metrics instead: they measure each revision's own balancer and group"
    )


def _measure_of(want: Wanted, new: Live, gate: MetricGate) -> Measure | None:
    """Return what is to be measured, or None while that can't be told: its things are not all there."""
    balancer, group = "", ""
    if want.balancer:
        balancer = new.balancer.arn.partition(":loadbalancer/")[2] if new.balancer else ""
    elif want.rule:
        balancer = want.rule.listener.partition(":listener/")[2].rpartition("/")[0]
    if want.target_group:
        group = new.target_group.arn.rpartition(":")[2] if new.target_group else ""
        if not group or not balancer:
            return None
    return Measure(
        name=new.name,
        metric=gate.metric,
        query=gate.query,
        over=gate.over,
        balancer=balancer,
        target_group=group,
    )


def _named(metrics: Iterable[MetricGate]) -> list[tuple[str, MetricGate]]:
    """Return each with what it is called: a query by its place in `metrics`."""
    return [(gate.metric or f"query {n}", gate) for n, gate in enumerate(metrics, 1)]


def _metric(want: Wanted, s: Slice, new: Live, name: str, gate: MetricGate) -> Gate:
    over = format_duration(gate.over)
    if isinstance(s.metrics, Unread):
        return _missing(want, name, f"{name} can't be read: {s.metrics.why}")
    since = new.stage.since if new.stage and new.stage.step >= 1 else None
    measure = _measure_of(want, new, gate)
    found = next((m for m in s.metrics if m.measure == measure), None)
    if measure and found is None:
        return Gate(name=name, state="wait", why=f"{name} was not read in this pass")
    if found and found.value is not None:
        bad = found.value > gate.max
        than = "above" if bad else "at most"
        why = f"{name} is {found.value:g}, {than} {gate.max:g}, over {over}"
        return Gate(name=name, state="fail" if bad else "pass", why=why)
    if found and found.why:
        return _missing(want, name, f"{name} can't be read: {found.why}")
    if since is None:
        return Gate(name=name, state="pass", why=f"{name} has no data: {new.name} has no traffic yet")
    late = since + gate.over + LATE
    if s.as_of < late:
        why = f"{name} has no data yet; after {_time(late)} that counts as missing"
        return Gate(name=name, state="wait", why=why)
    return _missing(want, name, f"{name} has no data over {over}")


def _probe_of(want: Wanted, new: Live) -> Probe | None:
    gate, live = want.rollout.gates.probe, new.balancer
    if gate is None or live is None or want.balancer is None or want.dns is None:
        return None
    open_ports = [x for x in want.balancer.listeners if x.protocol in ASKABLE]
    if not open_ports or live.state not in ("active", "active_impaired"):
        return None
    # what clients use, where there are both: a plain port often only says where the other one is
    listener = next((x for x in open_ports if x.protocol in SECURE), open_ports[0])
    return Probe(
        name=new.name,
        host=live.dns_name.rstrip("."),
        port=listener.port,
        secure=listener.protocol in SECURE,
        header=want.dns.name.rstrip("."),
        path=gate.path,
        status=gate.status,
        times=gate.times,
    )


def _probe(want: Wanted, s: Slice, new: Live) -> Gate:
    gate = want.rollout.gates.probe
    asked, name = _probe_of(want, new), f"probe {gate.path}" if gate else "probe"
    if asked is None:
        return Gate(name=name, state="wait", why=f"{name}: balancer {new.name} can't be asked yet")
    if isinstance(s.probes, Unread):
        return Gate(name=name, state="wait", why=f"{name} could not be asked: {s.probes.why}")
    found = next((p for p in s.probes if p.probe == asked), None)
    if found is None:
        return Gate(name=name, state="wait", why=f"{name} was not asked in this pass")
    if found.passes >= asked.times:
        return Gate(name=name, state="pass", why=f"{name}: {asked.status}, {asked.times} times in a row")
    why = f"{name}: {found.answer} after {found.passes} of {asked.times} answers of {asked.status}"
    return Gate(name=name, state="fail", why=why)


def _time(value: datetime) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}"
