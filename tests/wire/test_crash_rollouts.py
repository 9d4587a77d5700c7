"""Rollouts of every strategy, and their ways back, killed after every mutating call and started again.

Each begins with a fleet that serves. At every kill AWS is read past the product: somebody has weight, and
what serves is never less than git asks for. `recreate` alone is exempt, and its plan says so.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from reconciler.plan.standing import Standing
from tests.lives import Lives
from tests.product import Product, assert_in_sync
from tests.wire.company import NEW_AMI, TRAFFIC, base, fleet, zone
from tests.wire.dying import live_and_die
from tests.wire.watch import Watch, assert_one_whole

pytestmark = pytest.mark.wire

GATES = "gates: {alarms: [web-5xx]}, keepOld: 1m"
CANARY = f"strategy: canary, steps: [{{weight: 10, hold: 1m}}, {{pause: true}}, {{weight: 50}}], {GATES}"
ROLLING = f"strategy: rolling, surge: 50%, {GATES}"
RECREATE = "strategy: recreate, keepOld: 1m, readyWithin: 5m"
BLUE_GREEN = f"strategy: blue-green, {GATES}"
ROLLOUTS = {"canary": CANARY, "rolling": ROLLING, "recreate": RECREATE, "blue-green": BLUE_GREEN}


@dataclass(slots=True)
class Scene:
    """A fleet that serves, its watch, and the mother of the lives that die."""

    product: Product
    mother: Lives
    watch: Watch
    rollout: str
    old: str
    kills: int = 0

    def another(self, *, launch: str = "") -> None:
        """Commit a revision: another AMI, or something else of the launch."""
        web = fleet(TRAFFIC[self.watch.kind], rollout=self.rollout, launch=launch)
        self.product.commit({"target.yaml": base(NEW_AMI), "fleets/web.yaml": web})

    def die(self, ends: Standing = Standing.CONVERGED, *, spare: int = 0) -> None:
        """Kill the product after each of its writes, until nothing moves."""
        self.kills += live_and_die(self.mother, self.watch, spare=spare, ends=ends)

    def live_to(self, stage: str) -> str:
        """Let the rollout come to a stage without a kill; return the name of its new group."""
        self.product.converge(self.watch.look, until=lambda _: self.at(stage))
        assert self.at(stage)
        return self.new

    def at(self, stage: str) -> bool:
        """Is the new group at this stage."""
        return any(s == stage for name, s in self.watch.stages().items() if name != self.old)

    @property
    def new(self) -> str:
        """The name of the one group beside the old one."""
        (name,) = set(self.watch.groups()) - {self.old}
        return name

    def alarm(self, state: str) -> None:
        """Put the gate's alarm into a state."""
        self.product.aws.control.knob("alarm", name="web-5xx", state=state)


def scene(product: Product, mother: Lives, strategy: str, kind: str) -> Scene:
    watch = Watch(mother.aws, kind, swaps=strategy == "recreate")
    rollout = ROLLOUTS[strategy]
    product.aws.control.knob("alarm", name="web-5xx", state="OK")
    web = fleet(TRAFFIC[kind], rollout=rollout)
    product.commit({"target.yaml": base(), "zone.yaml": zone(), "fleets/web.yaml": web})
    product.settle(watch.look)
    assert watch.served
    (old,) = watch.groups()
    return Scene(product, mother, watch, rollout, old)


def whole(at: Scene, spare: int = 0) -> None:
    """The rollout comes to its end; a pause on the way is promoted."""
    at.another()
    if at.watch.swaps:
        assert "nothing serves" in at.product.cli("plan").out.casefold()
    if "pause" in at.rollout:
        at.die(Standing.BLOCKED, spare=spare)
        assert at.product.cli("promote", "web").code == 0
    at.die(spare=spare)
    assert at.old not in at.watch.groups()
    assert_one_whole(at.watch)
    assert_in_sync(at.product.plan())


