"""HTTP to one git host: one address, conditional reads, no redirect, no retry, no token in an error."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from reconciler.hosts.model import PATIENCE, HostBusyError, HostError, MissingError

TIMEOUT: Final = httpx.Timeout(20.0, connect=5.0)  # seconds
PAGE: Final = 100  # elements of a page, the most that hosts give
MOST_PAGES: Final = 50  # a list that is longer is not read whole, and that is an error
READINGS: Final = 4  # of a list that changes while it is read
KEPT: Final = 2_000  # replies that are kept for conditional reads
LONGEST: Final = 3_600  # seconds of patience: hosts count requests by the hour
WRITES: Final = ((60, 60), (450, 3_600))  # most of them in so many seconds; GitHub refuses from 80 and 500 on
AGENT: Final = "reconciler"
SECRETS: Final = ("Authorization", "PRIVATE-TOKEN")


@dataclass(slots=True)
class Counts:
    """Requests by what they cost: GitHub counts no reply 304 against its limit."""

    asked: int = 0
    unchanged: int = 0
    written: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, or something that has no pages."""

    body: Any
    next: str = ""  # address of the page that follows
    tag: str = ""  # its ETag
    changed: bool = True  # it is not what was read before


@dataclass(slots=True)
class Api:
    """One host's API. `authorize` gives the headers of a request, anew each time: tokens end."""

    base: str
    authorize: Callable[[], Mapping[str, str]]
    transport: httpx.BaseTransport | None = None
    renew: Callable[[], None] | None = None  # forgets a token that the host does not take any more
    now: Callable[[], float] = time.monotonic
    counts: Counts = field(default_factory=Counts)
    _known: dict[str, Page] = field(default_factory=dict, repr=False)
    _sent: deque[float] = field(default_factory=lambda: deque(maxlen=WRITES[-1][0]), repr=False)
    _rests_until: float = 0.0
    _client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        """Open the client. Redirects are not followed: a token goes to one host alone."""
        self._client = httpx.Client(
            base_url=self.base.rstrip("/") + "/",
            timeout=TIMEOUT,
            follow_redirects=False,
            transport=self.transport,
            headers={"User-Agent": AGENT},
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def get(self, path: str, **params: Any) -> Any:
        """Return what the host says. Raises: HostError, HostBusyError."""
        return self._page(path, params).body

    def pages(self, path: str, **params: Any) -> tuple[Any, ...]:
        """Return every element of a list. Raises: HostError, HostBusyError.

        Elements move from page to page while a list changes. So one of several pages is read again
        until a whole reading finds nothing new: what it holds was there at one moment, all of it. Where
        the host knows ETags, such a reading costs nothing.
        """
        before: list[Page] = []
        for _ in range(READINGS):
            found = self._walk(path, params)
            changed = any(p.changed for p in found) and [p.body for p in found] != [p.body for p in before]
            if len(found) == 1 or not changed:
                return tuple(row for p in found for row in p.body)
            before = found
        raise HostBusyError(f"{_shown(path)}: the list changes faster than it can be read", after=PATIENCE)

    def _walk(self, path: str, params: Mapping[str, Any]) -> list[Page]:
        found = [self._page(path, params)]
        while found[-1].next:
            if len(found) == MOST_PAGES:
                raise HostError(f"{_shown(path)} has more than {MOST_PAGES} pages")
            found.append(self._page(found[-1].next, {}))
        if not all(isinstance(p.body, list) for p in found):
            raise HostError(f"{_shown(path)}: the host's answer is no list; check the address of its API")
        return found

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Write once and return the answer. Raises: HostError; HostBusyError, and it may have happened."""
        self._rest()
        self._pace()
        self.counts.written += 1
        reply = self._ask(method, path, {}, self.authorize(), body)
        return _body(reply, method, path) if reply.content else None

    def _page(self, path: str, params: Mapping[str, Any]) -> Page:
        self._rest()
        headers = self.authorize()
        key = f"{path} {sorted(params.items())!r}"  # GitHub's ETags end with the token, and never match then
        known = self._known.get(key)
        extra = {"If-None-Match": known.tag} if known else {}
        self.counts.asked += 1
        reply = self._ask("GET", path, params, {**headers, **extra}, None)
        if reply.status_code == httpx.codes.NOT_MODIFIED and known:
            self.counts.unchanged += 1
            return known
        body = _body(reply, "GET", path)
        made = Page(body, self._next(reply), reply.headers.get("ETag", ""))
        # A full page that is the last one stays as it is when the next one begins: it is always read.
        full = isinstance(body, list) and len(body) >= PAGE and not made.next
        self._known.pop(key, None)
        if made.tag and not full:
            if len(self._known) >= KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[key] = Page(made.body, made.next, made.tag, changed=False)
        return made

    def _next(self, reply: httpx.Response) -> str:
        """Return the next page, if it is on this host: a token is never carried elsewhere."""
        url = str(reply.links.get("next", {}).get("url", ""))
        if url and urlsplit(url)[:2] != urlsplit(self.base)[:2]:
            raise HostError("the host names a next page on another host; check the address of its API")
        return url

    def _rest(self) -> None:
        if (left := self._rests_until - self.now()) > 0:
            raise HostBusyError("the host asked for patience", after=timedelta(seconds=left))

    def _pace(self) -> None:
        """Count a write. Raises: HostBusyError where the host would refuse it for those before."""
        now = self.now()
        for most, span in WRITES:
            if len(self._sent) >= most and (left := self._sent[-most] + span - now) > 0:
                why = f"{most} writes within {span} seconds are as many as hosts take; the rest waits"
                raise HostBusyError(why, after=timedelta(seconds=left))
        self._sent.append(now)

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any],
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None,
    ) -> httpx.Response:
        reply = self._once(method, path, params, headers, body)
        if reply.status_code == httpx.codes.UNAUTHORIZED and self.renew is not None:
            self.renew()  # it ended early; what is refused for its token did nothing, so it is sent again
            headers = self.authorize()
            reply = self._once(method, path, params, headers, body)
        self._check(reply, f"{method} {_shown(path)}: {reply.status_code}", headers)
        return reply

    def _once(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any],
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None,
    ) -> httpx.Response:
        """Send. The error is raised outside of `except`: the cause's request holds the token."""
        what = f"{method} {_shown(path)}"
        try:
            return self._client.request(method, path, params=params or None, json=body, headers=dict(headers))
        except (httpx.LocalProtocolError, UnicodeError):
            error: HostError | HostBusyError = HostError(
                f"{what}: the token can't be sent, it holds a line break or a character that is not ASCII"
            )
        except (httpx.HTTPError, httpx.InvalidURL) as cause:
            error = HostBusyError(f"{what}: no answer ({type(cause).__name__})", after=PATIENCE)
        raise error

    def _check(self, reply: httpx.Response, what: str, headers: Mapping[str, str]) -> None:
        code = reply.status_code
        if code < httpx.codes.MULTIPLE_CHOICES or code == httpx.codes.NOT_MODIFIED:
            return
        if code < httpx.codes.BAD_REQUEST:
            raise HostError(
                f"{what}, the host sends us elsewhere, where no token goes. Was the repository renamed or"
                " the host moved? Set its new name and address"
            )
        if (wait := _patience(reply)) is not None:
            self._rests_until = self.now() + wait.total_seconds()
            raise HostBusyError(f"{what}, the host asks for patience", after=wait)
        if code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise HostBusyError(f"{what}, an error of the host", after=PATIENCE)
        kind = MissingError if code in (httpx.codes.NOT_FOUND, httpx.codes.GONE) else HostError
        raise kind(f"{what} {_reason(reply, headers)}".rstrip())


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Read an answer's fields in here. Raises: HostError where it is not what the host documents."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else type(error).__name__
        raise HostError(f"the host's answer on {what} is not understood: {why}") from None


def _patience(reply: httpx.Response) -> timedelta | None:
    """Return how long a rate-limited caller is to wait, or None where it is another refusal.

    Source: GitHub, "Best practices for using the REST API"; GitLab, "Rate limits".
    """
    limits = (httpx.codes.FORBIDDEN, httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)
    if reply.status_code not in limits:
        return None
    if (after := _number(reply, "Retry-After")) is not None:
        return _seconds(after)
    if reply.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return None
    for left, reset in (
        ("X-RateLimit-Remaining", "X-RateLimit-Reset"),
        ("RateLimit-Remaining", "RateLimit-Reset"),
    ):
        if _number(reply, left) == 0 and (end := _number(reply, reset)) is not None:
            return _seconds(end - _epoch(reply))
    if reply.status_code == httpx.codes.TOO_MANY_REQUESTS or "rate limit" in reply.text.lower():
        return PATIENCE
    return None


def _number(reply: httpx.Response, header: str) -> int | None:
    text = reply.headers.get(header, "")
    return int(text[:12]) if text.isascii() and text.isdecimal() else None


def _seconds(number: int) -> timedelta:
    return timedelta(seconds=min(max(1, number), LONGEST))


def _epoch(reply: httpx.Response) -> int:
    """Return the host's own time: ours may be wrong."""
    try:
        return int(parsedate_to_datetime(reply.headers["Date"]).timestamp())
    except (KeyError, ValueError):
        return int(time.time())


def _body(reply: httpx.Response, method: str, path: str) -> Any:
    try:
        return reply.json()
    except ValueError:
        raise HostBusyError(f"{method} {_shown(path)}: the answer is cut", after=PATIENCE) from None


def _reason(reply: httpx.Response, headers: Mapping[str, str]) -> str:
    """Return the host's own words, on one line and without our token, should it say that back."""
    try:
        said = reply.json()
        more = [e["message"] for e in said.get("errors") or () if isinstance(e, dict) and e.get("message")]
        text = ": ".join(map(str, (said.get("message") or said.get("error") or "", *more)))
    except (ValueError, AttributeError, TypeError):
        return ""
    for name in SECRETS:
        if secret := headers.get(name, "").rpartition(" ")[2]:
            text = text.replace(secret, "***")
    return "".join(c if c.isprintable() else " " for c in text)[:200]


def _shown(path: str) -> str:
    return urlsplit(path).path
