"""What the figures are held against. Pure: measurements in, figures with their bounds out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final, Literal, TypeAlias

from benchmarks.documents import AUDITED
from benchmarks.floor import Things, floor

OVER_FLOOR: Final = 3  # calls of a pass
PAIRED_FROM: Final = 100  # fleets: below, what a pass costs beside its reads counts for too much
CPU, WALL = 2.0, 1.5  # times the bare reader's
CLI: Final = 1.0  # seconds of CPU beside the reader's
PLAN_IN_SYNC, PLAN_ALL_CHANGE = 0.25, 2.0  # seconds at 500
MEMORY: Final = 250.0  # MB
GROWTH, CPU_GROWTH = 5.5, 7.0  # times, from 100 to 500 fleets
Kind: TypeAlias = Literal["wall", "cpu"]
IMMUTABLE: Final = "ec2:DescribeLaunchTemplateVersions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a piece of work took, in seconds."""

    wall: float
    cpu: float

    def of(self, kind: Kind) -> float:
        """Return one of the two."""
        return self.wall if kind == "wall" else self.cpu


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A piece of work, and the bare reader beside it: what slows the machine slows both."""

    product: Cost
    reader: Cost

    def as_json(self) -> dict[str, Any]:
        """Return the costs by name."""
        return asdict(self)

    @staticmethod
    def of(found: Mapping[str, Any]) -> "Pair":
        """Return what `as_json` told."""
        return Pair(product=Cost(**found["product"]), reader=Cost(**found["reader"]))


def times(pairs: Sequence[Pair], kind: Kind) -> float:
    """Return how many times the reader's `wall` or `cpu` the product takes: the median of all pairs."""
    return median(p.product.of(kind) / p.reader.of(kind) for p in pairs)


def beyond(pairs: Sequence[Pair], kind: Kind) -> float:
    """Return the seconds of `wall` or `cpu` that are taken beside the reader's: the pairs' median."""
    return median(p.product.of(kind) - p.reader.of(kind) for p in pairs)


def typical(costs: Iterable[Cost], kind: Kind) -> float:
    """Return the median seconds of `wall` or `cpu`."""
    return median(c.of(kind) for c in costs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured of one world."""

    fleets: int
    things: Things
    cold: Counter[str]  # calls by operation
    warm: Counter[str]
    audit: Counter[str]  # a pass in which some fleets are looked at in full
    pairs: Mapping[int, tuple[Pair, ...]]  # warm passes, by milliseconds of latency
    plans: Mapping[str, float]  # seconds of CPU
    memory: float  # MB, the peak of the process that makes passes
    cli: tuple[Pair, ...]  # `reconciler plan` and the reader, each a process
    cli_memory: float  # MB, its peak
    heavy: Mapping[str, tuple[str, ...]]  # modules that a one-shot command should not import, by command
    writes: tuple[str, ...]  # calls that write

    def over_floor(self, *, cold: bool) -> int:
        """Return how many calls a pass makes beyond the least."""
        return (self.cold if cold else self.warm).total() - sum(floor(self.things, cold=cold).values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number and the most that it may be; None: it is only told."""

    what: str
    value: float
    most: float | None
    unit: str = ""

    @property
    def over(self) -> bool:
        """Is it more than it may be."""
        return self.most is not None and self.value > self.most


def figures(worlds: Sequence[Measured]) -> list[Figure]:
    """Return every figure of every world, in order, with its bound."""
    found = [f for w in worlds for f in _of_world(w)]
    by_size = {w.fleets: w for w in worlds}
    if 100 in by_size and 500 in by_size:
        found += _growth(by_size[100], by_size[500])
    return found


def _of_world(w: Measured) -> Iterator[Figure]:
    n = f"{w.fleets} fleets"
    yield from _calls(w, n)
    yield from _seconds(w, n)
    yield Figure(what=f"{n}: peak memory of passes", value=w.memory, most=MEMORY, unit="MB")
    yield Figure(what=f"{n}: peak memory of `plan`", value=w.cli_memory, most=MEMORY, unit="MB")
    for command, modules in w.heavy.items():
        yield Figure(
            what=f"{n}: web, scheduler and metrics modules that `{command}` imports",
            value=len(modules),
            most=0,
        )


def _calls(w: Measured, n: str) -> Iterator[Figure]:
    yield Figure(
        what=f"{n}: calls of a cold pass over the floor", value=w.over_floor(cold=True), most=OVER_FLOOR
    )
    yield Figure(
        what=f"{n}: calls of a warm pass over the floor", value=w.over_floor(cold=False), most=OVER_FLOOR
    )
    yield Figure(what=f"{n}: immutable things that a warm pass reads again", value=w.warm[IMMUTABLE], most=0)
    yield Figure(
        what=f"{n}: calls that {AUDITED} fleets add, looked at in full by turns",
        value=w.audit.total() - w.warm.total(),
        most=None,
    )
    yield Figure(what=f"{n}: calls that write", value=len(w.writes), most=0)


def _seconds(w: Measured, n: str) -> Iterator[Figure]:
    paired = w.fleets >= PAIRED_FROM
    for latency, pairs in w.pairs.items():
        about = f"{n}: warm pass at {latency} ms"
        yield Figure(
            what=f"{about}, CPU", value=times(pairs, "cpu"), most=CPU if paired else None, unit="x reader"
        )
        yield Figure(
            what=f"{about}, wall", value=times(pairs, "wall"), most=WALL if paired else None, unit="x reader"
        )
    yield Figure(
        what=f"{n}: `plan` as a process, CPU over the reader's",
        value=beyond(w.cli, "cpu"),
        most=CLI,
        unit="s",
    )
    large = w.fleets <= 500
    yield Figure(
        what=f"{n}: plan alone, in sync, as each pass plans",
        value=w.plans["in sync"],
        most=PLAN_IN_SYNC if large else None,
        unit="s",
    )
    yield Figure(
        what=f"{n}: plan alone, in sync, a commit's first", value=w.plans["first"], most=None, unit="s"
    )
    yield Figure(
        what=f"{n}: plan alone, one image changes all",
        value=w.plans["all change"],
        most=PLAN_ALL_CHANGE if large else None,
        unit="s",
    )


def _cpu(world: Measured) -> float:
    """Return the seconds of CPU of a warm pass; the network costs none of it."""
    return typical((p.product for p in world.pairs[0]), "cpu")


def _growth(small: Measured, large: Measured) -> Iterator[Figure]:
    rows: list[tuple[str, float, float, float]] = [
        ("calls of a cold pass", small.cold.total(), large.cold.total(), GROWTH),
        ("calls of a warm pass", small.warm.total(), large.warm.total(), GROWTH),
        ("peak memory of passes", small.memory, large.memory, GROWTH),
        ("CPU of a warm pass", _cpu(small), _cpu(large), CPU_GROWTH),
    ]
    for what, before, after, most in rows:
        yield Figure(
            what=f"{small.fleets} to {large.fleets} fleets: {what}", value=after / before, most=most, unit="x"
        )
