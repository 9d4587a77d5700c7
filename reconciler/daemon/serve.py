"""Health, readiness, metrics and the last passes over HTTP, in a thread of their own."""

import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from threading import Thread
from typing import Final, Protocol, Self, TypeAlias

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reconciler.core.errors import ReconcilerError

Json: TypeAlias = dict[str, object]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
FRESH: Final = {"Cache-Control": "no-store"}
ENDS: Final = 1  # seconds that an open connection gets when the program ends


class ListenError(ReconcilerError):
    """An operator must act: the address can't be listened on."""


class State(Protocol):
    """What is asked for by HTTP. Each answers at once, from memory."""

    def health(self) -> tuple[bool, Json]:
        """Is the process alive, and why not."""

    def ready(self) -> tuple[bool, Json]:
        """Does the process do its work, and why not."""

    def passes(self) -> Json:
        """The last pass of each target."""


def application(state: State, metrics: Callable[[], bytes], hooks: Sequence[Route] = ()) -> Starlette:
    """Return the web application: nothing in it changes anything; a hook only wakes who looks."""

    def judged(ask: Callable[[], tuple[bool, Json]]) -> Endpoint:
        async def answer(_request: Request) -> Response:
            well, body = ask()
            return JSONResponse(body, status_code=200 if well else 503, headers=FRESH)

        return answer

    async def passes(_request: Request) -> Response:
        return JSONResponse(state.passes(), headers=FRESH)

    async def counted(_request: Request) -> Response:
        return Response(metrics(), media_type=METRICS_TYPE, headers=FRESH)

    return Starlette(
        routes=[
            Route("/healthz", judged(state.health)),
            Route("/readyz", judged(state.ready)),
            Route("/metrics", counted),
            Route("/api/v1/passes", passes),
            *hooks,
        ]
    )


@dataclass(slots=True, kw_only=True)
class Served:
    """A server that runs."""

    address: tuple[str, int]
    _server: uvicorn.Server
    _thread: Thread

    def __enter__(self) -> Self:
        """Return this server."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop this server."""
        self.stop()

    def stop(self) -> None:
        """Answer no more. Open connections are cut off after a second."""
        self._server.should_exit = True
        self._thread.join(ENDS + 1)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def parse_address(listen: str) -> tuple[str, int]:
    """Return host and port of `127.0.0.1:8080`, `[::1]:8080` or `:8080` (every address).

    Raises: ListenError.
    """
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise ListenError(f"{listen!r} is no address to listen on; write host:port, as in 127.0.0.1:8080")
    return host.strip("[]"), int(port)


def serve(listen: str, app: Starlette) -> Served:
    """Answer at an address until stopped. Port 0 takes a free one. Raises: ListenError."""
    host, port = parse_address(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family)
    except OSError as error:
        raise ListenError(f"can't listen on {listen}: {error.strerror}; choose another --listen") from None
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=ENDS, ws="none"
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [bound]}, name="http", daemon=True)
    thread.start()
    name = bound.getsockname()
    return Served(address=(str(name[0]), int(name[1])), _server=server, _thread=thread)
