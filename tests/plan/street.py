"""Houses side by side: one fleet in several targets, and passes that know of the others what the daemon would."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reconciler.core.facts import HAND
from reconciler.core.ids import TargetName
from reconciler.daemon.board import Board
from reconciler.kinds.group.steps import CreateGroup
from reconciler.plan.model import Item, TargetPlan
from reconciler.strategies.hand import Hand, Verb
from tests.plan.house import HEAD, House, empty_world, fleet, item
from tests.worlds import NOON

NAMES = ("seoul", "tokyo", "dublin")
REGIONS = ("ap-northeast-2", "ap-northeast-1", "eu-west-1")
INTERVAL = timedelta(minutes=1)


def targets(count: int = 2) -> str:
    """Target documents, the image that is in all of them, and no zone."""
    made = [
        HEAD.format(kind="Target", name=name, more="")
        + f'  {{account: "123456789012", region: {region}, owner: shop}}\n'
        for name, region in zip(NAMES[:count], REGIONS, strict=False)
    ]
    amis = ", ".join(f"{name}: ami-0001" for name in NAMES[:count])
    image = HEAD.format(kind="Image", name="base", more="") + (
        f"  {{targets: [{', '.join(NAMES[:count])}], architecture: arm64, ami: {{{amis}}}}}\n"
    )
    return "---\n".join([*made, image])


def spread(*names: str, generation: str = "1", name: str = "web", more: str = "") -> str:
    """A Fleet in these targets, in this order."""
    return fleet(name, more=more, generation=generation).replace(
        "targets: [prod]", f"targets: [{', '.join(names)}]"
    )


@dataclass
class Street:
    """Some targets of one repository. A pass of one knows the last complete look at each of the others."""

    count: int = 2
    houses: dict[str, House] = field(init=False)
    board: Board = field(default_factory=Board)
    started: list[tuple[str, str]] = field(default_factory=list)  # target and group of each replacement

    def __post_init__(self) -> None:
        self.houses = {
            n: House(
                at=TargetName(n), world=replace(empty_world(), target=TargetName(n), zones=(), as_of=NOON)
            )
            for n in NAMES[: self.count]
        }

    def __getitem__(self, name: str) -> House:
        return self.houses[name]

    @property
    def now(self) -> datetime:
        """The time, which is one for all."""
        return max(h.world.as_of for h in self.houses.values())

    def merge(self, *documents: str) -> "Street":
        """The next commit, for all at once."""
        for house in self.houses.values():
            house.merge(targets(self.count), *documents)
        return self

    def _begin(self, name: str) -> House:
        house = self.houses[name]
        house.waves = self.board.known(self.now.timestamp(), INTERVAL)
        return house

    def plan(self, name: str, *, ahead: bool = False) -> TargetPlan:
        """Look at one target."""
        house = self._begin(name)
        plan = house.plan(ahead=ahead)
        self.board.put(plan, house.head, self.now.timestamp())
        return plan

    def run(self, name: str) -> TargetPlan:
        """One pass of one target."""
        house = self._begin(name)
        served = {g.tag("reconciler:fleet") for g in house.world.groups}
        before = len(house.told)
        plan = house.apply()
        self.board.put(plan, house.head, self.now.timestamp())
        for step in house.told[before:]:
            if isinstance(step, CreateGroup) and dict(step.tags)["reconciler:fleet"] in served:
                self.started.append((name, step.group.name))
        return plan

    def lose(self, name: str, why: str = "AccessDenied") -> None:
        """Nothing of a target is read for longer than a look counts."""
        self.wait(timedelta(minutes=3))
        self.board.lost(name, why)

    def wait(self, span: timedelta = timedelta(minutes=1)) -> None:
        """Let every world settle, and time pass in all alike."""
        for house in self.houses.values():
            house.wait()
        now = self.now + span
        for house in self.houses.values():
            house.world = replace(house.world, as_of=now)

    def converge(self, most: int = 60) -> "Street":
        """Passes of all by turns until nothing is done and nothing is waited for."""
        for _ in range(most):
            plans = [self.run(n) for n in self.houses]
            if not any(i.now or i.wait for p in plans for i in p.items):
                return self
            self.wait(self._next(plans))
        raise AssertionError([(p.target, i.wait, i.blocked) for p in plans for i in p.items])

    def _next(self, plans: list[TargetPlan]) -> timedelta:
        ends = [i.wait.until - self.now for p in plans for i in p.items if i.wait and i.wait.until]
        return max(timedelta(minutes=1), min(ends, default=timedelta(minutes=1)))

    def promote(self, name: str, text: str = "wave") -> None:
        """Say on every group of a target that its fleet goes past its waves."""
        house = self.houses[name]
        said = Hand(verb=Verb.PROMOTE, since=self.now, text=text).value()
        groups = tuple(
            replace(g, tags=tuple(sorted({**dict(g.tags), HAND: said}.items()))) for g in house.world.groups
        )
        house.world = replace(house.world, groups=groups)

    def shifted(self, name: str) -> bool:
        """Is the fleet at its wanted revision there, whatever anybody remembers."""
        return alone(self.houses[name]).shifted


def alone(house: House) -> Item:
    """The fleet's entry in a plan that asks no wave."""
    waves, house.waves = house.waves, None
    found = item(house.plan())
    house.waves = waves
    return found
