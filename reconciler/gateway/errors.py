"""What went wrong with a call: sorted by what follows from it, and said in one redacted sentence.

Codes and messages are those of AWS's own replies; the ones that need their text are named where
they stand, for AWS gives them no code of their own.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from reconciler.core.errors import (
    ChangedError,
    ConflictError,
    DeadlineError,
    ForbiddenCallError,
    InvalidError,
    ReconcilerError,
    RetryLaterError,
    WrongAccountError,
)


class Failure(StrEnum):
    """What follows from a failed call."""

    THROTTLED = "throttled"  # ends the target's pass; the next one is later
    CREDENTIALS = "credentials"  # ends the target's pass; an operator must act
    DENIED = "denied"  # this operation alone; an operator must act
    NOT_FOUND = "not-found"  # the thing is gone, or not visible yet
    ALREADY_EXISTS = "already-exists"  # look whose it is
    IN_USE = "in-use"  # something still refers to it
    CHANGED = "changed"  # the world is not what was read
    INVALID = "invalid"  # the same request will fail again
    NOT_YET = "not-yet"  # AWS does not see a new thing yet; ask again for two minutes
    BUSY = "busy"  # something else is being done to it; ask again next pass
    UNKNOWN = "unknown"  # it may have happened: look before doing it again
    FORBIDDEN = "forbidden"  # our own allow-list refused it; nothing was sent
    DEADLINE = "deadline"  # the pass took too long; nothing was sent


ENDS_TARGET: Final = frozenset({Failure.THROTTLED, Failure.CREDENTIALS, Failure.DEADLINE})
"""Failures that end the target's pass; all others end one fleet's or zone's moves alone."""

_OURS: Final[tuple[tuple[type[Exception], Failure], ...]] = (
    (ForbiddenCallError, Failure.FORBIDDEN),
    (DeadlineError, Failure.DEADLINE),
    (WrongAccountError, Failure.CREDENTIALS),
    (ConflictError, Failure.ALREADY_EXISTS),
    (ChangedError, Failure.CHANGED),
    (InvalidError, Failure.INVALID),
    (RetryLaterError, Failure.NOT_YET),
    (boto.NoCredentialsError, Failure.CREDENTIALS),
    (boto.PartialCredentialsError, Failure.CREDENTIALS),
    (boto.CredentialRetrievalError, Failure.CREDENTIALS),
    (boto.TokenRetrievalError, Failure.CREDENTIALS),
    (boto.SSOError, Failure.CREDENTIALS),
    (boto.ProfileNotFound, Failure.CREDENTIALS),
    (boto.NoRegionError, Failure.INVALID),
    (boto.ParamValidationError, Failure.INVALID),
    (boto.HTTPClientError, Failure.UNKNOWN),
    (ResponseParserError, Failure.UNKNOWN),
)

_CODES: Final[Mapping[Failure, str]] = {
    Failure.BUSY: (
        "PriorRequestNotComplete ScalingActivityInProgress ScalingActivityInProgressFault"
        " ResourceContention ResourceContentionFault OperationAborted IncorrectState"
        " WAFUnavailableEntityException"
    ),
    Failure.THROTTLED: (
        "Throttling ThrottlingException ThrottledException RequestThrottled"
        " RequestThrottledException RequestLimitExceeded TooManyRequestsException"
        " BandwidthLimitExceeded EC2ThrottledException SlowDown"
    ),
    Failure.CREDENTIALS: (
        "ExpiredToken ExpiredTokenException InvalidClientTokenId UnrecognizedClientException"
        " AuthFailure SignatureDoesNotMatch InvalidSignatureException IncompleteSignature"
        " MissingAuthenticationToken MissingAuthenticationTokenException InvalidAccessKeyId"
        " RequestExpired RequestTimeTooSkewed RegionDisabledException"
    ),
    Failure.DENIED: (
        "AccessDenied AccessDeniedException UnauthorizedOperation Unauthorized NotAuthorized"
        " OptInRequired OperationNotPermitted OperationNotPermittedException"
    ),
    Failure.ALREADY_EXISTS: "PriorityInUse PriorityInUseException",
    Failure.IN_USE: "ResourceInUse ResourceInUseFault DependencyViolation",
    Failure.NOT_FOUND: "WAFNonexistentItemException",
    Failure.CHANGED: "InvalidChangeBatch IdempotentParameterMismatch",
    Failure.UNKNOWN: (
        "InternalFailure InternalError InternalServerError InternalServiceError"
        " ServiceUnavailable ServiceUnavailableException Unavailable RequestTimeout"
        " RequestTimeoutException WAFInternalErrorException"
    ),
}
_BY_CODE: Final = {code: failure for failure, codes in _CODES.items() for code in codes.split()}

