"""HTTP to one git host: one address, conditional reads, no redirect, no retry, no token in an error."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from reconciler.hosts.model import PATIENCE, HostBusyError, HostError

TIMEOUT: Final = httpx.Timeout(20.0, connect=5.0)  # seconds
MOST_PAGES: Final = 50  # of 100: a list that is longer is not read whole, and that is an error
KEPT: Final = 2_000  # replies that are kept for conditional reads
AGENT: Final = "reconciler"


@dataclass(slots=True)
class Counts:
    """Requests by what they cost: a host counts no reply 304 against its limit."""

    asked: int = 0
    unchanged: int = 0
    written: int = 0


@dataclass(slots=True)
class Api:
    """One host's API. `authorize` gives the headers of a request, anew each time: tokens end."""

    base: str
    authorize: Callable[[], Mapping[str, str]]
    transport: httpx.BaseTransport | None = None
    now: Callable[[], float] = time.monotonic
    counts: Counts = field(default_factory=Counts)
    _known: dict[str, tuple[str, Any, str]] = field(default_factory=dict)  # ETag, body, next page
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
        return self._page(path, params)[0]

    def pages(self, path: str, **params: Any) -> Iterator[Any]:
        """Yield every element of a list, page by page. Raises: HostError, HostBusyError."""
        following = path
        for _ in range(MOST_PAGES):
            found, following = self._page(following, params)
            yield from found
            if not following:
                return
            params = {}
        raise HostError(f"{path} has more than {MOST_PAGES} pages")

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Write once and return the answer. Raises: HostError; HostBusyError, and it may have happened."""
        self.counts.written += 1
        reply = self._ask(method, path, {}, {}, body)
        return _body(reply, method, path) if reply.content else None

    def _page(self, path: str, params: Mapping[str, Any]) -> tuple[Any, str]:
        headers = self.authorize()
        key = self._key(path, params, headers)
        known = self._known.get(key)
        extra = {"If-None-Match": known[0]} if known else {}
        self.counts.asked += 1
        reply = self._ask("GET", path, params, {**headers, **extra}, None)
        if reply.status_code == httpx.codes.NOT_MODIFIED and known:
            self.counts.unchanged += 1
            return known[1], known[2]
        body, following = _body(reply, "GET", path), self._next(reply)
        if tag := reply.headers.get("ETag"):
            if len(self._known) >= KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[key] = (tag, body, following)
        return body, following

    def _key(self, path: str, params: Mapping[str, Any], headers: Mapping[str, str]) -> str:
        """ETags belong to a token: another token's would never match."""
        who = sha256(repr(sorted(headers.items())).encode()).hexdigest()[:16]
        return f"{who} {path} {sorted(params.items())!r}"

    def _next(self, reply: httpx.Response) -> str:
        """Return the next page, if it is on this host: a token is never carried elsewhere."""
        url = str(reply.links.get("next", {}).get("url", ""))
        if not url:
            return ""
        if urlsplit(url)[:2] != urlsplit(self.base)[:2]:
            raise HostError("the host names a next page on another host")
        return url

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any],
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None,
    ) -> httpx.Response:
        if (left := self._rests_until - self.now()) > 0:
            raise HostBusyError("the host asked for patience", after=timedelta(seconds=left))
        whole = headers or self.authorize()
        try:
            reply = self._client.request(method, path, params=params or None, json=body, headers=dict(whole))
        except httpx.HTTPError as error:
            why = type(error).__name__
            raise HostBusyError(f"{method} {_shown(path)}: no answer ({why})", after=PATIENCE) from None
        self._check(reply, method, path)
        return reply

    def _check(self, reply: httpx.Response, method: str, path: str) -> None:
        code = reply.status_code
        if code < httpx.codes.BAD_REQUEST and not reply.is_redirect:
            return
        if code == httpx.codes.NOT_MODIFIED:
            return
        what = f"{method} {_shown(path)}: {code}"
        if (wait := _patience(reply)) is not None:
            self._rests_until = self.now() + wait.total_seconds()
            raise HostBusyError(f"{what}, the host asks for patience", after=wait)
        if code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise HostBusyError(f"{what}, an error of the host", after=PATIENCE)
        raise HostError(f"{what} {_reason(reply)}".rstrip())


def _patience(reply: httpx.Response) -> timedelta | None:
    """Return how long a rate-limited caller is to wait, or None where it is another refusal.

    Source: GitHub, "Best practices for using the REST API"; GitLab, "Rate limits".
    """
    if reply.status_code not in (httpx.codes.FORBIDDEN, httpx.codes.TOO_MANY_REQUESTS):
        return None
    after = reply.headers.get("Retry-After", "")
    if after.isdigit():
        return timedelta(seconds=int(after))
    for left, reset in (
        ("X-RateLimit-Remaining", "X-RateLimit-Reset"),
        ("RateLimit-Remaining", "RateLimit-Reset"),
    ):
        if reply.headers.get(left) == "0" and reply.headers.get(reset, "").isdigit():
            wait = int(reply.headers[reset]) - _epoch(reply)
            return timedelta(seconds=max(1, wait))
    if reply.status_code == httpx.codes.TOO_MANY_REQUESTS or "rate limit" in reply.text.lower():
        return PATIENCE
    return None


def _epoch(reply: httpx.Response) -> int:
    """Return the host's own time: ours may be wrong."""
    from email.utils import parsedate_to_datetime

    try:
        return int(parsedate_to_datetime(reply.headers["Date"]).timestamp())
    except (KeyError, ValueError):
        return int(time.time())


def _body(reply: httpx.Response, method: str, path: str) -> Any:
    try:
        return reply.json()
    except ValueError:
        raise HostBusyError(f"{method} {_shown(path)}: the answer is cut", after=PATIENCE) from None


def _reason(reply: httpx.Response) -> str:
    try:
        said = reply.json().get("message", "")
    except (ValueError, AttributeError):
        return ""
    return str(said)[:200]


def _shown(path: str) -> str:
    return urlsplit(path).path
