"""An AWS that repeats itself: the emulator's replies, recorded once and served from memory.

`python -m benchmarks.replay FILE` prints its URL and serves until standard input ends. A request that
was not recorded is refused, and counted. `/_replay/...` sets the latency and tells the calls.
"""

import json
import socketserver
import sys
import threading
import urllib.request
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import formatdate
from http.client import HTTPConnection
from io import BufferedIOBase
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

Key = tuple[str, str, str, bytes]
"""Method, path with query, X-Amz-Target, body: what makes a request another one."""

_CLASSIC: Final = "2012-06-01"  # API version of classic load balancing; the other signs the same name
_DROPPED: Final = ("connection", "content-length", "transfer-encoding", "server")


@dataclass(slots=True)
class Replies:
    """Replies by request, and the calls that asked for them."""

    found: dict[Key, bytes] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)  # `service:Operation`, as they came
    refused: list[str] = field(default_factory=list)
    latency: float = 0.0  # seconds
    upstream: str = ""  # where what is not known is asked for, while recording

    def answer(self, key: Key, headers: dict[str, str]) -> bytes:
        """Return a whole HTTP reply."""
        name = operation(key, headers)
        self.calls.append(name)
        reply = self.found.get(key)
        if reply is None and self.upstream:
            reply = self.found[key] = _ask(self.upstream, key, headers)
        if self.latency:
            threading.Event().wait(self.latency)
        if reply is None:
            self.refused.append(name)
            return _reply(
                400, {}, b"<Response><Errors><Error><Code>NotRecorded</Code></Error></Errors></Response>"
            )
        return reply

    def save(self, file: Path) -> None:
        """Write the replies to a file."""
        rows = [[m, p, t, b.decode("latin-1"), r.decode("latin-1")] for (m, p, t, b), r in self.found.items()]
        file.write_text(json.dumps(rows))

    @staticmethod
    def load(file: Path) -> "Replies":
        """Read what `save` wrote."""
        rows = json.loads(file.read_text())
        return Replies({(m, p, t, b.encode("latin-1")): r.encode("latin-1") for m, p, t, b, r in rows})

    def control(self, path: str) -> Any:
        """Do what a path below `/_replay/` says, and return what it tells."""
        parts = urlsplit(path)
        match parts.path.rpartition("/")[2]:
            case "latency":
                self.latency = float(parse_qs(parts.query)["ms"][0]) / 1000
                return self.latency
            case "calls":
                told = {"calls": self.calls, "refused": self.refused}
                self.calls, self.refused = [], []
                return told
            case other:
                raise ValueError(f"there is no {other}")


def operation(key: Key, headers: dict[str, str]) -> str:
    """Return `service:Operation` of a request, by its signature's scope and its body or path."""
    method, path, target, body = key
    scope = headers.get("authorization", "").partition("Credential=")[2].split(",")[0].split("/")
    service = scope[3] if len(scope) > 3 else "unknown"
    if target:
        return f"{service}:{target.rpartition('.')[2]}"
    if service == "route53":
        return f"route53:{_routed(method, path)}"
    form = parse_qs(body.decode("latin-1"))
    if service == "elasticloadbalancing":
        service = "elb" if form.get("Version") == [_CLASSIC] else "elbv2"
    return f"{service}:{form.get('Action', [method])[0]}"


def _routed(method: str, path: str) -> str:
    parts = urlsplit(path).path.strip("/").split("/")[1:]
    match (method, *parts):
        case ("GET", "hostedzone"):
            return "ListHostedZones"
        case ("GET", "hostedzone", _, "rrset"):
            return "ListResourceRecordSets"
        case ("POST", "tags", "hostedzone"):
            return "ListTagsForResources"
        case _:
            return f"{method} {'/'.join(parts)}"


def _ask(upstream: str, key: Key, headers: dict[str, str]) -> bytes:
    method, path, _, body = key
    kept = {k: v for k, v in headers.items() if k not in ("host", "connection", "content-length")}
    with closing(HTTPConnection(urlsplit(upstream).netloc, timeout=60)) as line:
        line.request(method, path, body or None, kept)  # urllib would add a Content-Type
        answer = line.getresponse()
        return _reply(answer.status, dict(answer.headers.items()), answer.read())


def _reply(status: int, headers: dict[str, str], body: bytes) -> bytes:
    kept = {"Date": formatdate(usegmt=True), **headers}
    lines = [f"{k}: {v}" for k, v in kept.items() if k.lower() not in _DROPPED]
    head = "\r\n".join([f"HTTP/1.1 {status} Recorded", *lines, f"Content-Length: {len(body)}", "", ""])
    return head.encode("latin-1") + body


class Connection(socketserver.StreamRequestHandler):
    """One connection: requests in, whole replies out, until the other side ends it."""

    disable_nagle_algorithm = True
    server: "Server"

    def handle(self) -> None:
        """Answer requests."""
        try:
            while request := _read(self.rfile):
                self.connection.sendall(self._answer(*request))
        except ConnectionError:
            pass  # the client is done

    def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        replies = self.server.replies
        if path.startswith("/_replay/"):
            return _reply(200, {}, json.dumps(replies.control(path)).encode())
        return replies.answer((method, path, headers.get("x-amz-target", ""), body), headers)


def _read(stream: BufferedIOBase) -> tuple[str, str, dict[str, str], bytes] | None:
    line = stream.readline()
    if not line:
        return None
    method, path, _ = line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (line := stream.readline()) not in (b"\r\n", b"\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    return method, path, headers, stream.read(int(headers.get("content-length", "0")))


class Server(socketserver.ThreadingTCPServer):
    """A thread for each connection, on a free port of this machine."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, replies: Replies) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.replies = replies

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"


def tell(url: str, path: str) -> Any:
    """Ask a replaying server of another process."""
    with urllib.request.urlopen(f"{url}/_replay/{path}", timeout=10) as answer:
        return json.loads(answer.read())


def main() -> None:
    """Serve one file of replies."""
    server = Server(Replies.load(Path(sys.argv[1])))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.url, flush=True)
    sys.stdin.buffer.read()
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    main()
