"""The life of one fleet: a true world, what is asked of it, and passes that look, plan and write.

Between passes nothing is kept but what AWS keeps: each pass plans on a copy of what it reads, so that
a process killed after any write and one that lives on are the same thing.
"""

import pickle
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, TypeVar

from hypothesis import currently_in_test_context, note
from hypothesis import strategies as st

from reconciler.core.facts import FAILED, HAND, IDLE, STAGE
from reconciler.core.ids import ResourceName
from reconciler.kinds.balancer.steps import CreateRule, DeleteTargetGroup, SetRule
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import CreateGroup, DeleteGroup, GroupStep, SetSizes, TagGroup
from reconciler.kinds.group.want import Schedule, Sizes
from reconciler.kinds.record.after import BatchRefusedError
from reconciler.kinds.record.live import LiveZone
from reconciler.kinds.record.steps import ChangeRecords
from reconciler.kinds.register import Step, Wait, World
from reconciler.kinds.template.steps import TagTemplate
from reconciler.plan import settle
from reconciler.plan.fleet import Ask, Index, Way, small, way
from reconciler.plan.simulate import do, follow_up, simulate
from reconciler.strategies.hand import Hand, Verb
from reconciler.strategies.slice import NOTHING, Live, fleets_of
from reconciler.strategies.staged import PAUSE
from reconciler.strategies.wanted import Allow, Hold, Rollout, TrafficKind, Wanted
from tests.strategies.invariants import Memory, check_rest, check_write
from tests.worlds import BLUE_GREEN, KEEPER, empty_world, sliced, wanted

TRIED: Counter[str] = Counter()
FREEZE: Final = Hold(code="freeze", why="peak season")
MOST_PASSES: Final = 120  # of a fleet with nothing in its way: four births and four ends are under 100
NIGHT: Final = (Schedule(name="night", cron="0 22 * * *", timezone="UTC", min=1, max=4),)


SIZES: Final = Sizes(min=2, max=6, desired=3)

T = TypeVar("T")


def _another(thing: T) -> T:
    """The same facts, and nothing of the process that held them."""
    same: T = pickle.loads(pickle.dumps(thing))
    return same


class RefusedError(Exception):
    """AWS refuses this write, or the writer finds another world than the plan rested on."""


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

    def want(self, n: int) -> Wanted:
        """The fleet at its n-th revision."""
        return wanted(
            n,
            self.kind,
            sizes=self.sizes,
            keep_old=timedelta(minutes=self.keep),
            dualstack=self.twofold,
            classic=("old-elb",) if self.twofold else (),
            schedules=NIGHT if self.scheduled else (),
            heal=self.heal,
            rollout=self.rollout,
        )


def written(world: World, step: Step) -> tuple[World, str]:
    """Do a write as the real writers and AWS do it. Return the world and the change id.

    Raises: RefusedError where nothing was written.
    """
    groups = {g.name: g for g in world.groups}
    there = groups.get(ResourceName(str(step.name)))
    match step:
        case CreateGroup():
            if (there and there.deleting) or step.name not in {t.name for t in world.templates}:
                raise RefusedError("the name is taken, or there is no template")
        case SetSizes():
            if there is None or there.deleting or there.sizes not in (step.expect, step.sizes):
                raise RefusedError("the sizes are not what was planned on")
        case DeleteGroup():
            if there and not there.deleting and (there.instances or there.sizes != NOTHING):
                raise RefusedError("it still has instances")
        case _ if isinstance(step, GroupStep):
            if there is None or there.deleting:
                raise RefusedError("there is no such group")
        case SetRule():
            have = {r.arn: tuple(sorted(r.weights)) for r in world.rules}.get(step.arn)
            if have not in (tuple(sorted(step.expect)), tuple(sorted(step.weights))):
                raise RefusedError("the weights are not what was planned on")
        case CreateRule():
            if any(r.listener == step.rule.listener for r in world.rules):
                return world, ""
        case DeleteTargetGroup():
            used = {a for r in world.rules for a, _ in r.weights}
            used |= {a for b in world.balancers for x in b.listeners or () for a in x.forwards}
            if step.arn in used:
                raise RefusedError("the target group is in use")
        case _:
            pass
    try:
        return do(world, step)
    except BatchRefusedError as error:
        raise RefusedError(str(error)) from error


