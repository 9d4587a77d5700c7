"""Passes that need no AWS: each one is asked for, held as long as a test likes, and answered as told."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from queue import Queue
from threading import Event as Flag
from threading import Lock

from reconciler.core.ids import TargetName
from reconciler.daemon.follow import Follower
from reconciler.daemon.lane import Tempo, Tools
from reconciler.daemon.loop import Daemon
from reconciler.daemon.order import Order, Turn
from reconciler.plan.model import TargetPlan
from reconciler.report.event import Event
from reconciler.report.metrics import Metrics
from reconciler.report.outcome import Outcome
from reconciler.source.git import Repository
from reconciler.source.repository import Library
from tests.worlds import NOON

PATIENCE = 30  # seconds that a test waits for what must come; nothing ever takes as long


def nothing_to_do(order: Order) -> Turn:
    """Return a complete pass over a target that is in sync."""
    plan = TargetPlan(
        target=TargetName(order.target.name), as_of=NOON, digest="d", complete=True, items=(), drift=()
    )
    return Turn(plan=plan, left=order.left, calls={"ec2:DescribeImages": 1})


@dataclass(slots=True)
class Script:
    """Passes by script."""

    answer: dict[str, Callable[[Order], Turn]] = field(default_factory=dict)  # by target
    held: dict[str, Flag] = field(default_factory=dict)  # a target's pass waits for its flag
    asked: dict[str, "Queue[Order]"] = field(default_factory=lambda: defaultdict(Queue))
    released: "Queue[str]" = field(default_factory=Queue)
    stopped: Flag = field(default_factory=Flag)
    most: int = 0  # passes of one target at a time
    _running: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _lock: Lock = field(default_factory=Lock)

    def look(self, order: Order, tell: Callable[[Outcome], None]) -> Turn:
        """See `Passes.look`."""
        name = order.target.name
        with self._lock:
            self._running[name] += 1
            self.most = max(self.most, self._running[name])
        self.asked[name].put(order)
        if name in self.held:
            assert self.held[name].wait(PATIENCE)
        with self._lock:
            self._running[name] -= 1
        turn = self.answer.get(name, nothing_to_do)(order)
        for outcome in turn.outcomes:
            tell(outcome)
        return turn

    def release(self, target: str) -> None:
        """See `Passes.release`."""
        self.released.put(target)

    def stop(self) -> None:
        """See `Passes.stop`."""
        self.stopped.set()

    def next(self, name: str) -> Order:
        """Wait for a target's next pass; return what it was asked for."""
        return self.asked[name].get(timeout=PATIENCE)


@dataclass(slots=True)
class Ear:
    """Hears every event."""

    events: "Queue[Event]" = field(default_factory=Queue)
    heard: list[Event] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Take an event."""
        self.events.put(event)

    def wait_for(self, name: str, **values: object) -> Event:
        """Wait for an event of this name and these values; return it."""
        while True:
            event = self.events.get(timeout=PATIENCE)
            self.heard.append(event)
            if event.event == name and all(getattr(event, k) == v for k, v in values.items()):
                return event


def daemon_of(
    repository: Path,
    script: Script,
    ear: Ear,
    *,
    poll: float = 0.05,
    interval: float = 3600,
    soon: float = 0.01,
    only: tuple[str, ...] = (),
) -> Daemon:
    """Return a daemon over a repository and scripted passes."""
    library = Library(Repository(str(repository), repository.parent / "mirror"))
    tools = Tools(passes=script, metrics=Metrics(), emit=ear, chance=lambda: 0.5)
    tempo = Tempo(
        interval=timedelta(seconds=interval), audit=timedelta(hours=1), soon=timedelta(seconds=soon)
    )
    return Daemon(
        follower=Follower(library=library, ref=None),
        tempo=tempo,
        poll=timedelta(seconds=poll),
        tools=tools,
        only=only,
    )


def failing(failure: str) -> Callable[[Order], Turn]:
    """Return an answer that ends the target's pass."""
    return lambda order: replace(nothing_to_do(order), plan=None, failure=failure, why="said so")
