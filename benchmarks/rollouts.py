"""`python -m benchmarks.rollouts`: how long rollouts take and what they cost, as a table in markdown.

The product makes the rollouts on the emulator, with passes as far apart as the daemon makes them. Every time
is of the emulator's clock, which stands still unless it is moved: the same code gives the same table.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks.refresh import BY_CONSOLE, Refresh
from reconciler.core.duration import format_duration
from reconciler.daemon.hands import say
from reconciler.daemon.lane import Tempo, next_look
from reconciler.daemon.order import Turn
from reconciler.daemon.session import Session
from reconciler.plan import hands
from reconciler.plan.settle import USUAL
from reconciler.plan.standing import Standing, standing
from reconciler.strategies.staged import PAUSE
from tests.emulated import Emulated, emulator
from tests.product import Pass, Product, one_pass
from tests.wire.company import NEW_AMI, OLD_AMI, TRAFFIC, base, fleet, zone
from tests.wire.watch import Watch

SIZES: Final = (10, 100)
TEMPO: Final = Tempo(interval=timedelta(seconds=60), audit=timedelta(hours=1))  # the daemon's defaults
GLANCE: Final = timedelta(seconds=5)  # between two counts of instances while some come or go
MOST: Final = 400  # passes that any of these rollouts takes
STEPS: Final = "steps: [{weight: 10, hold: 5m}, {weight: 50, hold: 10m}, {pause: true}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A strategy with a kind of traffic."""

    name: str
    kind: str  # of traffic, as tests call it
    rollout: str  # of the fleet's spec, in flow style


