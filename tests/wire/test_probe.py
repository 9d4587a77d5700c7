"""A probe asks a real HTTP server as clients do: by Host, directly, without following or reading on."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from reconciler.core.ids import ResourceName
from reconciler.kinds.probe import ask
from reconciler.kinds.probe.live import Probed
from reconciler.kinds.probe.want import Probe
from tests.product import Product, environment, world_of
from tests.wire.company import BALANCER, NEW_AMI, base, fleet, zone

pytestmark = pytest.mark.wire

Answer = Callable[[BaseHTTPRequestHandler, int], None]
SHORT = 0.5  # seconds


def status(*codes: int, **headers: str) -> Answer:
    """Answer with these statuses by turns, the last one from then on."""

    def answer(handler: BaseHTTPRequestHandler, n: int) -> None:
        handler.send_response(codes[min(n, len(codes) - 1)])
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


@dataclass
class Served:
    """A server on this machine, and what it was asked."""

    port: int
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # Host, path, user agent

    def probe(self, **more: object) -> Probe:
        made = Probe(
            name=ResourceName("web-0000000002"),
            host="127.0.0.1",
            port=self.port,
            secure=False,
            header="web.example.com",
            path="/healthz?deep=1",
            status=200,
            times=3,
        )
        return replace(made, **more)


@contextmanager
def serving(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[Served]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            n = len(served.asked)
            served.asked.append((self.headers["Host"], self.path, self.headers["User-Agent"]))
            answer(self, n)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Clients that hang up are what is tested here."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        served = Served(server.server_address[1])
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield served
        finally:
            server.shutdown()


def test_it_passes_with_as_many_answers_in_a_row_as_are_wanted() -> None:
    with serving(status(200)) as web:
        probe = web.probe()
        assert ask.ask(probe) == Probed(probe=probe, passes=3)
    assert web.asked == [(f"web.example.com:{web.port}", "/healthz?deep=1", "reconciler-probe")] * 3


@pytest.mark.parametrize(
    ("codes", "wanted", "passes", "answer"),
    [
        ((503,), 200, 0, "503"),
        ((200, 200, 500), 200, 2, "500"),
        ((302,), 200, 0, "302"),
        ((302,), 302, 3, ""),
        ((204,), 200, 0, "204"),
    ],
    ids=["another status", "the third one", "a redirect", "a redirect that is wanted", "another good status"],
)
def test_any_other_answer_ends_it(codes: tuple[int, ...], wanted: int, passes: int, answer: str) -> None:
    with serving(status(*codes, Location="http://127.0.0.1:1/")) as web:
        found = ask.ask(web.probe(status=wanted))
    assert (found.passes, found.answer) == (passes, answer)
    assert len(web.asked) == min(passes + 1, 3)


def hang_up(handler: BaseHTTPRequestHandler, n: int) -> None:
    if n == 0:
        handler.close_connection = True
    else:
        status(200)(handler, n)


def test_one_request_without_an_answer_is_sent_once_more() -> None:
    with serving(hang_up) as web:
        assert ask.ask(web.probe()).passes == 3
    assert len(web.asked) == 4


def test_where_nobody_listens_there_is_no_answer() -> None:
    with serving(status(200)) as web:
        gone = web.probe()
    found = ask.ask(gone)
    assert found.passes == 0
    assert found.answer.startswith("no answer: ")


def test_a_name_that_leads_nowhere_gives_no_answer() -> None:
    with serving(status(200)) as web:
        found = ask.ask(web.probe(host="gone.invalid"))
    assert found.answer.startswith("no answer: ")


def test_an_answer_that_drips_is_late_however_much_of_it_came() -> None:
    done = threading.Event()

    def drip(handler: BaseHTTPRequestHandler, _: int) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not done.wait(0.05):
            handler.wfile.write(b"X-More: 1\r\n")

    with serving(drip) as web:
        found = ask.ask(web.probe(), SHORT)
        done.set()
    assert (found.passes, found.answer) == (0, f"no answer within {SHORT} s")


def test_a_body_without_end_is_not_read() -> None:
    done = threading.Event()

    def pour(handler: BaseHTTPRequestHandler, _: int) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not done.is_set():
            handler.wfile.write(b"x" * 65536)

    with serving(pour) as web:
        assert ask.ask(web.probe()).passes == 3
        done.set()


def test_proxies_of_the_environment_are_not_asked() -> None:
    dead = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:1")
    with serving(status(200)) as web, environment(dead):
        assert ask.ask(web.probe()).passes == 3


@pytest.fixture
def trust(tmp_path: Path) -> Iterator[Callable[[str], ssl.SSLContext]]:
    """Certificates that this process trusts, by the name that they are for."""
    bundle = tmp_path / "trusted.pem"

    def context(name: str) -> ssl.SSLContext:
        key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
        made = (
            x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(days=1))  # noqa: TID251  # TLS itself looks at it
            .not_valid_after(datetime.now(UTC) + timedelta(days=1))  # noqa: TID251
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
            .sign(key, hashes.SHA256())
        )
        bundle.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        both = tmp_path / "server.pem"
        both.write_bytes(secret + bundle.read_bytes())
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(both)
        return server

    ask._trusted.cache_clear()
    with environment({"SSL_CERT_FILE": str(bundle)}):
        yield context
    ask._trusted.cache_clear()


def test_over_tls_the_certificate_is_for_the_name_that_clients_ask_for(
    trust: Callable[[str], ssl.SSLContext],
) -> None:
    with serving(status(200), trust("web.example.com")) as web:
        assert ask.ask(web.probe(secure=True)).passes == 3
        other = ask.ask(web.probe(secure=True, header="shop.example.com"))
    assert "certificate verify failed" in other.answer
    assert other.answer.startswith("no answer: ")


def gated(port: int) -> str:
    """A fleet whose balancers listen where something answers."""
    traffic = BALANCER.replace("port: 80,", f"port: {port},")
    return fleet(traffic, rollout="keepOld: 5m, gates: {probe: {path: /healthz}}")


def test_a_rollout_asks_the_balancer_of_the_new_revision_alone(product: Product) -> None:
    with serving(status(200)) as web:
        product.aws.control.knob("address", pattern="web-*", address="127.0.0.1")
        product.commit({"t.yaml": base(), "z.yaml": zone(), "f.yaml": gated(web.port)})
        product.settle()
        web.asked.clear()
        product.plan()
        assert web.asked == []
        product.commit({"t.yaml": base(NEW_AMI)})
        product.aws.control.physics(provision=0)
        product.converge(until=lambda p: any(i.wait and "in service" in i.wait.why for i in p.plan.items))
        with product.session("plan") as session:
            (probed,) = world_of(session).probes
    assert (probed.passes, probed.probe.header) == (3, "web.example.com")
    assert {host for host, _, _ in web.asked} == {f"web.example.com:{web.port}"}
