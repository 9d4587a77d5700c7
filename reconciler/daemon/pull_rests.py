"""What the host refuses of one pull request holds no other up: that one rests, longer each time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import SystemRandom
from time import monotonic
from typing import Final, Literal, TypeVar

from reconciler.daemon.backoff import Growth, Rest
from reconciler.daemon.lines import fault
from reconciler.hosts.model import HostBusyError, HostError, MissingError
from reconciler.report.event import Event
from reconciler.report.pull_events import PullFailed
from reconciler.source.git import SourceError

GROWTH: Final = Growth(least=timedelta(seconds=30), most=timedelta(minutes=30))
QUIET: Final = 3  # times in a row that a thing may be missing untold: what was made just now comes late
Part = Literal["plan", "check", "command", "queue", "merge", "end"]
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is done for one pull request, or for one commit."""

    part: Part
    pull: int = 0
    of: str = ""  # the commit, or the id of the comment


@dataclass(slots=True, kw_only=True)
class Rests:
    """Knows what rests, and until when. Nothing is lost with it: all is then tried at once."""

    emit: Callable[[Event], None]
    now: Callable[[], float] = monotonic
    chance: Callable[[], float] = SystemRandom().random
    _rests: dict[Subject, Rest] = field(default_factory=dict)
    _told: dict[Subject, str] = field(default_factory=dict)

    def resting(self, subject: Subject) -> bool:
        """Is it left alone now."""
        return subject in self._rests and self.now() < self._rests[subject].until

    def attempt(self, subject: Subject, do: Callable[[], Made]) -> Made | None:
        """Do it and return what was made; None where it was refused or has a fault, and it rests then.

        Raises: HostBusyError: the host as a whole is to be left alone.
        """
        try:
            made = do()
        except HostBusyError:
            raise
        except Exception as error:  # noqa: BLE001  # a fault in one must not end the look at all others
            self._refused(subject, error)
            return None
        self.forget(subject)
        return made

    def forget(self, subject: Subject) -> None:
        """Let it be tried at once: it succeeded, or is another one now."""
        self._rests.pop(subject, None)
        self._told.pop(subject, None)

    def _refused(self, subject: Subject, error: Exception) -> None:
        now, long = self.now(), GROWTH.most.total_seconds()
        for old in [s for s, rest in self._rests.items() if s != subject and rest.until + long < now]:
            self.forget(old)
        failures = self._rests[subject].failures + 1 if subject in self._rests else 1
        rest = GROWTH.after(failures, self.chance()).total_seconds()
        self._rests[subject] = Rest(failures=failures, until=now + rest)
        late = isinstance(error, MissingError) and failures < QUIET
        if not late and self._told.get(subject) != str(error):
            self._told[subject] = str(error)
            self.emit(_event(subject, error, failures))


def _event(subject: Subject, error: Exception, failures: int) -> Event:
    if isinstance(error, HostError | SourceError):
        return PullFailed(
            pull=subject.pull, part=subject.part, of=subject.of, failures=failures, why=str(error)
        )
    return fault(f"{subject.part} {subject.of or subject.pull}", error)
