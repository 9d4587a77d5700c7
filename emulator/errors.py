"""Error answers in the shape of each AWS protocol, so that every client reads them as AWS's own."""

import json
from dataclasses import dataclass
from typing import Final
from uuid import uuid4
from xml.sax.saxutils import escape

PROTOCOLS: Final = {
    "cloudwatch": "json",
    "ec2": "ec2",
    "route53": "rest-xml",
    "ssm": "json",
    "wafv2": "json",
}
"""Protocols of the services that are served; all others are `query`."""

THROTTLED: Final = {
    "cloudwatch": ("ThrottlingException", 400),
    "ec2": ("RequestLimitExceeded", 503),
    "ssm": ("ThrottlingException", 400),
    "wafv2": ("ThrottlingException", 400),
}
"""What each service answers when it is asked too often; all others `Throttling`."""

INTERNAL: Final = {"ec2": ("InternalError", 500), "ssm": ("InternalServerError", 500)}
"""What each service answers when it fails; all others `InternalFailure`."""


class AwsError(Exception):
    """An answer that AWS would give. May be raised anywhere below a request."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One HTTP answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def throttled(service: str) -> AwsError:
    """Return what a service says when it is asked too often."""
    code, status = THROTTLED.get(service, ("Throttling", 400))
    return AwsError(code, "Rate exceeded", status)


def internal(service: str, message: str = "An internal error has occurred") -> AwsError:
    """Return what a service says when it fails."""
    code, status = INTERNAL.get(service, ("InternalFailure", 500))
    return AwsError(code, message, status)


def render(service: str, error: AwsError) -> Reply:
    """Return an error in the protocol of the service."""
    request = str(uuid4())
    protocol = PROTOCOLS.get(service, "query")
    if protocol == "json":
        body = json.dumps({"__type": error.code, "message": error.message})
        kind = "application/x-amz-json-1.1"
    else:
        code, message = escape(error.code), escape(error.message)
        side = "Sender" if error.status < 500 else "Receiver"
        if protocol == "ec2":
            body = (
                f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
                f"<RequestID>{request}</RequestID></Response>"
            )
        else:
            body = (
                f"<ErrorResponse><Error><Type>{side}</Type><Code>{code}</Code><Message>{message}</Message>"
                f"</Error><RequestId>{request}</RequestId></ErrorResponse>"
            )
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'
        kind = "text/xml;charset=UTF-8"
    headers = (("Content-Type", kind), ("x-amzn-RequestId", request), ("x-amzn-ErrorType", error.code))
    return Reply(status=error.status, headers=headers, body=body.encode())
