"""The one door to AWS: connections by target and purpose. The only importer of boto3."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from reconciler.core.errors import ForbiddenCallError, WrongAccountError
from reconciler.gateway.gate import COMMIT, Call, Gate
from reconciler.gateway.pace import Pace, Paces
from reconciler.gateway.pool import Pool
from reconciler.gateway.rules import known

if TYPE_CHECKING:
    import boto3  # noqa: TID251  # this module is the gateway's door
    from botocore.config import Config

T = TypeVar("T")
R = TypeVar("R")

CONNECT: Final = 3.0  # seconds
READ: Final = 20.0  # seconds
ATTEMPTS: Final = 4  # of a read; a write has one
READERS: Final = 8  # more threads gain nothing: parsing holds one core by then
PACES: Final = Paces()
"""The buckets of this process: an account is one, however many targets lead to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a connection leads: a Target's account and region, and how to get there."""

    target: str
    account: str  # 12 digits
    region: str
    assume_role: str | None = None  # ARN
    external_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How a connection behaves."""

    readers: int = READERS
    connect_timeout: float = CONNECT  # seconds
    read_timeout: float = READ  # seconds
    attempts: int = ATTEMPTS  # of a read


class Aws:
    """A connection to one target for one purpose: clients, a pool of readers, counts and AWS's clock.

    One pass at a time uses it. It may be shared by the threads of that pass.
    """

    def __init__(  # made by open_aws alone
        self,
        place: Place,
        *,
        writes: bool,
        line: Line,
        paces: Paces,
        record: Callable[[Call], None] | None,
    ) -> None:
        self.place = place
        self._line = line
        self._paces = paces
        self._gate = Gate(
            writes=writes, pace_of=self._pace_of, before_write=self.check_account, record=record
        )
        self._pool = Pool(line.readers, f"aws-{place.target}")
        self._clients: dict[str, Any] = {}
        self._beside: dict[Place, Aws] = {}
        self._record = record
        self._session: boto3.Session | None = None
        self._account: str | None = None
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        """Return this connection."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close this connection."""
        self.close()

    @property
    def writes(self) -> bool:
        """Whether this connection may write at all."""
        return self._gate.writes

    @property
    def counts(self) -> Counter[str]:
        """Requests sent since `begin`, retries included, by `service:Operation`; of those beside too."""
        return sum((other.counts for other in self.beside), Counter(self._gate.counts))

    def begin(self, deadline: timedelta | None = None) -> None:
        """Begin a pass: counts and clock start anew, and no call is sent later than `deadline` from now."""
        for other in self.beside:
            other.begin(deadline)
        self._gate.begin(None if deadline is None else deadline.total_seconds())

    def stop(self) -> None:
        """Let the call in flight end, and send no further one: the program ends. Never undone."""
        self._gate.stop()
        for other in self.beside:
            other.stop()

    @property
    def beside(self) -> "tuple[Aws, ...]":
        """Connections to other places that this target's passes use."""
        return tuple(self._beside.values())

    def open_beside(self, place: Place) -> "Aws":
        """Return a connection to another place, opened once: it begins, stops and closes with this one."""
        with self._lock:
            if place not in self._beside:
                other = Aws(
                    place, writes=self.writes, line=self._line, paces=self._paces, record=self._record
                )
                other.follow(self._gate)
                self._beside[place] = other
            return self._beside[place]

    def follow(self, gate: Gate) -> None:
        """Take over the deadline of another connection's pass, and whether the program stops."""
        gate.share(self._gate)

    def as_of(self) -> datetime | None:
        """Return the earliest `Date` of AWS's replies since `begin`, or None if there was none."""
        return self._gate.as_of()

    def newest(self) -> datetime | None:
        """Return the latest `Date` of AWS's replies since `begin`, or None if there was none."""
        return self._gate.newest()

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service, made once.

        Raises: ForbiddenCallError for a service that is not on the allow-list. Its calls raise
        ForbiddenCallError, DeadlineError and WrongAccountError beside botocore's own errors, which
        `gateway.errors.classify` sorts.
        """
        if why := known(service):
            raise ForbiddenCallError(why)
        client = self._clients.get(service)
        if client is not None:
            return client
        with self._lock:
            if service not in self._clients:
                session = self._session = self._session or self._open()
                self._clients[service] = session.client(service, config=self._config())  # type: ignore[call-overload]
            return self._clients[service]

    def each(self, fn: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Return `fn` of each item in order, worked on by the target's pool; may be nested.

        Raises: the first failure, by the items' order.
        """
        return self._pool.each(fn, items)

    def check_account(self) -> None:
        """Ask sts once whose credentials these are; done before the first write in any case.

        Source: sts:GetCallerIdentity. Raises: WrongAccountError.
        """
        if self._account is None:
            said = self.client("sts").get_caller_identity()["Account"]
            with self._lock:
                self._account = str(said)
        if self._account != self.place.account:
            raise WrongAccountError(
                f"target {self.place.target} is account {self.place.account}, but the credentials are"
                f" those of {self._account}; nothing is written there"
            )

    def close(self) -> None:
        """Begin no further call and let go of the connections."""
        self._pool.close()
        for other in self.beside:
            other.close()
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients = {}

    def _pace_of(self, service: str) -> Pace | None:
        return self._paces.of(self.place.account, service)

    def _config(self) -> "Config":
        from botocore.config import Config

        return Config(
            region_name=self.place.region,
            connect_timeout=self._line.connect_timeout,
            read_timeout=self._line.read_timeout,
            retries={"mode": "standard", "total_max_attempts": self._line.attempts},
            max_pool_connections=self._line.readers + 2,  # the pool's threads and who asks them
        )

    def _open(self) -> "boto3.Session":
        session = _session(self._gate, self.place.region)
        if self.place.assume_role is None:
            return session
        sts = session.client("sts", config=self._config())
        return _session(self._gate, self.place.region, _assumed(sts, self.place))


