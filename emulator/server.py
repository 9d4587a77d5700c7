"""The server: moto behind one lock, one clock, a call log and faults; keep-alive HTTP/1.1."""

import os
import threading
import traceback
from dataclasses import dataclass, replace
from email.utils import format_datetime
from http import HTTPStatus
from io import BytesIO
from types import ModuleType
from typing import Any, Final

os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # 1,300 AMIs that nobody asks for: +2 s

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from emulator import clock, overlay, physics
from emulator.answers import Answers
from emulator.calls import Call, CallLog
from emulator.dispatch import Moto
from emulator.errors import AwsError, Reply, internal, render
from emulator.faults import Faults, Kind, Rule

CONTROL: Final = "/_emulator/"
SEED: Final = 20_260_601  # of every id that moto makes up: the same calls give the same ids


class CutError(ConnectionAbortedError):
    """The connection ends here, without a reply."""


class Emulator:
    """One emulated AWS: all accounts and regions, in this process."""

    def __init__(self, *, plain: bool = False) -> None:
        self.calls = CallLog()
        self.faults = Faults()
        self.answers = Answers()
        self.lock = threading.RLock()
        self.plain = plain
        self._modules: tuple[ModuleType, ...] = ()
        self._moto = Moto()
        if not plain:
            clock.install()
            self._modules = overlay.install()
        self._seed_ids()

    def tick(self) -> None:
        """Let the world catch up with the clock. To be called with the lock held."""
        overlay.tick(self._modules, clock.now())

    def reset(self) -> None:
        """Begin anew: no resources, faults, calls or changed delays. The clock goes on."""
        from moto.moto_api._internal.models import moto_api_backend

        with self.lock:
            moto_api_backend.reset()
            overlay.reset(self._modules)
            physics.reset()
            self.faults.clear()
            self.calls.clear()
            self.answers.forget()
            self._seed_ids()

    def answer(self, environ: dict[str, Any], body: bytes) -> Reply:
        """Answer one AWS request.

        Raises: CutError where a fault cuts the connection.
        """
        call = self.calls.open(environ, body, clock.now())
        rule, wait = self.faults.strike(call)
        if wait:
            threading.Event().wait(wait / 1000)
        if rule:
            call.fault = rule.kind.value
            if rule.kind is Kind.RESET:
                raise CutError
            if error := rule.error(call.service):
                return self._noted(call, render(call.service, error))
        like = (call.account, call.region, call.path, call.query, body)
        kept = rule.kept.get(like) if rule and rule.kind is Kind.STALE else None
        reply = self._noted(call, kept or self._handle(call, environ, body))
        if rule and rule.kind is Kind.HANG:
            self.faults.hold()
        return _after(rule, call, reply)

    def _handle(self, call: Call, environ: dict[str, Any], body: bytes) -> Reply:
        try:
            with self.lock:
                self.tick()
                return self._ask(call, environ, body) if self.plain else self._find(call, environ, body)
        except AwsError as error:
            return render(call.service, error)
        except NotImplementedError as error:
            return render(call.service, AwsError("EmulatorNotImplemented", _about(call, error), 501))
        except Exception as error:  # noqa: BLE001  # a crash of a handler is the service's 500
            traceback.print_exc()
            return render(call.service, internal(call.service, _about(call, error)))

    def _find(self, call: Call, environ: dict[str, Any], body: bytes) -> Reply:
        at = clock.now()
        reply = self.answers.find(call, at)
        if reply is None:
            reply = self._ask(call, environ, body)
            self.answers.keep(call, at, reply)
        return reply

    def _ask(self, call: Call, environ: dict[str, Any], body: bytes) -> Reply:
        code, headers, text = self._moto.ask(call, {**environ, "wsgi.input": BytesIO(body)})
        kind = headers.get("Content-Type", "")
        if code >= HTTPStatus.BAD_REQUEST and (
            not text or (kind.startswith("text/html") and b"<Code>" not in text)
        ):
            if code in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
                return render(call.service, AwsError("EmulatorNotImplemented", _about(call, code), 501))
            return render(call.service, internal(call.service, _about(call, code)))
        kept = tuple((k, v) for k, v in headers.items() if k.lower() not in ("content-length", "date"))
        return Reply(status=code, headers=kept, body=text)

    def _noted(self, call: Call, reply: Reply) -> Reply:
        call.status = reply.status
        if reply.status >= HTTPStatus.BAD_REQUEST:
            call.code = _code(reply)
        return reply

    def _seed_ids(self) -> None:
        from moto.moto_api._internal import mock_random

        mock_random.seed(SEED)


def _after(rule: Rule | None, call: Call, reply: Reply) -> Reply:
    if rule is None:
        return reply
    if rule.kind in (Kind.LOST, Kind.HANG):
        call.lost = True
        raise CutError
    if rule.kind is Kind.STALE and not call.code:
        rule.kept.setdefault((call.account, call.region, call.path, call.query, call.body), reply)
    if rule.kind is Kind.PARTIAL:
        return replace(reply, body=reply.body[: int(len(reply.body) * rule.keep)])
    return reply


def _about(call: Call, error: object) -> str:
    kind = f"{type(error).__name__}: " if isinstance(error, Exception) else ""
    return f"{call.service}:{call.operation}: {kind}{error}"


def _code(reply: Reply) -> str:
    if named := dict(reply.headers).get("x-amzn-ErrorType"):
        return named.rpartition("#")[2]
    before, found, after = reply.body.decode("utf-8", "replace").partition("<Code>")
    if found:
        return after.partition("</Code>")[0]
    return before.partition('"__type": "')[2].partition('"')[0].rpartition("#")[2]


class Handler(WSGIRequestHandler):
    """One connection: requests in, replies out, until either side ends it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # header and body are two writes: Nagle would hold the second for 40 ms

    def run_wsgi(self) -> None:
        """Answer one request. Not werkzeug's own, which ends the connection after each."""
        from emulator.control import control

        app: Any = self.server.app
        environ = self.make_environ()
        body = environ["wsgi.input"].read(*self._size(environ))
        try:
            if environ["PATH_INFO"].startswith(CONTROL):
                reply = control(app, environ, body)
            else:
                reply = app.answer(environ, body)
            self._send(reply)
        except ConnectionError:
            self.close_connection = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the emulator's time: the one `Date` of the answer."""
        return format_datetime(clock.now(), usegmt=True)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the call log knows."""

    def _size(self, environ: dict[str, Any]) -> tuple[int, ...]:
        return () if environ.get("wsgi.input_terminated") else (int(environ.get("CONTENT_LENGTH") or 0),)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)  # writes Server and Date
        for name, value in reply.headers:
            if name.lower() not in ("connection", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        if self.command != "HEAD":  # with the headers, in one write: another would let other threads in first
            self._headers_buffer += [b"\r\n", reply.body]  # type: ignore[attr-defined]
            self.flush_headers()
        else:
            self.end_headers()


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens."""

    emulator: Emulator
    server: BaseWSGIServer

    @property
    def url(self) -> str:
        """Where AWS clients find it."""
        return f"http://{self.server.host}:{self.server.port}"


def listen(emulator: Emulator, host: str, port: int) -> Running:
    """Bind a port (0: any that is free). `server.serve_forever()` then answers, a thread a connection."""
    server = make_server(host, port, emulator, threaded=True, request_handler=Handler)  # type: ignore[arg-type]
    server.daemon_threads = True  # type: ignore[attr-defined]
    return Running(emulator, server)