def goes_back(at: Scene, spare: int = 0) -> None:
    """An alarm in the middle: who served before has it all again, and the failure is remembered."""
    at.another()
    new = at.live_to("1")
    at.alarm("ALARM")
    at.die(Standing.BLOCKED, spare=spare)
    assert at.watch.tombstones()[new].startswith("alarm web-5xx is in ALARM")
    assert set(at.watch.groups()) == {at.old}
    assert_one_whole(at.watch, dead=(new,))


def cant_launch(at: Scene, spare: int = 0) -> None:
    """The new revision of a singleton can't launch: the old one starts again."""
    at.product.aws.control.knob("launch-failure", pattern="web-*")
    at.another()
    at.product.converge(at.watch.look, until=lambda _: at.at("0"))
    new = at.new
    at.product.aws.control.knob("launch-failure", pattern="web-*", on=False)
    at.product.aws.control.knob("launch-failure", pattern=new)
    at.die(Standing.BLOCKED, spare=spare)
    assert "not ready in time" in at.watch.tombstones()[new]
    assert len(at.watch.instances(at.old)) == at.watch.least
    assert_one_whole(at.watch, dead=(new,))


def superseded(at: Scene, spare: int = 0) -> None:
    """A newer commit in the middle: the unfinished one ends, and the newest one comes to its end."""
    at.another()
    unfinished = at.live_to("1" if "surge" in at.rollout or "steps" in at.rollout else "0")
    at.another(launch='generation: "2"')
    if "pause" in at.rollout:
        at.die(Standing.BLOCKED, spare=spare)
        assert at.product.cli("promote", "web").code == 0
    at.die(spare=spare)
    assert not {at.old, unfinished} & set(at.watch.groups())
    assert_one_whole(at.watch)
    assert_in_sync(at.product.plan())


def aborted_at_the_end(at: Scene, spare: int = 0) -> None:
    """All traffic has moved, and somebody says abort: who is kept has it again."""
    at.another()
    new = at.live_to("full")
    assert at.product.cli("abort", "web", "--reason", "slow").code == 0
    at.die(Standing.BLOCKED, spare=spare)
    assert at.watch.tombstones() == {new: "aborted: slow"}
    assert_one_whole(at.watch, dead=(new,))


Story = Callable[[Scene, int], None]
STORIES: list[tuple[str, str, Story]] = [
    *(
        ("canary", kind, story)
        for kind in ("balancer", "listener")
        for story in (whole, goes_back, superseded)
    ),
    *(("rolling", kind, story) for kind in ("attach", "none") for story in (whole, goes_back, superseded)),
    *(("recreate", kind, whole) for kind in TRAFFIC),
    *(("recreate", kind, cant_launch) for kind in TRAFFIC),
    ("recreate", "none", superseded),
    *(("blue-green", kind, aborted_at_the_end) for kind in TRAFFIC),
    ("blue-green", "listener", superseded),
    ("rolling", "none", aborted_at_the_end),
]
FEW: list[tuple[str, str, Story, int]] = [
    ("canary", "listener", goes_back, 0),
    ("rolling", "none", whole, 1),
    ("recreate", "none", whole, 0),
]


def _name(value: object) -> str:
    return getattr(value, "__name__", str(value)).replace("_", " ")


@pytest.mark.crash
@pytest.mark.parametrize(("strategy", "kind", "story"), STORIES, ids=_name)
def test_killed_after_every_write_a_rollout_ends_as_it_would_without(
    product: Product, born: Lives, strategy: str, kind: str, story: Story
) -> None:
    at = scene(product, born, strategy, kind)
    story(at, 0)
    assert at.kills >= 4


@pytest.mark.parametrize(("strategy", "kind", "story", "spare"), FEW, ids=_name)
def test_killed_every_now_and_then_a_rollout_ends_as_it_would_without(
    product: Product, born: Lives, strategy: str, kind: str, story: Story, spare: int
) -> None:
    at = scene(product, born, strategy, kind)
    story(at, spare)
    assert at.kills >= 3