# A new template or instance profile is visible to us before EC2 Auto Scaling sees it; both come as a
# ValidationError, and so does every real mistake.
_NOT_YET: Final = re.compile(
    r"must use a valid fully-formed launch template|Invalid IAM ?Instance ?Profile", re.IGNORECASE
)
_PENDING: Final = re.compile(r"pending delete|delete in progress|is being deleted", re.IGNORECASE)
_ABSENT: Final = re.compile(r"\bnot found\b|does not exist|No .{1,40} found", re.IGNORECASE)
_MISMATCH: Final = re.compile(r"already exists|not found|do not match", re.IGNORECASE)


def classify(exc: BaseException) -> Failure:
    """Return what follows from an exception that a call raised.

    What is not known is UNKNOWN: it may have happened.
    """
    for kind, failure in _OURS:
        if isinstance(exc, kind):
            return failure
    if isinstance(exc, boto.ClientError):
        return _by_reply(exc)
    return Failure.UNKNOWN


def foreseen(exc: BaseException) -> bool:
    """Is this an error of AWS, of the way there, or one that we raise ourselves; else it is a fault."""
    return isinstance(exc, ReconcilerError | boto.BotoCoreError | boto.ClientError)


def code_of(exc: BaseException) -> str:
    """Return AWS's error code, or an empty string."""
    return _code(exc) if isinstance(exc, boto.ClientError) else ""


def _code(exc: boto.ClientError) -> str:
    return str(exc.response.get("Error", {}).get("Code", "")).removeprefix("Client.")


def _by_reply(exc: boto.ClientError) -> Failure:
    code = _code(exc)
    message = str(exc.response.get("Error", {}).get("Message", ""))
    status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    by_text = _by_text(code, message)
    if by_text is not None:
        return by_text
    failure = _BY_CODE.get(code) or _by_shape(code)
    if failure is Failure.DENIED and exc.operation_name in {"AssumeRole", "GetCallerIdentity"}:
        return Failure.CREDENTIALS
    if failure is not None:
        return failure
    if status == 429:
        return Failure.THROTTLED
    return Failure.UNKNOWN if status >= 500 else Failure.INVALID


def _by_text(code: str, message: str) -> Failure | None:
    if code in {"ValidationError", "AlreadyExists", "AlreadyExistsFault"} and _PENDING.search(message):
        return Failure.BUSY
    if code == "ValidationError":
        if _NOT_YET.search(message):
            return Failure.NOT_YET
        return Failure.NOT_FOUND if _ABSENT.search(message) else Failure.INVALID
    if code == "InvalidChangeBatch" and not _MISMATCH.search(message):
        return Failure.INVALID
    return None


def _by_shape(code: str) -> Failure | None:
    """Sort the codes that AWS builds from a resource's name."""
    if "AlreadyExists" in code or code.startswith("Duplicate") or code.endswith(".Duplicate"):
        return Failure.ALREADY_EXISTS
    if "NotFound" in code or code.startswith("NoSuch"):
        return Failure.NOT_FOUND
    if code.endswith(("InUse", "InUseException")):
        return Failure.IN_USE
    return None


# -- one sentence ------------------------------------------------------------------------------

_LONGEST: Final = 300  # characters of AWS's own words
_HIDDEN: Final = "[hidden]"
_REDACTIONS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"(https?://)[^\s/@]+@"), r"\1"),  # who logs in
    (re.compile(r"(https?://[^\s?#'\"<>]+)[?#][^\s'\"<>]*"), r"\1"),  # signed links
    (re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{8,}\b"), _HIDDEN),
    (re.compile(r"(?i)(authorization|token|secret|password|signature)(\w*\s*[=:]\s*)\S+"), rf"\1\2{_HIDDEN}"),
    (re.compile(r"(?i)(encoded authorization failure message:?\s*)\S+"), rf"\1{_HIDDEN}"),
    (re.compile(r"(?i)\bvalue '.*?' at\b", re.DOTALL), "the value at"),  # echoes the request
    (re.compile(r"[A-Za-z0-9+/_=-]{64,}"), _HIDDEN),  # base64: user data, tokens
)
_FIELDS: Final = re.compile(r"(?:parameter|input:?|for) \"?([A-Z]\w*(?:[.\[][\w.\[\]]*)?)")


def redacted(text: str) -> str:
    """Return text in one line, cut short, without credentials, signed links or request bodies."""
    for pattern, instead in _REDACTIONS:
        text = pattern.sub(instead, text)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def say(exc: BaseException) -> str:
    """Return what went wrong in one sentence that may be shown and logged."""
    if isinstance(exc, boto.ClientError):
        message = redacted(str(exc.response.get("Error", {}).get("Message", "")))
        said = f"{exc.operation_name}: {_code(exc) or 'error'}"
        return f"{said}: {message}" if message else said
    if isinstance(exc, boto.ParamValidationError):  # its text holds the values
        fields = ", ".join(dict.fromkeys(_FIELDS.findall(str(exc)))) or "a parameter"
        return f"the request is malformed: {fields}"
    if isinstance(exc, ResponseParserError):  # its text holds the reply's body
        return "the reply could not be understood"
    if isinstance(exc, boto.HTTPClientError):
        return f"no reply: {redacted(str(exc))}"
    return redacted(str(exc)) or type(exc).__name__
