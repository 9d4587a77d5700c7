"""The life of one fleet: a true world, what is asked of it, and passes that look, plan and write.

Between passes nothing is kept but what AWS keeps: a pass plans on what it reads and on nothing else, so
that a process killed after any write and one that lives on are the same thing.
"""

import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, TypeVar

from hypothesis import currently_in_test_context, note
from hypothesis import strategies as st

from reconciler.core.facts import HAND, IDLE, STAGE
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import TagGroup
from reconciler.kinds.record.after import BatchRefusedError
from reconciler.kinds.record.live import LiveZone
from reconciler.kinds.record.steps import ChangeRecords
from reconciler.kinds.register import Blocked, Step, Wait, World
from reconciler.plan import settle
from reconciler.plan.again import Ground
from reconciler.plan.fleet import Ask, Index, Way, beside, next_move, small, view, way
from reconciler.plan.hands import Facts, NothingFailedError, retry
from reconciler.plan.simulate import do, follow_up, simulate
from reconciler.strategies.hand import Hand, Verb
from reconciler.strategies.slice import Live, fleets_of
from reconciler.strategies.staged import PAUSE
from reconciler.strategies.wanted import Allow, Hold, Wanted
from tests.strategies.facts import Signs
from tests.strategies.invariants import Memory, check_rest, check_write
from tests.strategies.promises import check_gated, check_plan, check_returned
from tests.strategies.shapes import Shape
from tests.strategies.writes import MovedError, RefusedError, moved, written
from tests.worlds import KEEPER, empty_world, sliced

TRIED: Counter[str] = Counter()
FREEZE: Final = Hold(code="freeze", why="peak season")
SUSPENDED: Final = Blocked(code="suspended", why="suspended: incident 42")
MOST_PASSES: Final = 120  # of a fleet with nothing in its way: four births and four ends are under 100
LAG: Final = timedelta(seconds=15)  # how long AWS may answer with what was
STALE: Final = ("groups", "templates", "health")
"""What may be older than a write of ours (AWS-FACTS 2a, 2b, 2d). Route 53 shows its pending values at once."""
SLOW: Final = timedelta(seconds=60)  # that a daemon may be late with what it planned
TWICE: Final = 4  # every so many passes are planned twice, once on a copy that shares nothing
LOOKS_AHEAD: Final = 16  # every so many passes the whole way is planned too: that is most of the time

T = TypeVar("T")


def _another(thing: T) -> T:
    """The same facts, and nothing of the process that held them."""
    same: T = pickle.loads(pickle.dumps(thing))
    return same


