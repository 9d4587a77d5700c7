"""The call log: every AWS request that arrived, what it asked for, and how it was answered."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from io import BytesIO
from typing import Any, Final
from urllib.parse import parse_qsl

from emulator.errors import PROTOCOLS

SIGNED: Final = {"monitoring": "cloudwatch"}
"""Services that sign by another name than botocore's."""

_CLASSIC: Final = "2012-06-01"  # API version of classic load balancing; the other signs the same name


@dataclass(slots=True, kw_only=True)
class Call:
    """One request. `status` and `code` are filled in once it was answered."""

    n: int
    time: datetime  # of the emulator's clock
    service: str  # as botocore names it
    operation: str
    account: str
    region: str
    user_agent: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    status: int = 0  # 0: cut before it was answered
    code: str = ""  # of the error, if it is one
    lost: bool = False  # the effect happened, the reply never left
    fault: str = ""  # kind of the fault that was injected
    _params: dict[str, Any] | None = field(default=None, repr=False)

    def params(self) -> dict[str, Any]:
        """Return the request's members by AWS's own names; `{"raw": ...}` where no model reads it."""
        if self._params is None:
            kind = self.headers.get("Content-Type", "")
            self._params = _parse(
                self.service, self.operation, self.method, self.path, self.query, kind, self.body
            )
        return self._params

    def as_json(self) -> dict[str, Any]:
        """Return the call as the control API shows it."""
        return {
            "n": self.n,
            "time": self.time.isoformat(),
            "service": self.service,
            "operation": self.operation,
            "account": self.account,
            "region": self.region,
            "user_agent": self.user_agent,
            "params": self.params(),
            "status": self.status,
            "code": self.code,
            "lost": self.lost,
            "fault": self.fault,
        }


class CallLog:
    """Every call since the start or since it was cleared."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._count = 0
        self._lock = threading.Lock()

    def open(self, environ: Mapping[str, Any], body: bytes, at: datetime) -> Call:
        """Note a request that arrived."""
        service, region = _scope(environ, body)
        with self._lock:
            self._count += 1
            call = Call(
                n=self._count,
                time=at,
                service=service,
                operation=_operation(service, environ, body),
                account=_account(environ),
                region=region,
                user_agent=environ.get("HTTP_USER_AGENT", ""),
                method=environ["REQUEST_METHOD"],
                path=environ["PATH_INFO"],
                query=environ.get("QUERY_STRING", ""),
                headers=_headers(environ),
                body=body,
            )
            self._calls.append(call)
        return call

    def since(self, n: int = 0) -> list[Call]:
        """Return the calls numbered above `n`, oldest first."""
        with self._lock:
            return [c for c in self._calls if c.n > n]

    def clear(self) -> None:
        """Forget the calls; numbers go on."""
        with self._lock:
            self._calls = []


def _form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _scope(environ: Mapping[str, Any], body: bytes) -> tuple[str, str]:
    """Return service and region from the signature's scope (SigV4)."""
    words = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split(",")[0].split("/")
    if len(words) < 5:
        return "", ""
    region, service = words[2], words[3]
    if service == "elasticloadbalancing":
        service = "elb" if f"Version={_CLASSIC}".encode() in body else "elbv2"
    return SIGNED.get(service, service), region


def _account(environ: Mapping[str, Any]) -> str:
    from moto.iam.models import get_account_id_from

    key = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition("/")[0]
    return get_account_id_from(key)


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    named = {k[5:].replace("_", "-").title(): str(v) for k, v in environ.items() if k.startswith("HTTP_")}
    return {**named, "Content-Type": environ.get("CONTENT_TYPE", "")}


def _operation(service: str, environ: Mapping[str, Any], body: bytes) -> str:
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).rpartition(".")[2]
    if PROTOCOLS.get(service) == "rest-xml":
        return _routed(service, environ)[0]
    return _form(body).get("Action", "")


def _routed(service: str, environ: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    from moto.core.request import Request
    from moto.core.routing import get_service_router
    from werkzeug.exceptions import HTTPException

    try:
        operation, members = get_service_router(service).match(Request(dict(environ)))
    except (HTTPException, NotImplementedError):
        return "", {}
    return str(operation.name), dict(members)


@cache
def _model(service: str) -> Any:
    from moto.core.utils import get_service_model

    return get_service_model(service)


@lru_cache(2048)  # the product asks the same again and again
def _parse(
    service: str, operation: str, method: str, path: str, query: str, kind: str, body: bytes
) -> dict[str, Any]:
    from moto.core.parse import PROTOCOL_PARSERS
    from moto.core.request import Request

    try:
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": kind,
            "CONTENT_LENGTH": str(len(body)),
            "SERVER_NAME": "emulator",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
        }
        request = Request(environ)
        members = _routed(service, environ)[1] if PROTOCOLS.get(service) == "rest-xml" else {}
        model = _model(service)
        parser = PROTOCOL_PARSERS[PROTOCOLS.get(service, "query")](model.operation_model(operation))
        parsed = parser.parse(
            {
                "method": method,
                "values": request.values,
                "headers": request.headers,
                "body": body,
                "url_path": path,
                "url_params": members,
            }
        )
        return dict(json.loads(json.dumps(parsed, default=str)))
    except Exception:  # noqa: BLE001  # a log shows what came, readable or not
        return {"raw": body.decode("utf-8", "replace")}
