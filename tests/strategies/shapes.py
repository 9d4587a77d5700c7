"""Fleets to generate lives of: every strategy with every kind of traffic that it goes with."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal

from hypothesis import strategies as st

from reconciler.core.digest import short
from reconciler.kinds.group.want import Schedule, Sizes
from reconciler.strategies.wanted import NO_GATES, Gates, Rollout, TrafficKind, Wanted
from tests.strategies.facts import gates_for
from tests.worlds import BLUE_GREEN, RECREATE, canary_of, rolling_by, wanted

SIZES: Final = Sizes(min=2, max=6, desired=3)
NIGHT: Final = (Schedule(name="night", cron="0 22 * * *", timezone="UTC", min=1, max=4),)

CANARY: Final = canary_of((10, 5), (50, 0), None)
WAYS: Final = {
    **{f"blue-green, {k.name.lower()}": (k, BLUE_GREEN) for k in TrafficKind},
    "canary, dns": (TrafficKind.DNS, CANARY),
    "canary, listener": (TrafficKind.LISTENER, CANARY),
    "canary that pauses first, dns": (TrafficKind.DNS, canary_of((25, 0), (50, 3), pause_first=True)),
    "canary that pauses first, listener": (TrafficKind.LISTENER, canary_of((99, 1), pause_first=True)),
    "canary that holds the whole, dns": (TrafficKind.DNS, canary_of((30, 1), (100, 10))),
    "rolling, attach": (TrafficKind.ATTACH, rolling_by(25)),
    "rolling, none": (TrafficKind.NONE, rolling_by(34)),
    **{f"recreate, {k.name.lower()}": (k, RECREATE) for k in TrafficKind},
}
ROLLOUTS: Final = {kind: tuple(rollout for k, rollout in WAYS.values() if k is kind) for kind in TrafficKind}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What stays the same from commit to commit of a generated fleet."""

    kind: TrafficKind
    keep: int = 30  # minutes
    twofold: bool = False  # dualstack, or a classic balancer beside the target group
    scheduled: bool = False
    heal: bool = False
    sizes: Sizes = SIZES
    rollout: Rollout = BLUE_GREEN
    gates: Gates = NO_GATES
    on_failure: Literal["rollback", "hold"] = "rollback"

    def want(self, n: int, rollout: Rollout | None = None) -> Wanted:
        """The fleet at its n-th revision; with another rollout than its own, where git changed that."""
        way = replace(rollout or self.rollout, gates=self.gates, on_failure=self.on_failure)
        made = wanted(
            n,
            self.kind,
            sizes=self.sizes,
            keep_old=timedelta(minutes=self.keep),
            dualstack=self.twofold,
            classic=("old-elb",) if self.twofold else (),
            schedules=NIGHT if self.scheduled else (),
            heal=self.heal,
            rollout=way,
        )
        return replace(made, spec_hash=short([n, repr(way)]))


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
        gates=draw(gates_for(kind)),
        on_failure=draw(st.sampled_from(["rollback", "rollback", "hold"])),
    )