def open_aws(
    place: Place,
    *,
    writes: bool,
    line: Line | None = None,
    paces: Paces = PACES,
    record: Callable[[Call], None] | None = None,
) -> Aws:
    """Open a connection to a target. Nothing is sent yet, and boto3 is not imported yet.

    With `writes=False` no writing call can leave: this is what plans, drift reports and previews get.
    `record` is told of every call that was let through. AWS is reached as every AWS tool does:
    profile, environment, `AWS_ENDPOINT_URL`.
    """
    return Aws(place, writes=writes, line=line or Line(), paces=paces, record=record)


@contextmanager
def for_commit(commit: str) -> Iterator[None]:
    """Name the commit in the user agent of every call made inside, in pool threads too."""
    token = COMMIT.set(commit)
    try:
        yield
    finally:
        COMMIT.reset(token)


@cache
def _loader() -> Any:
    """Return the one reader of botocore's models: each session of its own would cost 24 MB."""
    from botocore.loaders import create_loader

    return create_loader()


def _session(gate: Gate, region: str, credentials: Any = None) -> "boto3.Session":
    import boto3  # noqa: TID251  # this module is the gateway's door
    from botocore.session import get_session

    inner = get_session()
    inner.register_component("data_loader", _loader())
    inner.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=to_timestamp)
    if credentials is not None:
        inner.register_component("credential_provider", credentials)
    gate.register(inner.get_component("event_emitter"))
    return boto3.Session(botocore_session=inner, region_name=region)


def to_timestamp(value: Any) -> datetime:
    """Return a time in a reply. Botocore's own reader guesses formats, which took a tenth of a pass."""
    from botocore.utils import parse_timestamp

    if isinstance(value, str) and value[10:11] == "T":
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass  # not ISO 8601 after all
    return parse_timestamp(value)


def _assumed(sts: Any, place: Place) -> Any:
    """Return a resolver of credentials that assume the role and refresh themselves (sts:AssumeRole)."""
    from botocore.credentials import (
        CredentialProvider,
        CredentialResolver,
        DeferredRefreshableCredentials,
        create_assume_role_refresher,
    )

    asked = {"RoleArn": place.assume_role, "RoleSessionName": f"reconciler-{place.target}"[:64]}
    if place.external_id is not None:
        asked["ExternalId"] = place.external_id
    lent = DeferredRefreshableCredentials(create_assume_role_refresher(sts, asked), "sts-assume-role")

    class Assumed(CredentialProvider):
        METHOD = "reconciler-assume-role"

        def load(self) -> Any:
            return lent

    return CredentialResolver([Assumed()])
