"""The daemon put together: settings, repository, AWS, log, HTTP; runs until a signal ends it."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from random import SystemRandom
from threading import Event as Flag
from time import monotonic
from typing import Final

from reconciler.daemon.answers import Answers
from reconciler.daemon.desk import Desk
from reconciler.daemon.follow import Follower
from reconciler.daemon.hooks import hooks
from reconciler.daemon.lane import Tempo, Tools
from reconciler.daemon.loop import Daemon
from reconciler.daemon.observe import host_time
from reconciler.daemon.passing import AwsPasses
from reconciler.daemon.pull_commands import Commands
from reconciler.daemon.pull_endings import Endings
from reconciler.daemon.pull_hands import PullHands
from reconciler.daemon.pull_job import PullJob
from reconciler.daemon.pull_notes import Notes
from reconciler.daemon.pull_plans import PullPlans
from reconciler.daemon.pull_rests import Rests
from reconciler.daemon.serve import application, serve
from reconciler.daemon.session import open_library, redactor_of
from reconciler.daemon.settings import Settings
from reconciler.gateway.gate import program_version
from reconciler.hosts.access import Access, open_host
from reconciler.plan.explain import explain_item
from reconciler.report.event import Event, emit
from reconciler.report.events import DaemonStarted, DaemonStopped
from reconciler.report.log import Redaction, configure
from reconciler.report.metrics import Metrics
from reconciler.report.recent import Recent
from reconciler.source.repository import Library

GRACE: Final = timedelta(seconds=25)  # a call in flight: 3 s to connect, 20 s to read
SECRETS: Final = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN")
SHORTEST_KEY: Final = 16  # characters: AWS's are 40; what stands in for them against an emulator is a word


def run(settings: Settings) -> int:
    """Follow the repository and reconcile its targets until a signal ends it. Return the exit code.

    Raises: SourceError and ListenError, before anything began.
    """
    configure(form=settings.log_format, level=settings.log_level, secrets=secrets_of(settings))
    metrics = Metrics()

    def tell(event: Event) -> None:
        metrics.see(event)
        emit(event)

    daemon = make(settings, metrics, tell)
    routes = hooks(settings.webhook_secret.get_secret_value(), daemon.wake_polls)
    with (
        stopped_by_signal() as signals,
        serve(settings.listen, application(Answers(daemon=daemon), metrics.text, routes)) as http,
    ):
        tell(started(settings, http.url))
        daemon.start()
        signals.wait()
        began = monotonic()
        clean = daemon.stop(GRACE)
        http.stop()
    tell(DaemonStopped(signal=signals.name, clean=clean, seconds=monotonic() - began))
    if not clean:  # a thread hangs in a read; Python would wait for it for ever
        sys.stdout.flush()
        os._exit(0)
    return 0


def make(settings: Settings, metrics: Metrics, tell: Callable[[Event], None]) -> Daemon:
    """Return the daemon that the settings describe. Nothing is sent yet. Raises: SourceError."""
    library = open_library(settings)
    recent = Recent(redaction=Redaction(secrets_of(settings)), clock=host_time)

    def told(event: Event) -> None:
        recent.see(event)
        tell(event)

    passes = AwsPasses(library=library, redactor=redactor_of(settings), writes=not settings.read_only)
    daemon = Daemon(
        follower=Follower(library=library, ref=settings.ref),
        tempo=Tempo(interval=settings.interval, audit=settings.audit),
        poll=settings.poll,
        tools=Tools(passes=passes, metrics=metrics, emit=told, chance=SystemRandom().random),
        only=settings.target,
        pulls_every=settings.host_poll,
    )
    if settings.host != "none":
        daemon.pulls = pull_job(settings, library, daemon, recent)
        passes.approvals = daemon.pulls.approvals
    return daemon


def pull_job(settings: Settings, library: Library, daemon: Daemon, recent: Recent) -> PullJob:
    """Return the job that tends pull requests. Raises: HostError for what is missing."""
    tell = daemon.tools.emit
    host = open_host(access_of(settings))
    key = settings.redaction_key.get_secret_value() or settings.host_token.get_secret_value()
    notes = Notes(host=host, key=sha256(f"mark {key or settings.host_app}".encode()).digest())
    desk = Desk(
        host=host,
        library=library,
        plans=PullPlans(library=library, redactor=redactor_of(settings)),
        notes=notes,
        rests=Rests(emit=tell),
        engine=program_version(),
        only=settings.target,
    )

    def explain(fleet: str) -> str:
        plans = [lane.plan for lane in daemon.lanes.values() if lane.plan]
        found = [(i, p) for p in plans for i in p.items if (i.kind, i.name) == ("Fleet", fleet)]
        lines = [f"{i.name} in {p.target}\n" + "\n".join(explain_item(i, p)) for i, p in found]
        return "\n".join(lines) or f"no fleet {fleet} in the commit in force"

    return PullJob(
        desk=desk,
        commands=Commands(
            desk=desk,
            explain=explain,
            hand=PullHands(
                settings=settings,
                library=library,
                adopted=lambda: daemon.standing.adopted,
                wake=daemon.wake,
            ),
            since=host_time(),
        ),
        endings=Endings(desk=desk, library=library, log=recent.of),
        branch=lambda: library.repository.branch(settings.ref),
        emit=tell,
        clock=host_time,
    )


def access_of(settings: Settings) -> Access:
    """Return how the git host is reached."""
    return Access(
        kind="gitlab" if settings.host == "gitlab" else "github",
        url=settings.repo,
        repository=settings.host_repository,
        api=settings.host_api,
        token=settings.host_token.get_secret_value(),
        app=settings.host_app,
        app_key=settings.host_app_key,
    )


def started(settings: Settings, url: str) -> DaemonStarted:
    """Return the first line of the log."""
    return DaemonStarted(
        version=program_version(),
        repo=settings.repo,
        ref=settings.ref or "HEAD",
        path=settings.path,
        poll=settings.poll,
        interval=settings.interval,
        listen=url,
        read_only=settings.read_only,
    )


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Return values that may never be logged."""
    own = (settings.git_token, settings.redaction_key, settings.host_token, settings.webhook_secret)
    known = tuple(secret.get_secret_value() for secret in own)
    lent = (os.environ.get(name, "") for name in SECRETS)
    return (*known, *(value for value in lent if len(value) >= SHORTEST_KEY))


class Signals:
    """SIGTERM and SIGINT, waited for."""

    def __init__(self) -> None:
        self.name = ""
        self._came = Flag()

    def take(self, number: int, _frame: object) -> None:
        """Remember the first signal."""
        self.name = self.name or signal.Signals(number).name
        self._came.set()

    def wait(self) -> None:
        """Wait for a signal."""
        self._came.wait()


@contextmanager
def stopped_by_signal() -> Iterator[Signals]:
    """Take SIGTERM and SIGINT inside."""
    signals = Signals()
    before = {n: signal.signal(n, signals.take) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield signals
    finally:
        for number, old in before.items():
            signal.signal(number, old)
