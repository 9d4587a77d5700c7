"""HTTP on a port of the loopback address: a call log, faults, ETags for each token, pages."""

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import format_datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from emulator.githost.forge import Forge

PAGE: Final = 30  # elements of a page, if nobody asks for more
LARGEST: Final = 100


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked. Names of headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def token(self) -> str:
        """The token, in whichever header it came."""
        return self.headers.get("private-token") or self.headers.get("authorization", "").partition(" ")[2]

    def json(self) -> dict[str, Any]:
        """Return the body, which is an object or is taken for an empty one."""
        try:
            said = json.loads(self.body)
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}


@dataclass(slots=True)
class Reply:
    """What is answered: JSON, or HTML where the body is a string."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """Return what is sent."""
        if self.body is None:
            return b""
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass(slots=True)
class Fault:
    """What goes wrong, for as many requests as `times`, whose `METHOD path` matches.

    With `after` the work is done all the same. Without a status the true reply is sent, with other
    headers. With `cut` there is no reply.
    """

    match: str
    status: int = 0
    times: int = 1
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default_factory=lambda: {"message": "Server Error"})
    after: bool = False
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One line of the call log."""

    method: str
    path: str
    status: int
    token: str  # first digits of its digest


class CutError(ConnectionAbortedError):
    """The connection ends here, without a reply."""


class Site:
    """Serves an application. `check` sees every request and its reply before it is sent."""

    def __init__(
        self,
        forge: Forge,
        app: Callable[[Request], Reply],
        check: Callable[[Request, Reply, Fault | None], None] = lambda *_: None,
    ) -> None:
        self.forge = forge
        self.app = app
        self.check = check
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.conditional = True  # answer 304 where nothing changed
        self.url = ""
        self.lock = threading.RLock()

    def answer(self, request: Request) -> Reply:
        """Answer one request. Raises: CutError."""
        with self.lock:
            self.forge.sync()
            fault = self._fault(request)
            if fault is None or fault.after or not (fault.status or fault.cut):
                reply = self._true(request)
            else:
                reply = Reply(fault.status, fault.body)
            if fault:
                if fault.after and fault.status:
                    reply = Reply(fault.status, fault.body)
                reply.headers.update(fault.headers)
            self.check(request, reply, fault)
            who = sha256(request.token.encode()).hexdigest()[:8]
            path = request.path + (f"?{urlencode(request.query)}" if request.query else "")
            self.calls.append(Call(request.method, path, 0 if fault and fault.cut else reply.status, who))
        if fault and fault.cut:
            raise CutError
        return reply

    def _true(self, request: Request) -> Reply:
        reply = self.app(request)
        reply.headers["Date"] = format_datetime(self.forge.now(), usegmt=True)
        if request.method != "GET" or reply.status != 200 or not self.conditional:
            return reply
        digest = sha256(request.token.encode() + b"\0" + reply.content()).hexdigest()
        reply.headers["ETag"] = tag = f'W/"{digest}"'
        if request.headers.get("if-none-match") == tag:
            return Reply(304, None, {"ETag": tag, "Date": reply.headers["Date"]})
        return reply

    def _fault(self, request: Request) -> Fault | None:
        said = f"{request.method} {request.path}"
        found = next((f for f in self.faults if f.times > 0 and re.search(f.match, said)), None)
        if found:
            found.times -= 1
        return found

    @property
    def asked(self) -> int:
        """Reads."""
        return sum(c.method == "GET" for c in self.calls)

    @property
    def unchanged(self) -> int:
        """Reads that were answered 304."""
        return sum(c.status == 304 for c in self.calls)

    @property
    def written(self) -> int:
        """Everything that is no read."""
        return len(self.calls) - self.asked

    @property
    def counted(self) -> int:
        """Requests that a host counts against its limit."""
        return len(self.calls) - self.unchanged


def page(request: Request, rows: list[Any], base: str) -> Reply:
    """Return one page of a list, and where the next one is."""
    size = min(int(request.query.get("per_page", PAGE)), LARGEST)
    number = int(request.query.get("page", 1))
    reply = Reply(200, rows[(number - 1) * size : number * size])
    if len(rows) > number * size:
        query = urlencode({**request.query, "page": number + 1})
        reply.headers["Link"] = f'<{base}?{query}>; rel="next", <{base}?page=last>; rel="last"'
    return reply


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *where: Any) -> None:
        """Say nothing of a client that is gone, as one that was killed is."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*where)


@contextmanager
def serve(site: Site, port: int = 0) -> Iterator[str]:
    """Serve a site on the loopback address; the value is its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {k.lower(): v for k, v in self.headers.items()}
            try:
                reply = site.answer(
                    Request(self.command, url.path, dict(parse_qsl(url.query)), headers, body)
                )
            except CutError:
                self.close_connection = True
                return
            content = reply.content()
            self.send_response_only(reply.status)
            kind = "text/html" if isinstance(reply.body, str) else "application/json"
            if content:
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status != 304:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing: the call log has it."""

    server = _Server(("127.0.0.1", port), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield site.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