@dataclass
class Life:
    """One fleet from commit to commit."""

    shape: Shape
    world: World = field(default_factory=empty_world)
    want: Wanted | None = None
    allow: Allow = field(default_factory=Allow)
    memory: Memory = field(default_factory=Memory)

    def __post_init__(self) -> None:
        """Begin with a commit."""
        TRIED["worlds"] += 1
        self.commit(1)

    def commit(self, n: int | None) -> None:
        """Another commit: at the n-th revision, or without this fleet."""
        self.want = None if n is None else self.shape.want(n)
        self.memory.at = n if n is not None else self.memory.at
        self.memory.newest = max(self.memory.newest, n or 0)

    def plan(self) -> Way:
        """Plan as the planner does; twice, for the same world gives the same plan."""
        world = _another(self.world)
        ask = Ask(fleet=self.shape.want(1).fleet, want=self.want, keeper=KEEPER, allow=self.allow)
        cut = small(world, fleets_of(world, KEEPER).get(ask.fleet, ()), self.want, Index.of(world))
        found = way(cut, ask)
        assert found == way(*_another((cut, ask))), "planned two things"
        return found

    def run(self, how: str = "whole", at: int = 0) -> Way:
        """Make a pass. `how` says what becomes of write number `at`; after a failure nothing follows."""
        plan = self.plan()
        epoch = int(self.world.as_of.timestamp())
        for n, step in enumerate(plan.now):
            TRIED["moves"] += 1
            fate = how if n == at else "whole"
            if fate == "fails":
                return plan
            try:
                change = self._write(step)
                if fate == "lost reply":
                    self.memory.forget()
                    return plan
                if fate == "twice":
                    self._again(step)
                follow = follow_up(step, change, epoch)
                if follow and fate != "tag lost":
                    self._write(follow)
                elif follow:
                    self.memory.forget()
                    return plan
            except RefusedError:
                assert fate == "twice" or isinstance(step, ChangeRecords), f"refused: {step}"
                return plan
            if fate == "killed":
                return plan
        if not plan.now:
            check_rest(self.world, self.want, self.memory)
        return plan

    def _write(self, step: Step) -> str:
        if currently_in_test_context():
            note(f"    {step.op} {step.name} {getattr(step, 'because', '')}")
        after, change = written(self.world, step)
        check_write(self.world, after, step, change, self.want, self.memory)
        self.world = after
        return change

    def _again(self, step: Step) -> None:
        """A retry that lands after the first one did: the writers refuse it, or nothing changes."""
        try:
            again, _ = written(self.world, step)
        except RefusedError:
            return
        same = replace(again, changes=self.world.changes)
        assert same == self.world, f"{step.op} done twice is not as done once"

    def wait(self, plan: Way) -> None:
        """Let everything that is under way come to its end, or time pass up to the plan's own answer."""
        self.happened(simulate(self.world, plan.wait or Wait(why="nothing to do"), settle.USUAL))

    def happened(self, world: World) -> None:
        """Take the world as somebody else or time left it."""
        self.memory.look(self.world, world)
        self.world = world

    def calm(self) -> Way:
        """Make passes until nothing moves and nothing is waited for."""
        for _ in range(MOST_PASSES):
            before, plan = self.world, self.run()
            if not plan.now and plan.blocked and plan.blocked.code == PAUSE:
                self.say(Verb.PROMOTE)
                continue
            if not plan.now and plan.wait is None:
                return plan
            self.wait(plan)
            assert self.world != before, f"stuck at {plan.wait}: {self.told()}"
        raise AssertionError(f"did not converge: {plan.wait}, {[s.op for s in plan.now]}")

    def told(self) -> list[str]:
        """Each revision in a line, for who reads a failure."""
        groups = self.world.groups
        return [
            f"{g.name} {g.sizes} {len(g.instances)} {dict(g.tags).get(STAGE)} {g.tag(IDLE)}" for g in groups
        ]

    def retry(self) -> None:
        """`reconciler retry`: the tombstones lose their mark."""
        for dead in (t for t in self.world.templates if t.failed):
            step = TagTemplate(name=dead.name, id=dead.id, drop=(FAILED,), because="`retry` was said")
            self.happened(do(self.world, step)[0])
        self.memory.failed.clear()

    def say(self, verb: Verb) -> bool:
        """A person says a word of the newest revision that works: what `promote` and its like write."""
        live = self.newest()
        if live is None:
            return False
        text = str(live.stage.step) if verb is Verb.PROMOTE and live.stage else "why"
        hand = Hand(verb=verb, since=self.world.as_of, text=text).value()
        step = TagGroup(name=live.name, put=((HAND, hand),), because="somebody said so")
        self.happened(do(self.world, step)[0])
        return True

    def newest(self) -> Live | None:
        """The wanted revision, if it has a group that works."""
        if self.want is None:
            return None
        live = sliced(self.world, self.want).live(self.want.revision)
        return live if live and live.up else None

    def one(self, draw: st.DataObject) -> LiveGroup:
        """Any group there is."""
        name = draw.draw(st.sampled_from([g.name for g in self.world.groups]))
        return next(g for g in self.world.groups if g.name == name)

    def zone(self) -> LiveZone:
        """The one zone."""
        return next(z for z in self.world.zones if isinstance(z, LiveZone))