WAYS: Final = (
    Way(name="blue-green, `balancer` + `dns`", kind="balancer", rollout="strategy: blue-green"),
    Way(name="blue-green, `listener`", kind="listener", rollout="strategy: blue-green"),
    Way(name="canary, `balancer` + `dns`", kind="balancer", rollout=f"strategy: canary, {STEPS}"),
    Way(name="canary, `listener`", kind="listener", rollout=f"strategy: canary, {STEPS}"),
    Way(name="rolling 25%, `attach`", kind="attach", rollout="strategy: rolling, surge: 25%"),
    Way(name="recreate, `listener`", kind="listener", rollout="strategy: recreate"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one strategy takes for one size."""

    name: str
    instances: int
    whole: timedelta  # until all traffic is at the new revision
    early: timedelta | None  # back, said when the new one had its first share of traffic
    late: timedelta  # back, said when it had all of it
    surge: int  # instances beside the fleet's size, at most
    hours: float  # instance-hours beside it, until the old revision is retired
    least: int  # percent of the size that served, at the least

    def cells(self) -> tuple[str, ...]:
        """Return them as they are printed."""
        times = (_told(t) if t is not None else "-" for t in (self.whole, self.early, self.late))
        cost = (str(self.surge), f"{self.hours:.1f}", f"{self.least}%")
        return (self.name, str(self.instances), *times, *cost)


HEADS: Final = (
    "rollout",
    "instances",
    "to full shift",
    "back, from the first share",
    "back, from all traffic",
    "surge",
    "instance-hours",
    "least that serves",
)


def _told(span: timedelta) -> str:
    return format_duration(timedelta(seconds=round(span.total_seconds()))) or "0s"


@dataclass(slots=True, kw_only=True)
class Life:
    """One fleet of a size, its rollouts, and what is counted of them."""

    product: Product
    way: Way
    size: int
    watch: Watch
    most: int = 0
    least: int = 0
    spent: timedelta = timedelta()  # instance-time beside the size
    counted: datetime = field(init=False)

    def __post_init__(self) -> None:
        """Begin to count now."""
        self.begin()

    @property
    def now(self) -> datetime:
        """The emulator's time."""
        return self.product.aws.control.now()

    def begin(self) -> None:
        """Count from now on."""
        self.most, self.least, self.spent, self.counted = 0, self.size, timedelta(), self.now

    def commit(self, ami: str) -> None:
        """Commit the fleet at an AMI."""
        web = fleet(
            TRAFFIC[self.way.kind],
            capacity=f"{{min: {self.size}, max: {2 * self.size}, desired: {self.size}}}",
            rollout=self.way.rollout,
        )
        self.product.commit({"target.yaml": base(ami), "zone.yaml": zone(), "fleets/web.yaml": web})

    def count(self) -> bool:
        """Look at what runs and what serves, and add what ran until now. Return whether that changes."""
        groups = self.watch.groups()
        running = sum(len(g["Instances"]) for g in groups.values())
        now = self.now
        self.spent += max(0, running - self.size) * (now - self.counted)
        self.counted, self.most = now, max(self.most, running - self.size)
        self.least = min(self.least, self.watch.serving(self.watch.weights(groups), groups))
        return any(not _whole(g, g["DesiredCapacity"]) for g in groups.values())

    def look(self) -> None:
        """Count after a write."""
        self.count()

    def pass_time(self, span: timedelta) -> None:
        """Let time go by, and look every now and then while instances come or go."""
        end, changes = self.now + span, self.count()
        while (left := end - self.now) > timedelta():
            self.product.aws.control.advance(min(left, GLANCE) if changes else left)
            changes = self.count()

    def run(self, session: Session, until: Callable[[Pass], bool]) -> timedelta:
        """Make passes as the daemon does until something holds; a pause on the way is promoted at once."""
        began = self.now
        for _ in range(MOST):
            made = one_pass(session, self.look)
            if until(made):
                return self.now - began
            if any(i.blocked and i.blocked.code == PAUSE for i in made.plan.items):
                say(session, "web", hands.promote())
                continue
            self.pass_time(
                TEMPO.next_after_write if made.outcomes else next_look(Turn(plan=made.plan), TEMPO)
            )
        raise AssertionError(f"{self.way.name}: not at its end after {MOST} passes")

    def other(self, old: str) -> str:
        """Return the name of the group beside the old one; "" while there is none."""
        return next((n for n in self.watch.groups() if n != old), "")

    def has_all(self, name: str) -> bool:
        """Has a group all traffic, everywhere, and its whole size in service."""
        group = self.watch.groups().get(name)
        weights = {n for n, w in self.watch.weights().items() if w}
        stage, _, rest = self.watch.stage(name).partition(";")
        alone = weights == {name} and stage.startswith("full/") and rest.startswith("-;")
        return alone and group is not None and _whole(group, self.size)


def _whole(group: dict[str, Any], size: int) -> bool:
    states = [i["LifecycleState"] for i in group["Instances"]]
    return states.count("InService") == len(states) == size


def converged(made: Pass) -> bool:
    """Is nothing left to do."""
    return standing(made.plan) is Standing.CONVERGED


def stopped(made: Pass) -> bool:
    """Does nothing move until a person acts."""
    return standing(made.plan) is Standing.BLOCKED


def measure(way: Way, size: int, product: Product) -> Row:
    """Make one rollout to its end, and another that is aborted twice."""
    life = Life(product=product, way=way, size=size, watch=Watch(product.aws, way.kind))
    life.commit(OLD_AMI)
    with product.session() as session:
        life.run(session, converged)
    (old,) = life.watch.groups()
    life.commit(NEW_AMI)
    life.begin()
    with product.session() as session:
        whole = life.run(session, lambda _: life.has_all(life.other(old)))
        life.run(session, converged)
    surge, hours, least = life.most, life.spent / timedelta(hours=1), life.least
    (old,) = life.watch.groups()
    life.commit(OLD_AMI)
    with product.session() as session:
        early = None
        if "recreate" not in way.rollout:  # its first share is all of it
            life.run(session, lambda _: life.watch.stages().get(life.other(old), "0") not in ("", "0"))
            early = _back(life, session, old)
        life.run(session, lambda _: life.has_all(life.other(old)))
        late = _back(life, session, old)
    return Row(
        name=way.name,
        instances=size,
        whole=whole,
        early=early,
        late=late,
        surge=surge,
        hours=hours,
        least=100 * least // size,
    )


def _back(life: Life, session: Session, old: str) -> timedelta:
    """Say abort, and return the time until the old one has all traffic again; then let it be tried again."""
    say(session, "web", hands.abort("measured"))
    life.pass_time(TEMPO.next_after_write)
    took = life.run(session, lambda _: life.has_all(old)) + TEMPO.next_after_write
    life.run(session, stopped)
    say(session, "web", hands.retry(session.adopted.commit))
    return took


REFRESHES: Final = {
    "instance refresh, all defaults (computed)": Refresh(),
    "instance refresh, warmup 5m (computed)": Refresh(warmup=BY_CONSOLE),
    "instance refresh, checkpoints at 10% and 50% (computed)": Refresh(checkpoints=2),
    "instance refresh, 100% to 110% (computed)": Refresh(least=100, most=110),
}


def computed(sizes: Sequence[int]) -> list[Row]:
    """Return the rows of instance refreshes."""
    return [
        Row(
            name=name,
            instances=n,
            whole=refresh.whole(n, USUAL),
            early=refresh.back(n, USUAL, batches=1),
            late=refresh.back(n, USUAL),
            surge=refresh.surge(n),
            hours=refresh.hours(n, USUAL),
            least=refresh.serving(n),
        )
        for name, refresh in REFRESHES.items()
        for n in sizes
    ]


@contextmanager
def worlds(aws: Emulated) -> Iterator[Product]:
    """Begin anew with the company's world, in which time stands still."""
    aws.control.reset()
    aws.control.seed_company()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield Product(aws=aws, folder=Path(folder))


def measured(ways: Sequence[Way], sizes: Sequence[int], tell: Callable[[str], None]) -> list[Row]:
    """Measure each strategy for each size."""
    rows = []
    with emulator(company=True) as aws:
        for way in ways:
            for size in sizes:
                with worlds(aws) as product:
                    rows.append(measure(way, size, product))
                tell(" ".join(rows[-1].cells()))
    return rows


def render(rows: Sequence[Row]) -> str:
    """Return the table as markdown."""
    lines = ["| " + " | ".join(HEADS) + " |", "| --- |" + " ---: |" * (len(HEADS) - 1)]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print. Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rollouts", description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="instances, comma-separated")
    parser.add_argument("--only", default="", help="strategies whose name contains this")
    options = parser.parse_args(argv)
    sizes = [int(s) for s in options.sizes.split(",")]
    ways = [w for w in WAYS if options.only in w.name]
    print(render([*measured(ways, sizes, lambda text: print(text, file=sys.stderr)), *computed(sizes)]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
