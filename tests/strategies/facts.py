"""What a pass sees beside the bulk reads: alarms, measures, answers of a probe, launches that fail."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from hypothesis import strategies as st

from reconciler.core.facts import Unread
from reconciler.kinds.activity.live import LaunchFailure
from reconciler.kinds.alarm.live import ABSENT, LiveAlarm
from reconciler.kinds.balancer.live import TargetHealth
from reconciler.kinds.metric.live import Measured
from reconciler.kinds.probe.live import Probed
from reconciler.kinds.register import World
from reconciler.strategies import machine
from reconciler.strategies.gates import Asks, asks
from reconciler.strategies.slice import Slice
from reconciler.strategies.wanted import Gates, MetricGate, ProbeGate, TrafficKind, Wanted

LOST: Final = Unread(what="it", why="AccessDenied")
ALARMS: Final = ("OK", "OK", "ALARM", "ALARM", "INSUFFICIENT_DATA", ABSENT)
VALUES: Final = (0.0, 0.5, 9.0, 9.0, None)
OVER: Final = timedelta(minutes=5)
ERRORS: Final = MetricGate(metric="target5xxPercent", query="", max=1, over=OVER)
BACKLOG: Final = MetricGate(metric="", query="MAX(Backlog of {group})", max=1, over=OVER)
PROBE: Final = ProbeGate(path="/healthz", status=200, times=3)


def gates_for(kind: TrafficKind) -> st.SearchStrategy[Gates]:
    """Gates that a fleet of this traffic may have; half of all fleets have none."""
    balanced = kind in (TrafficKind.DNS, TrafficKind.LISTENER)
    some = st.builds(
        Gates,
        alarms=st.sampled_from([(), ("errors",)]),
        metrics=st.sampled_from([(), (ERRORS if balanced else BACKLOG,)]),
        probe=st.sampled_from([None, PROBE] if kind is TrafficKind.DNS else [None]),
        missing=st.sampled_from(["fail", "pass"]),
    )
    return st.just(Gates()) | some


@dataclass
class Signs:
    """What all of this says until somebody or something changes it."""

    alarm: str | Unread = "OK"
    value: float | Unread | None = 0.5
    answers: int | Unread = 3
    few: dict[str, int] = field(default_factory=dict)  # group -> most instances that are launched for it
    final: bool = False  # those launches fail for what waiting does not mend

    def turn(self, draw: st.DataObject) -> None:
        """One of them changes."""
        match draw.draw(st.integers(0, 5)):
            case 0 | 1 | 2:
                said: list[str | Unread] = [*ALARMS, LOST]
                self.alarm = draw.draw(st.sampled_from(said))
            case 3 | 4:
                self.value = draw.draw(st.sampled_from([*VALUES, LOST]))
            case _:
                answers: list[int | Unread] = [0, 2, 3, 3, LOST]
                self.answers = draw.draw(st.sampled_from(answers))

    def good(self) -> None:
        """All is well."""
        self.alarm, self.value, self.answers = "OK", 0.5, 3
        self.few.clear()

    def seen(self, world: World, want: Wanted | None, s: Slice) -> World:
        """Return the world with what a pass looks at for this fleet: nothing once it has shifted."""
        if want is None or machine.shifted(want, s):
            return world
        asked = asks(want, s)
        return replace(
            world,
            alarms=self._alarms(asked),
            metrics=self._metrics(asked),
            probes=self._probes(asked),
            launches=tuple(self._launches(world)),
        )

    def _alarms(self, asked: Asks) -> tuple[LiveAlarm, ...] | Unread:
        if isinstance(self.alarm, Unread):
            return self.alarm if asked.alarms else ()
        return tuple(LiveAlarm(name=a, state=self.alarm) for a in sorted(asked.alarms))

    def _metrics(self, asked: Asks) -> tuple[Measured, ...] | Unread:
        if isinstance(self.value, Unread):
            return self.value if asked.metrics else ()
        return tuple(Measured(measure=m, value=self.value) for m in sorted(asked.metrics))

    def _probes(self, asked: Asks) -> tuple[Probed, ...] | Unread:
        if isinstance(self.answers, Unread):
            return self.answers if asked.probes else ()
        return tuple(Probed(probe=p, passes=self.answers, answer="503") for p in sorted(asked.probes))

    def _launches(self, world: World) -> Iterable[LaunchFailure]:
        for g in world.groups:
            if g.name in self.few and not g.deleting and g.in_service < g.sizes.desired:
                why = "there is no capacity in the zone"
                yield LaunchFailure(
                    group=g.name, code="capacity", why=why, since=world.as_of, final=self.final
                )

    def capped(self, before: World, after: World) -> World:
        """Take back what was launched where nothing is launched."""
        if not self.few:
            return after
        known = {i.id for g in before.groups for i in g.instances}
        groups = []
        for g in after.groups:
            most = self.few.get(g.name, len(g.instances))
            old = tuple(i for i in g.instances if i.id in known)
            new = tuple(i for i in g.instances if i.id not in known)[: max(0, most - len(old))]
            groups.append(replace(g, instances=tuple(sorted((*old, *new), key=lambda i: i.id))))
        return replace(after, groups=tuple(groups))


def flapped(world: World, bad: Iterable[bool]) -> World:
    """Some targets fail a check that they passed; the next one will see."""
    turns = iter(bad)
    health = tuple(
        TargetHealth(
            group=h.group,
            states=tuple(
                (i, "unhealthy" if state == "healthy" and next(turns, False) else state)
                for i, state in h.states
            ),
        )
        for h in world.health
    )
    return replace(world, health=health)