def check_kept(world: World, ask: Ask, found: Way) -> None:
    """What is kept from move to move, or left out where nothing asks for it, changes no answer."""
    s = view(world, ask)
    for step in (*found.now, Wait(why="time passes")):
        if ask.want:
            whole = next_move(s, ask, beside(s, ask.want))
            assert next_move(s, ask) == whole, "drift that nobody heals changes the move"
        with suppress(BatchRefusedError):
            world = simulate(world, step, settle.USUAL)
        s = view(world, ask, s)
        assert s == view(world, ask), "a revision was kept that is another one now"


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass saw, and what it means to do."""

    seen: World
    ask: Ask
    way: Way
    done: list[Step] = field(default_factory=list)

    def moved(self, step: Step, truth: World) -> str:
        """What is not as it was planned on, of what is read again before a write."""
        return moved(Ground(fleet=self.ask.fleet, keeper=KEEPER, world=self.seen), step, self.done, truth)

    @property
    def known(self) -> World:
        """What was seen, and what was written since."""
        world = self.seen
        for step in self.done:
            with suppress(BatchRefusedError):
                world = do(world, step)[0]
        return world

    @property
    def steps(self) -> tuple[Step, ...]:
        """All that is written."""
        return (*self.way.now, *self.way.swept)


@dataclass
class Life:
    """One fleet from commit to commit."""

    shape: Shape
    world: World = field(default_factory=empty_world)
    want: Wanted | None = None
    allow: Allow = field(default_factory=Allow)
    suspended: Blocked | None = None
    signs: Signs = field(default_factory=Signs)
    memory: Memory = field(default_factory=Memory)
    past: list[World] = field(default_factory=list)  # what was true a moment ago, the newest last
    passes: int = 0
    slow: tuple[Pass, Iterator[None]] | None = None  # another daemon, in the middle of its writes
    seen: dict[str, World] = field(default_factory=dict)  # what that one knows
    unmarked: bool = False  # it moved traffic, and did not say so yet: nobody can ask for its change

    def __post_init__(self) -> None:
        """Begin with a commit."""
        TRIED["worlds"] += 1
        self.rollout = self.shape.rollout
        self.commit(1)

    def commit(self, n: int | None) -> None:
        """Another commit: at the n-th revision, or without this fleet."""
        self.want = None if n is None else self.shape.want(n, self.rollout)
        self.memory.at = n if n is not None else self.memory.at
        self.memory.newest = max(self.memory.newest, n or 0)

    def look(self, stale: tuple[str, int] | None = None) -> Pass:
        """Look and plan as a pass does. `stale`: that kind of fact is as it was so many writes before."""
        world = self.world
        if stale:
            old = [w for w in self.past[-stale[1] :] if w.as_of >= world.as_of - LAG]
            world = replace(world, **{stale[0]: getattr(old[0], stale[0])}) if old else world
        ask = Ask(
            fleet=self.shape.want(1).fleet,
            want=self.want,
            keeper=KEEPER,
            allow=self.allow,
            suspended=self.suspended,
        )
        cut = small(world, fleets_of(world, KEEPER).get(ask.fleet, ()), self.want, Index.of(world))
        seen = self.signs.seen(cut, self.want, view(cut, ask))
        self.passes += 1
        ahead = self.passes % LOOKS_AHEAD == 0
        found = way(seen, ask, ahead=ahead)
        if self.passes % TWICE == 0:
            assert found == way(*_another((seen, ask)), ahead=ahead), "planned two things"
            check_kept(seen, ask, found)
        return Pass(seen, ask, found)

    def plan(self) -> Way:
        """Plan as the planner does."""
        return self.look().way

    def run(self, how: str = "whole", at: int = 0, stale: tuple[str, int] | None = None) -> Way:
        """Make a pass. `how` says what becomes of write number `at`; after a failure nothing follows."""
        now = self.look(stale)
        self.memory.stale = {stale[0]: now.seen} if stale else {}
        whole = how == "whole" and not stale
        check_plan(now.seen, now.ask, now.way, self.world if whole else None)
        for n, step in enumerate(now.steps):
            if not self._step(now, step, how if n == at else "whole", sure=not stale):
                return now.way
        if not (now.steps or stale or self.suspended):
            check_rest(self.world, self.want, self.memory)
        if whole:
            check_returned(now.seen, now.ask, now.way, self.world)
        return now.way

    def _step(self, now: Pass, step: Step, fate: str, *, sure: bool) -> bool:
        """Do one write and what follows from it. Does the pass go on?"""
        TRIED["moves"] += 1
        if fate == "fails":
            return False
        try:
            change = self._write(now, step, again=sure)
            if fate == "lost reply":
                self.memory.forget()
                return False
            if fate == "twice":
                self._again(step)
            follow = follow_up(step, change, int(now.seen.as_of.timestamp()))
            if follow and fate != "tag lost":
                self._write(now, follow, again=sure)
            elif follow:
                self.memory.forget()
                return False
        except RefusedError:
            assert fate == "twice" or not sure or isinstance(step, ChangeRecords), f"refused: {step}"
            return False
        return fate != "killed"

    def doing(self, now: Pass, *, again: bool) -> Iterator[None]:
        """The writes of a pass, one at a time: another daemon may write in between.

        Not `again`: what that one wrote is so new that no read shows it.
        """
        try:
            for step in now.steps:
                TRIED["moves"] += 1
                change = self._write(now, step, again=again)
                follow = follow_up(step, change, int(now.seen.as_of.timestamp()))
                self.unmarked = follow is not None
                yield
                if follow:
                    self._write(now, follow, again=again)
                    self.unmarked = False
                    yield
        except (RefusedError, MovedError):
            if self.unmarked:
                self.memory.forget()

    def two(self, turns: Iterable[bool]) -> None:
        """Two daemons see the same world, and write by turns what each planned on it."""
        TRIED["passes of two daemons at once"] += 1
        self.memory.stale = {}
        self.memory.crossed = True
        one, other = self.doing(self.look(), again=False), self.doing(self.look(), again=False)
        for turn in turns:
            next(one if turn else other, None)
        for rest in (one, other):
            for _ in rest:
                pass
        self.memory.crossed = False

    def late(self, writes: int) -> None:
        """Another daemon goes on where it was slow, or begins a pass and is slow after so many writes."""
        if self.slow is None:
            TRIED["passes of a slow daemon"] += 1
            now = self.look()
            self.slow, self.seen = (
                (now, self.doing(now, again=True)),
                {"groups": now.seen, "health": now.seen},
            )
        elif self.slow[0].seen.as_of < self.world.as_of - SLOW:
            self.slow = None
            return
        now, rest = self.slow
        self.memory.stale = self.seen
        for _ in range(writes):
            if next(rest, self) is self:
                self.slow = None
                return
            self.seen = self.memory.stale
        if self.unmarked:
            self.memory.forget()

    def _write(self, now: Pass, step: Step, *, again: bool = False) -> str:
        if currently_in_test_context():
            note(f"    {step.op} {step.name} {getattr(step, 'because', '')}")
        if again and (why := now.moved(step, self.world)):
            raise MovedError(why)
        after, change = written(self.world, step)
        check_write(self.world, after, step, change, now.ask.want, self.memory)
        check_gated(now.seen, now.known, now.ask, self.world, after, step)
        now.done.append(step)
        self.memory.wrote(step)
        blind = self.memory.stale or self.memory.crossed
        if blind and isinstance(step, TagGroup) and STAGE in dict(step.put):
            self.memory.forget()  # it may have written over the id of a change that it did not see
        self._goes(after)
        return change

    def _again(self, step: Step) -> None:
        """A retry that lands after the first one did: the writers refuse it, or nothing changes."""
        try:
            again, _ = written(self.world, step)
        except RefusedError:
            return
        same = replace(again, changes=self.world.changes)
        assert same == self.world, f"{step.op} done twice is not as done once"

    def _goes(self, world: World) -> None:
        self.past = [*self.past[-4:], self.world]
        self.world = world

    def wait(self, plan: Way) -> None:
        """Let everything that is under way come to its end, or time pass up to the plan's own answer."""
        self.happened(simulate(self.world, plan.wait or Wait(why="nothing to do"), settle.USUAL))

    def happened(self, world: World) -> None:
        """Take the world as somebody else or time left it."""
        world = self.signs.capped(self.world, world)
        self.memory.look(self.world, world)
        self._goes(world)

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

    def until(self, reached: Callable[["Life"], bool]) -> "Life":
        """Make passes, and let happen what one without a write waits for, until something is so."""
        for _ in range(MOST_PASSES):
            if reached(self):
                return self
            plan = self.run()
            if not plan.now:
                self.wait(plan)
        raise AssertionError(f"never: {self.told()}")

    def told(self) -> list[str]:
        """Each revision in a line, for who reads a failure."""
        groups = self.world.groups
        return [
            f"{g.name} {g.sizes} {len(g.instances)} {dict(g.tags).get(STAGE)} {g.tag(IDLE)}" for g in groups
        ]

    def retry(self) -> None:
        """`reconciler retry`: the tombstones lose their mark, and what is held gets its time anew."""
        revisions = fleets_of(self.world, KEEPER).get(self.shape.want(1).fleet, ())
        commit = self.want.commit if self.want else self.shape.want(1).commit
        facts = Facts(
            fleet=self.shape.want(1).fleet,
            target=KEEPER.target,
            item=None,
            revisions=revisions,
            as_of=self.world.as_of,
            targets=(KEEPER.target,),
        )
        try:
            steps = retry(commit)(facts).steps
        except NothingFailedError:
            return
        for step in steps:
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
