"""What gates are answered in worlds of tests: all is well, save what a world says itself."""

from typing import Any

from reconciler.kinds.alarm.live import LiveAlarm
from reconciler.kinds.metric.live import Measured
from reconciler.kinds.probe.live import Probed
from reconciler.kinds.register import Needs, World


def answered(whole: World, wanted: Needs) -> dict[str, Any]:
    """Return the facts that were asked for: those of the world, and good ones where it has none."""
    alarms = {a.name: a for a in whole.alarms} if isinstance(whole.alarms, tuple) else {}
    metrics = {m.measure: m for m in whole.metrics} if isinstance(whole.metrics, tuple) else {}
    probes = {p.probe: p for p in whole.probes} if isinstance(whole.probes, tuple) else {}
    good: dict[str, tuple[Any, ...]] = {
        "alarms": tuple(alarms.get(n, LiveAlarm(name=n, state="OK")) for n in sorted(wanted.alarms)),
        "metrics": tuple(metrics.get(m, Measured(measure=m, value=0)) for m in sorted(wanted.metrics)),
        "probes": tuple(probes.get(p, Probed(probe=p, passes=p.times)) for p in sorted(wanted.probes)),
    }
    short = {x.group for x in wanted.launches}
    failed = whole.launches if isinstance(whole.launches, tuple) else ()
    good["launches"] = tuple(f for f in failed if f.group in short)
    lost = {name for name in good if not isinstance(getattr(whole, name), tuple)}
    asked = {name for name in good if getattr(wanted, name)}
    return {n: getattr(whole, n) if n in lost & asked else facts for n, facts in good.items()}
