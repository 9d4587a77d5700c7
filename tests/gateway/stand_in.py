"""A stand-in for AWS on 127.0.0.1: answers what it is told to, and remembers what it was sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/x</Arn><UserId>AIDA</UserId>
<Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""

ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role</SecretAccessKey>
<SessionToken>role-token</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""

ERROR = """<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error>
<RequestId>r</RequestId></ErrorResponse>"""


@dataclass
class Sent:
    operation: str
    form: dict[str, list[str]]
    agent: str
    authorization: str


@dataclass
class StandIn:
    """What is answered: by operation, one answer after the other, the last one for ever."""

    account: str = "123456789012"
    url: str = ""
    sent: list[Sent] = field(default_factory=list)
    answers: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    dates: list[str] = field(default_factory=list)
    hang: set[str] = field(default_factory=set)
    hold: threading.Event = field(default_factory=threading.Event)

    def of(self, operation: str) -> list[Sent]:
        return [s for s in self.sent if s.operation == operation]

    def answer(self, operation: str) -> tuple[int, str]:
        queue = self.answers.get(operation)
        if queue:
            return queue.pop(0) if len(queue) > 1 else queue[0]
        if operation == "GetCallerIdentity":
            return 200, IDENTITY.format(account=self.account)
        if operation == "AssumeRole":
            return 200, ASSUMED
        return 200, f"<{operation}Response><{operation}Result/></{operation}Response>"


def error(status: int, code: str, message: str = "no") -> tuple[int, str]:
    return status, ERROR.format(code=code, message=message)


@contextmanager
def stand_in(state: StandIn) -> Iterator[StandIn]:
    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            self.reply(parse_qs(body).get("Action", ["?"])[0], parse_qs(body))

        def do_GET(self):
            self.reply(self.path.split("?")[0], {})

        def reply(self, operation, form):
            state.sent.append(
                Sent(
                    operation=operation,
                    form=form,
                    agent=self.headers.get("User-Agent", ""),
                    authorization=self.headers.get("Authorization", ""),
                )
            )
            if operation in state.hang:
                state.hold.wait(30)
                self.close_connection = True
                return
            status, body = state.answer(operation)
            self.send_response_only(status)
            if state.dates:
                self.send_header("Date", state.dates.pop(0) if len(state.dates) > 1 else state.dates[0])
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        state.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()
