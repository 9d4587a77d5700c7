"""The job that tends pull requests: looks by its own schedule, and holds no pass up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from time import monotonic

from reconciler.core.errors import RetryLaterError
from reconciler.core.ids import Commit
from reconciler.daemon.desk import Desk, fingerprint
from reconciler.daemon.pull_commands import Commands
from reconciler.daemon.pull_endings import Endings
from reconciler.hosts.model import HostBusyError, HostError
from reconciler.plan.model import TargetPlan
from reconciler.report.event import Event
from reconciler.report.pull_events import HostFailed, HostRecovered, PullCommand, PullPlanned
from reconciler.source.git import SourceError
from reconciler.source.repository import Adopted


@dataclass(slots=True, kw_only=True)
class PullJob:
    """Desk, commands and endings, one after another. What fails is tried again with the next look."""

    desk: Desk
    commands: Commands
    endings: Endings
    branch: Callable[[], str]
    emit: Callable[[Event], None]
    clock: Callable[[], datetime]
    now: Callable[[], float] = monotonic
    failure: str = ""
    _failures: int = 0
    _rests_until: float = 0.0
    _ended: Commit | None = None
    _lock: Lock = field(default_factory=Lock)

    def look(self, adopted: Adopted, plans: Mapping[str, TargetPlan], of_it: frozenset[str]) -> None:
        """Look once. `of_it`: the targets whose plan is of the commit in force, and not of the last one.

        Raises nothing that the host, the repository or AWS are the reason of.
        """
        if self.now() < self._rests_until or not self._lock.acquire(blocking=False):
            return
        try:
            self._look(adopted, plans, of_it)
        except (HostError, HostBusyError, SourceError) as error:
            self._failed(error)
        else:
            if self._failures:
                self.emit(HostRecovered(failures=self._failures))
            self._failures, self.failure = 0, ""
        finally:
            self._lock.release()

    def _look(self, adopted: Adopted, plans: Mapping[str, TargetPlan], of_it: frozenset[str]) -> None:
        """Do each part, whatever is refused of the others. Raises: what was refused first; HostBusyError."""
        refused: Exception | None = None
        current = {name: plan for name, plan in plans.items() if name in of_it}
        for part, known in ((self._tend, plans), (self._obey, plans), (self._follow, current)):
            try:
                part(adopted, known)
            except (HostError, SourceError) as error:
                refused = refused or error
        if refused:
            raise refused

    def _tend(self, adopted: Adopted, plans: Mapping[str, TargetPlan]) -> None:
        for pull, told in self.desk.look(adopted, self.branch(), fingerprint(plans)):
            self.emit(
                PullPlanned(
                    commit=adopted.commit,
                    pull=pull.number,
                    head=pull.head,
                    verdict=told.verdict.value,
                    risk=told.risk.value,
                )
            )

    def _obey(self, adopted: Adopted, _: Mapping[str, TargetPlan]) -> None:
        for command, done in self.commands.look():
            self.emit(
                PullCommand(
                    commit=adopted.commit,
                    pull=command.note.pull,
                    verb=command.verb,
                    word=command.word,
                    author=command.note.author.login,
                    done=done,
                )
            )

    def _follow(self, adopted: Adopted, plans: Mapping[str, TargetPlan]) -> None:
        if self._ended != adopted.commit:
            self.endings.merged(self._ended, adopted, self.clock())
            self._ended = adopted.commit
        self.endings.look(plans, self.clock())

    def _failed(self, error: Exception) -> None:
        if isinstance(error, RetryLaterError):
            self._rests_until = self.now() + error.after.total_seconds()
        if str(error) != self.failure:
            self.emit(HostFailed(why=str(error)))
        self.failure, self._failures = str(error), self._failures + 1

    def approvals(self, commit: str) -> tuple[str, ...]:
        """Return the digests approved for a commit; none while the host can't be asked."""
        try:
            return self.desk.approvals(commit)
        except (HostError, HostBusyError) as error:
            self._failed(error)
            return ()
