"""One target in the daemon: its passes one after another, and what is remembered between two of them.

Nothing here is needed to go on after a crash: it is what was told already, and who rests for a while.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from time import monotonic
from typing import Final

from reconciler.core.ids import Commit
from reconciler.daemon.audit import Audit
from reconciler.daemon.backoff import Growth, Rest, rest_after, resting
from reconciler.daemon.board import Board
from reconciler.daemon.lines import done, fault
from reconciler.daemon.order import STOPPED, Order, Passes, Turn
from reconciler.plan.model import ActionKind, TargetPlan
from reconciler.report.event import Event
from reconciler.report.events import HistoryAccepted, PassDone, PassFailed, PassRecovered
from reconciler.report.log import during_pass
from reconciler.report.metrics import Metrics
from reconciler.report.outcome import Outcome, step_event
from reconciler.report.story import NOTHING_TOLD, Memory, tell
from reconciler.source.repository import Adopted
from reconciler.spec.desired import DesiredTarget

INTERVALS: Final = 5  # a pass may take as many, and a target is ready while its last is no older


@dataclass(frozen=True, slots=True, kw_only=True)
class Tempo:
    """How often a target is looked at."""

    interval: timedelta
    audit: timedelta
    soon: timedelta = timedelta(seconds=5)  # after a pass that wrote
    most: timedelta = timedelta(minutes=15)  # of any rest after failures

    @property
    def deadline(self) -> timedelta:
        """How long a pass may take."""
        return INTERVALS * self.interval

    @property
    def next_after_write(self) -> timedelta:
        """When to look again after a pass that wrote."""
        return min(self.soon, self.interval)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What every lane works with."""

    passes: Passes
    metrics: Metrics
    emit: Callable[[Event], None]
    chance: Callable[[], float]  # 0 to 1, so that targets do not come back together
    now: Callable[[], float] = monotonic
    board: Board = field(default_factory=Board)  # what each lane tells the others


