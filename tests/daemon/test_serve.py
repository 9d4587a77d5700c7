"""Health, readiness, metrics and passes over real HTTP."""

import json
import socket
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from reconciler.daemon.serve import ListenError, Served, application, parse_address, serve


class State:
    """Says what a test wants said."""

    well = True

    def health(self) -> tuple[bool, dict[str, object]]:
        """See `serve.State.health`."""
        return self.well, {"ok": self.well, "why": []}

    def ready(self) -> tuple[bool, dict[str, object]]:
        """See `serve.State.ready`."""
        return self.well, {"ok": self.well, "why": [] if self.well else ["no commit is adopted"]}

    def passes(self) -> dict[str, object]:
        """See `serve.State.passes`."""
        return {"version": 1, "passes": [{"target": "prod"}]}


def get(http: Served, path: str, method: str = "GET") -> tuple[int, str, str]:
    try:
        with urlopen(Request(f"{http.url}{path}", method=method), timeout=30) as reply:
            return reply.status, reply.headers["Content-Type"], reply.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


def test_what_is_answered_and_that_nothing_else_is() -> None:
    state = State()
    with serve("127.0.0.1:0", application(state, lambda: b"up 1\n")) as http:
        assert get(http, "/healthz")[0] == get(http, "/readyz")[0] == 200
        state.well = False
        code, kind, body = get(http, "/readyz")
        assert (code, kind, json.loads(body)["why"]) == (503, "application/json", ["no commit is adopted"])
        assert get(http, "/healthz")[0] == 503
        assert get(http, "/metrics") == (200, "text/plain; version=0.0.4; charset=utf-8", "up 1\n")
        assert json.loads(get(http, "/api/v1/passes")[2])["passes"] == [{"target": "prod"}]
        assert get(http, "/")[0] == 404
        assert get(http, "/healthz", "POST")[0] == 405


def test_it_stops_though_a_client_keeps_its_connection_and_frees_its_port() -> None:
    http = serve("127.0.0.1:0", application(State(), bytes))
    with socket.create_connection(http.address) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        reply = client.makefile("rb")
        assert reply.readline().startswith(b"HTTP/1.1 200")
        http.stop()
        assert reply.read().endswith(b'{"ok":true,"why":[]}')  # to its end: the connection is closed
    with serve(f"127.0.0.1:{http.address[1]}", application(State(), bytes)) as again:
        assert get(again, "/healthz")[0] == 200


ADDRESSES = [
    ("127.0.0.1:8080", ("127.0.0.1", 8080)),
    ("[::1]:8080", ("::1", 8080)),
    (":8080", ("", 8080)),
    ("localhost:0", ("localhost", 0)),
]


@pytest.mark.parametrize(("text", "address"), ADDRESSES)
def test_an_address_is_read(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["8080", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:99999", ""])
def test_what_is_no_address_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ListenError, match=r"write host:port, as in 127\.0\.0\.1:8080"):
        parse_address(text)


def test_an_address_that_is_taken_is_refused_with_its_reason() -> None:
    with (
        serve("127.0.0.1:0", application(State(), bytes)) as http,
        pytest.raises(ListenError, match="choose another --listen"),
    ):
        serve(f"127.0.0.1:{http.address[1]}", application(State(), bytes))
