"""The daemon: polls the repository, and passes over every target by its own schedule.

APScheduler is the only clock. Each target has a thread of its own, so that a stuck one holds nobody
up; a job never runs twice at a time, and what was missed is made up for once.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Condition
from typing import Any, Final

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from reconciler.core.ids import Commit
from reconciler.daemon.follow import UNKNOWN, Follower, Standing
from reconciler.daemon.lane import Lane, Tempo, Tools
from reconciler.daemon.lines import fault
from reconciler.daemon.observe import host_time
from reconciler.daemon.pull_job import PullJob
from reconciler.report.events import (
    PassStuck,
    PollFailed,
    PollRecovered,
    TargetReleased,
    TargetScheduled,
    ZoneReleased,
)
from reconciler.source.git import SourceError
from reconciler.source.repository import Adopted
from reconciler.spec.desired import DesiredTarget

POLL: Final = "poll"
PULLS: Final = "pulls"
SPARE: Final = 4  # threads beside those of the targets: the poll, and whatever else is put on the clock
LATE: Final = (
    60.0  # seconds past its deadline after which a pass is stuck: the call in flight is over by then
)
POLL_GRACE: Final = (
    2.0  # seconds that a look at the repository gets at the end: it writes nothing that counts
)
FETCH: Final = 700.0  # seconds after which a look at the repository is stuck: a first fetch may take 600


@dataclass(slots=True, kw_only=True)
class Daemon:
    """Follows a repository and reconciles its targets until it is stopped."""

    follower: Follower
    tempo: Tempo
    poll: timedelta
    tools: Tools
    only: tuple[str, ...] = ()  # targets; empty: all
    pulls: PullJob | None = None
    pulls_every: timedelta = timedelta(seconds=30)
    standing: Standing = UNKNOWN
    lanes: dict[str, Lane] = field(default_factory=dict)  # replaced, never changed: any thread may read it
    poll_failure: str = ""
    _poll_failures: int = 0
    _polling_since: float | None = None
    _stuck: dict[str, float] = field(default_factory=dict)  # when the pass began that was told as stuck
    _busy: dict[str, bool] = field(default_factory=dict)  # running passes; True: asked for another one
    _next: dict[str, timedelta] = field(default_factory=dict)
    _idle: Condition = field(default_factory=Condition)
    _stopping: bool = False
    _scheduler: Any = None

    def start(self) -> None:
        """Start the schedule: the first look at the repository is at once."""
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(SPARE)},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(self._ended, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
        seconds = self.poll.total_seconds()
        self._scheduler.add_job(
            self._poll,
            IntervalTrigger(seconds=seconds, jitter=seconds / 10),
            id=POLL,
            next_run_time=host_time(),
        )
        if self.pulls is not None:
            every = self.pulls_every.total_seconds()
            trigger = IntervalTrigger(seconds=every, jitter=every / 10)
            self._scheduler.add_job(self._tend_pulls, trigger, id=PULLS, next_run_time=host_time())
        self._scheduler.start()

    def wake_polls(self) -> None:
        """Look at the repository and the pull requests now: somebody says that there is news."""
        for job in (POLL, PULLS):
            try:
                self._scheduler.modify_job(job, next_run_time=host_time())
            except JobLookupError:
                continue

    def _tend_pulls(self) -> None:
        adopted = self.standing.adopted
        if self.pulls is None or adopted is None or self._stopping:
            return
        of_it = frozenset(name for name, lane in self.lanes.items() if lane.planned == adopted.commit)
        plans = {name: lane.plan for name, lane in self.lanes.items() if lane.plan is not None}
        try:
            self.pulls.look(adopted, plans, of_it)
        except Exception as error:  # noqa: BLE001  # a fault here must not end the schedule
            self.tools.emit(fault(PULLS, error))

    def stop(self, grace: timedelta) -> bool:
        """Begin nothing more, and wait for the calls in flight. Return whether all of them ended."""
        self._stopping = True
        self._scheduler.pause()
        self.tools.passes.stop()
        with self._idle:
            clean = self._idle.wait_for(lambda: not self._busy, grace.total_seconds())
            clean &= self._idle.wait_for(lambda: self._polling_since is None, POLL_GRACE)
        self._scheduler.shutdown(wait=False)
        return clean

    @property
    def alive(self) -> bool:
        """Does the schedule run."""
        thread = getattr(self._scheduler, "_thread", None)
        return not self._stopping and thread is not None and thread.is_alive()

    def stuck(self) -> dict[str, float]:
        """Return what runs too long, by name, with its seconds."""
        now, late = self.tools.now(), self.tempo.deadline.total_seconds() + LATE
        running = {name: now - lane.running_since for name, lane in self.lanes.items() if lane.running_since}
        found = {f"target {name}": seconds for name, seconds in running.items() if seconds > late}
        if self._polling_since is not None and now - self._polling_since > FETCH:
            found["repository"] = now - self._polling_since
        return found

    # -- the repository ------------------------------------------------------------------------

    def _poll(self) -> None:
        """Look at the repository, and take up what changed there."""
        self._tell_stuck()
        self._polling_since = self.tools.now()
        try:
            before = self.standing
            self.standing, events = self.follower.look(before)
        except SourceError as error:
            self._poll_ended(str(error))
        except Exception as error:  # noqa: BLE001  # a fault in one poll must not end all that follow
            self._poll_ended(f"{type(error).__name__}: {error}")
            self.tools.emit(fault(POLL, error))
        else:
            self._poll_ended("")
            for event in events:
                self.tools.emit(event)
            adopted = self.standing.adopted
            if adopted is not None and adopted is not before.adopted:
                new = tuple(c for c in self.standing.left if c not in before.left)
                self._take_up(before.adopted, adopted, new)
        finally:
            with self._idle:
                self._polling_since = None
                self._idle.notify_all()

    def _poll_ended(self, why: str) -> None:
        self.tools.metrics.polled(well=not why)
        if why and why != self.poll_failure:
            self.tools.emit(PollFailed(why=why))
        if not why and self._poll_failures:
            self.tools.emit(PollRecovered(failures=self._poll_failures))
        self.poll_failure = why
        self._poll_failures = self._poll_failures + 1 if why else 0

    def _tell_stuck(self) -> None:
        for name, lane in self.lanes.items():
            since = lane.running_since
            late = self.tempo.deadline.total_seconds() + LATE
            if since is None or self.tools.now() - since <= late or self._stuck.get(name) == since:
                continue
            self._stuck[name] = since
            seconds = self.tools.now() - since
            self.tools.emit(PassStuck(commit=lane.adopted.commit, target=name, seconds=seconds))

    def _take_up(self, before: Adopted | None, adopted: Adopted, left: tuple[Commit, ...]) -> None:
        """Give every target its new commit at once; release those that are gone, schedule those that came."""
        targets = {t.name: t for t in adopted.desired.targets if not self.only or t.name in self.only}
        for event in zones_released(before, adopted):
            self.tools.emit(event)
        for name in [n for n in self.lanes if n not in targets]:
            self._release(name, adopted)
        for name, target in targets.items():
            if name in self.lanes:
                self.lanes[name].follow(adopted, target, left)
                self.wake(name)
            else:
                self._schedule(adopted, target)

    def _schedule(self, adopted: Adopted, target: DesiredTarget) -> None:
        lane = Lane(
            target=target, adopted=adopted, tempo=self.tempo, tools=self.tools, left=self.standing.left
        )
        self.lanes = {**self.lanes, target.name: lane}
        job = _job(target.name)
        if job not in self._scheduler._executors:  # noqa: SLF001  # one thread for each target, for good
            self._scheduler.add_executor(ThreadPoolExecutor(1), alias=job)
        spec = target.spec
        self.tools.emit(
            TargetScheduled(
                commit=adopted.commit, target=target.name, account=spec.account, region=spec.region
            )
        )
        self._scheduler.add_job(
            self._pass,
            IntervalTrigger(seconds=self.tempo.interval.total_seconds()),
            args=(target.name,),
            id=job,
            executor=job,
            next_run_time=host_time(),
        )
        with self._idle:  # it was released and came back while its last pass still runs
            if target.name in self._busy:
                self._busy[target.name] = True

    def _release(self, name: str, adopted: Adopted) -> None:
        self.lanes = {n: lane for n, lane in self.lanes.items() if n != name}
        self._scheduler.remove_job(_job(name))
        self.tools.emit(TargetReleased(commit=adopted.commit, target=name))
        with self._idle:
            running = name in self._busy
        if not running:
            self.tools.passes.release(name)

    # -- passes --------------------------------------------------------------------------------

    def wake(self, name: str) -> None:
        """Have a target looked at now; at once after the pass that runs, if one does."""
        with self._idle:
            if name in self._busy:
                self._busy[name] = True
                return
        self._look_in(name, timedelta())

    def _pass(self, name: str) -> None:
        lane = self.lanes.get(name)
        with self._idle:
            if lane is None or self._stopping:
                return
            self._busy[name] = False
        rest = lane.due_in()
        self._next[name] = rest or lane.run()

    def _ended(self, event: JobExecutionEvent) -> None:
        """Say when to look again. Called once the scheduler knows that the job is over."""
        name = event.job_id.removeprefix(_job(""))
        if name == event.job_id:
            return
        with self._idle:
            again = self._busy.pop(name, False)
            self._idle.notify_all()
        if name not in self.lanes:
            self.tools.passes.release(name)
        elif not self._stopping:
            self._look_in(name, timedelta() if again else self._next.get(name, self.tempo.interval))

    def _look_in(self, name: str, span: timedelta) -> None:
        try:
            self._scheduler.modify_job(_job(name), next_run_time=_in(span))
        except JobLookupError:
            return  # released in between


def zones_released(before: Adopted | None, now: Adopted) -> tuple[ZoneReleased, ...]:
    """Return what is to be told of zones that left git; after a restart, since the first parent."""
    old = before.desired if before else now.parent
    gone = [z for z in old.zones if now.desired.zone(z.name) is None] if old else []
    return tuple(ZoneReleased(commit=now.commit, zone=z.name, domain=z.spec.domain) for z in gone)


def _job(target: str) -> str:
    return f"pass:{target}"


def _in(span: timedelta) -> datetime:
    return host_time() + span