@dataclass(slots=True, kw_only=True)
class Lane:
    """One target's passes. `run` is called by one thread at a time; the rest may be read by any."""

    target: DesiredTarget
    adopted: Adopted
    tempo: Tempo
    tools: Tools
    left: tuple[Commit, ...] = ()  # heads of rewritten history that are not accepted yet
    running_since: float | None = None
    last: PassDone | None = None
    plan: TargetPlan | None = None  # the last one
    planned: Commit | None = None  # the commit that it is of; set after the plan, so read it first
    last_failure: str = ""
    ended: float | None = None  # when the last pass ended
    complete: float | None = None  # when the last complete pass ended
    failures: int = 0  # of whole passes, in a row
    not_before: float = 0.0
    blocked: tuple[tuple[str, str, str], ...] = ()  # kind, name, why: of the last plan
    _told: Memory = NOTHING_TOLD
    _rests: dict[tuple[str, str], Rest] = field(default_factory=dict)
    _audit: Audit = field(init=False)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._audit = Audit(
            every=max(1.0, self.tempo.audit.total_seconds()), interval=self.tempo.interval.total_seconds()
        )

    def follow(self, adopted: Adopted, target: DesiredTarget, left: tuple[Commit, ...]) -> None:
        """Take another commit up: what failed is tried at once, unless it is AWS that asked for rest."""
        with self._lock:
            moved = target.spec != self.target.spec
            self.adopted, self.target = adopted, target
            self.left = tuple(dict.fromkeys((*self.left, *left)))
            self._rests = {}
            if moved:
                self.not_before = 0.0

    def due_in(self) -> timedelta:
        """Return how long this target still rests after failed passes."""
        return timedelta(seconds=max(0.0, self.not_before - self.tools.now()))

    def run(self) -> timedelta:
        """Make one pass, tell of it, and return when to look again. Raises nothing."""
        with self._lock:
            adopted, target, left = self.adopted, self.target, self.left
            rests = resting(self._rests, self.tools.now())
        began = self.running_since = self.tools.now()
        with during_pass(adopted.commit, target.name):
            order = Order(
                adopted=adopted,
                target=target,
                deadline=self.tempo.deadline,
                resting=rests,
                audited=self._audit.due(
                    [f.name for f in adopted.desired.fleets if f.target == target.name], began
                ),
                left=left,
                waves=self.tools.board.known(began, self.tempo.interval),
                planned=lambda plan: self.tools.board.put(plan, adopted.commit, self.tools.now()),
            )
            try:
                turn = self.tools.passes.look(order, lambda o: self._step(adopted.commit, target.name, o))
            except Exception as error:  # noqa: BLE001  # a fault of one target's pass must not end the others
                turn = Turn(plan=None, failure="fault", why=f"{type(error).__name__}: {error}", left=left)
                self.tools.emit(fault(f"pass:{target.name}", error))
            return self._end(order, turn, self.tools.now() - began)

    def _step(self, commit: str, target: str, outcome: Outcome) -> None:
        self.tools.emit(step_event(commit, target, outcome))

    def _end(self, order: Order, turn: Turn, seconds: float) -> timedelta:
        now, commit, name = self.tools.now(), order.adopted.commit, order.target.name
        stopped = turn.failure == STOPPED
        with self._lock:
            if self.adopted.commit == commit:  # else a newer one came in between: it starts afresh
                growth = Growth(least=self.tempo.next_after_write, most=self.tempo.most)
                chance = self.tools.chance()
                self._rests = rest_after(self._rests, turn.outcomes, now, chance, growth, self.tempo.interval)
            accepted = order.left and not turn.left
            self.left = tuple(c for c in self.left if c not in order.left or c in turn.left)
        if turn.plan is not None:
            self._told, events = tell(
                self._told, commit, turn.plan, turn.outcomes, order.audited | busy(turn.plan)
            )
            for event in events:
                self.tools.emit(event)
            self.plan = turn.plan
            self.planned = commit
            self.blocked = tuple((i.kind, i.name, i.blocked.why) for i in turn.plan.items if i.blocked)
        elif not stopped:
            self.tools.board.lost(name, turn.why)
        if accepted:
            self.tools.emit(HistoryAccepted(commit=commit, target=name))
        next_in = self._judge(order, turn, now, stopped=stopped)
        self._count(turn, name)
        self.last = done(commit, name, turn, seconds, len(order.resting), next_in)
        self.ended = now
        if self.last.result == "done":
            self.complete = now
            self._audit.done(order.audited, now)
        self.running_since = None
        self.tools.emit(self.last)
        return next_in

    def _count(self, turn: Turn, name: str) -> None:
        if turn.plan is None:
            self.tools.metrics.called(name, turn.calls, self.failures)
        else:
            self.tools.metrics.planned(turn.plan, turn.calls, self.failures)

    def _judge(self, order: Order, turn: Turn, now: float, *, stopped: bool) -> timedelta:
        """Return when to look again, and remember whether the whole target rests."""
        commit, name = order.adopted.commit, order.target.name
        if turn.failure and not stopped:
            self.failures, self.last_failure = self.failures + 1, f"{turn.failure}: {turn.why}"
            growth = Growth(least=self.tempo.interval, most=max(self.tempo.most, self.tempo.interval))
            next_in = growth.after(self.failures, self.tools.chance())
            self.not_before = now + next_in.total_seconds()
            self.tools.emit(
                PassFailed(
                    commit=commit,
                    target=name,
                    failure=turn.failure,
                    why=turn.why,
                    failures=self.failures,
                    next_in=next_in,
                )
            )
            return next_in
        if self.failures and not stopped:
            self.tools.emit(PassRecovered(commit=commit, target=name, failures=self.failures))
            self.failures, self.last_failure, self.not_before = 0, "", 0.0
        return next_look(turn, self.tempo)


def next_look(turn: Turn, tempo: Tempo) -> timedelta:
    """Return when a pass that went through is followed by the next one.

    Soon after a write; at the time that something waits for, if that is before the interval is over.
    """
    if any(o.done and not o.already for o in turn.outcomes):
        return tempo.next_after_write
    plan = turn.plan
    times = [i.wait.until - plan.as_of for i in plan.items if i.wait and i.wait.until] if plan else []
    return max(tempo.next_after_write, min([tempo.interval, *times]))


def busy(plan: TargetPlan) -> frozenset[str]:
    """Return the fleets that a pass looks at in full, for something is under way."""
    quiet = (ActionKind.NONE, ActionKind.UNREAD)
    return frozenset(i.name for i in plan.items if i.kind == "Fleet" and i.action not in quiet)
