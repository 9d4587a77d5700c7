"""What stands inside botocore on every call: allow-list, deadline, pacing, user agent, counts, AWS's clock.

Registered on the session before any client exists, so that every client, paginator, waiter and
presigned URL goes through it and no caller can step around it.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from reconciler.core.errors import DeadlineError, ForbiddenCallError
from reconciler.gateway.allow import ALLOWED
from reconciler.gateway.pace import Pace
from reconciler.gateway.rules import refusal

COMMIT: Final[ContextVar[str]] = ContextVar("reconciler_commit", default="")
"""The commit for which calls are made; stands in the user agent, so that CloudTrail shows it."""

_CHECKED: Final = "reconciler_checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One operation that was let through, for tests and the call log."""

    service: str
    operation: str
    writes: bool
    params: Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Gate:
    """The checks and the memory of one connection's calls since `begin`."""

    writes: bool
    pace_of: Callable[[str], Pace | None]
    before_write: Callable[[], None]  # raises where nothing may be written
    record: Callable[[Call], None] | None = None
    now: Callable[[], float] = time.monotonic
    wait: Callable[[float], object] = field(default_factory=lambda: threading.Event().wait)
    counts: Counter[str] = field(default_factory=Counter)
    _deadline: float | None = None  # of `now`
    _stopped: bool = False
    _as_of: datetime | None = None
    _newest: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, seconds: float | None) -> None:
        """Forget counts and clock; no call is sent later than `seconds` from now."""
        with self._lock:
            self.counts = Counter()
            self._as_of = self._newest = None
            self._deadline = None if seconds is None else self.now() + seconds

    def stop(self) -> None:
        """Let the call in flight end, and send no further one: the program ends."""
        self._stopped = True

    def share(self, other: "Gate") -> None:
        """Give another one the deadline of the pass that has begun, and say to it if the program stops."""
        other.heed(self._deadline, stopped=self._stopped)

    def heed(self, deadline: float | None, *, stopped: bool) -> None:
        """Take over a deadline (of `now`), and whether the program stops."""
        self._deadline, self._stopped = deadline, stopped

    def as_of(self) -> datetime | None:
        """Return the earliest `Date` that AWS answered with since `begin`."""
        with self._lock:
            return self._as_of

    def newest(self) -> datetime | None:
        """Return the latest `Date` that AWS answered with since `begin`."""
        with self._lock:
            return self._newest

    def register(self, events: Any) -> None:
        """Stand in a botocore session's events (hierarchical: what is most general runs last)."""
        events.register_last("before-parameter-build", self.on_parameters)
        events.register_first("before-call", self.on_call)
        events.register_last("request-created", self.on_request)
        # the first answer counts, and of all patterns the one with wildcards is asked first
        events.register_first("needs-retry.*.*", self.on_retry)
        events.register_last("response-received", self.on_response)

    def on_parameters(self, params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        """Check a request once its parameters are complete.

        Raises: ForbiddenCallError, and what `before_write` raises.
        """
        service, name = model.service_model.service_name, model.name
        if why := refusal(service, name, params, writes=self.writes):
            raise ForbiddenCallError(f"{why}; the call was not sent")
        operation = ALLOWED[service, name]
        if operation.writes:
            self.before_write()
        context[_CHECKED] = (service, name)
        if self.record:
            self.record(Call(service=service, operation=name, writes=operation.writes, params=dict(params)))

    def on_call(self, model: Any, context: dict[str, Any], **_: Any) -> None:
        """Refuse what did not pass `on_parameters`.

        Raises: ForbiddenCallError.
        """
        if context.get(_CHECKED) != (model.service_model.service_name, model.name):
            raise ForbiddenCallError(f"{model.name} was not checked; the call was not sent")

    def on_request(self, request: Any, operation_name: str, **_: Any) -> None:
        """Count, pace and name each attempt, the retries of botocore too.

        Raises: DeadlineError.
        """
        service = request.context[_CHECKED][0]
        pace = self.pace_of(service)
        delay = pace.take() if pace else 0.0
        self._check_deadline(operation_name, delay)
        if delay:
            self.wait(delay)
        with self._lock:
            self.counts[f"{service}:{operation_name}"] += 1
        agent = request.headers.get("User-Agent", "")
        del request.headers["User-Agent"]
        request.headers["User-Agent"] = f"{user_agent()} {_text(agent)}".strip()

    def on_retry(self, operation: Any, **_: Any) -> bool | None:
        """Say no for writes: a lost reply is found by looking, never by sending twice."""
        known = ALLOWED.get((operation.service_model.service_name, operation.name))
        return False if known is None or known.writes else None

    def on_response(self, response_dict: Mapping[str, Any] | None, **_: Any) -> None:
        """Remember the earliest `Date`, the clock of what is decided on this observation, and the latest."""
        said = to_time((response_dict or {}).get("headers", {}).get("Date"))
        if said is None:
            return
        with self._lock:
            self._as_of = min(self._as_of or said, said)
            self._newest = max(self._newest or said, said)

    def _check_deadline(self, operation: str, delay: float) -> None:
        if self._stopped:
            raise DeadlineError(f"{operation} was not sent: the program is stopping")
        if self._deadline is not None and self.now() + delay >= self._deadline:
            raise DeadlineError(f"{operation} was not sent: the pass is past its deadline")


@cache
def program_version() -> str:
    """Return the version of this program."""
    try:
        return version("reconciler")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "source"


def user_agent() -> str:
    """Return what every request says of us: `reconciler/<version> commit/<sha>`."""
    commit = COMMIT.get()
    ours = f"reconciler/{program_version()}"
    return f"{ours} commit/{commit}" if commit else ours


def to_time(date: str | None) -> datetime | None:
    """Return an HTTP date as an aware time, or None if it is none."""
    if not date:
        return None
    try:
        said = parsedate_to_datetime(date)
    except ValueError:
        return None
    return said if said.tzinfo else said.replace(tzinfo=UTC)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
