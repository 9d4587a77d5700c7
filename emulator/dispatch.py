"""Moto, asked without what its server does around each request.

Its server looks a service up by 200 patterns of hosts, and has Flask find the handler of the path: as
long as most answers take to be made. Here the service is known from the signature, and each that we
serve has one handler for all paths. All else goes through the server.
"""

from collections.abc import Callable, Mapping
from functools import cache
from itertools import count
from typing import Any, Final

from moto import backends
from moto.core import responses, utils
from moto.core.request import Request
from moto.core.serialize import AttributePickerContext, XFormedAttributePicker
from moto.moto_server.werkzeug_app import BackendRequest, DomainDispatcherApplication, create_backend_app
from werkzeug.exceptions import HTTPException
from werkzeug.test import run_wsgi_app

from emulator.calls import Call

Handler = Callable[[Request, str, dict[str, str]], Any]
Answer = tuple[int, Mapping[str, str], bytes]

_SERVED: Final = ("autoscaling", "cloudwatch", "ec2", "elb", "elbv2", "route53", "ssm", "sts", "wafv2")
_REQUESTS: Final = count(1)
_NAMES: Final[dict[Any, tuple[str, ...]]] = {}  # by class, member and its shape


def _request_id(headerdict: dict[str, Any] | None = None) -> str:
    """Return an id as long as moto's, which throws dice 52 times."""
    identifier = f"{next(_REQUESTS):052}"
    if headerdict is not None:
        headerdict["x-amzn-requestid"] = identifier
    return identifier


class _Picker(XFormedAttributePicker):
    """Moto's, which asks itself for each value of each thing again by which names it may go."""

    def get_possible_keys(self, context: AttributePickerContext) -> Any:
        shape = context.shape
        kind = (type(context.obj), context.key, shape, getattr(shape, "parent", None))
        if kind not in _NAMES:
            _NAMES[kind] = tuple(super().get_possible_keys(context))
        return _NAMES[kind]


@cache
def _handler(service: str) -> Handler | None:
    """Return the one function by which moto handles all requests to a service, if it is one."""
    backend: Any = backends.get_backend(service)["123456789012"]  # type: ignore[call-overload]
    found = {*(backend["us-east-1"] if "us-east-1" in backend else backend["aws"]).flask_paths.values()}
    return found.pop() if len(found) == 1 else None


class Moto:
    """Moto's services."""

    def __init__(self) -> None:
        self._server = DomainDispatcherApplication(create_backend_app)
        self._server.get_backend_for_host = cache(self._server.get_backend_for_host)  # type: ignore[method-assign]
        responses.method_names_from_class = cache(utils.method_names_from_class)  # type: ignore[attr-defined]
        responses.XFormedAttributePicker = _Picker  # type: ignore[attr-defined]
        responses.gen_amzn_requestid_long = _request_id  # type: ignore[attr-defined]

    def ask(self, call: Call, environ: dict[str, Any]) -> Answer:
        """Return status, headers and body. Raises: what a handler raises that is no answer."""
        handler = _handler(call.service) if call.service in _SERVED and call.operation else None
        if handler is None:
            content, status, headers = run_wsgi_app(self._server, environ, buffered=True)
            return int(status.split()[0]), dict(headers), b"".join(content)
        request = BackendRequest(environ)
        try:
            code, given, text = handler(request, request.raw_url, dict(request.headers))
        except HTTPException as error:
            return error.code or 500, dict(error.get_headers()), error.get_body().encode()
        kind = {} if any(k.lower() == "content-type" for k in given) else {"Content-Type": "text/html"}
        return int(code), {**given, **kind}, text.encode() if isinstance(text, str) else text
