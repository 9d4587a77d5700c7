"""The log: structlog, set up once. JSON where nobody watches, lines for people on a terminal.

Libraries that log by the standard library come out alike. Before anything is written, values that
are secret, or look like one, are hidden: known ones by value, others by name and by shape.
"""

import io
import logging
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, Final, Literal, TextIO, TypeAlias
from uuid import uuid4

import structlog

Format: TypeAlias = Literal["auto", "json", "console"]

HIDDEN: Final = "[hidden]"
_SAME: Final = rf"\1{HIDDEN}"
SHORTEST: Final = 6  # characters: hiding shorter ones would garble every line
FIRST: Final = ("timestamp", "level", "event")
QUIET: Final = ("botocore", "boto3", "urllib3", "git", "apscheduler", "uvicorn", "asyncio")
"""Libraries whose debug lines hold requests, headers and bodies: never below warning."""

_NAMES: Final = re.compile(
    r"(?i)(^|_)(token|secret|password|passwd|authorization|credentials?|user_?data|api_?key)$"
)
_SHAPES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"(https?://)[^\s/@]+@"), r"\1"),  # who logs in
    (re.compile(r"(?i)([?&]X-Amz-[A-Za-z-]+=)[^&\s\"']+"), _SAME),  # signed links
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"), HIDDEN),
    (re.compile(r"\b(?:gh[pousr]_|glpat-|github_pat_)[A-Za-z0-9_-]{10,}"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/=._-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?i)\b([\w-]*(?:secret|password|token|signature)[\w-]*\s*[=:]\s*)[^\s,;]+"), _SAME),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*KEY-----|$)", re.DOTALL), HIDDEN),
)


class Redaction:
    """A structlog processor that hides secrets in every value, however deep, and in tracebacks."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {s.strip() for s in secrets if len(s.strip()) >= SHORTEST}
        self._known = sorted(known, key=len, reverse=True)  # one may be a part of another

    def __call__(self, _logger: object, _method: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """Return the line without secrets, what every line has in front."""
        ordered = {key: line[key] for key in FIRST if key in line} | dict(line)
        return {key: self._value(key, value) for key, value in ordered.items()}

    def _value(self, key: str, value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if _NAMES.search(key) and value:
            return HIDDEN
        if isinstance(value, Mapping):
            return {str(k): self._value(str(k), v) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value("", v) for v in value]
        return self.text(value if isinstance(value, str) else str(value))

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        for pattern, instead in _SHAPES:
            text = pattern.sub(instead, text)
        return text


def configure(
    *,
    form: Format = "auto",
    level: str = "info",
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Set the log up for this process. `auto`: for people where the stream is a terminal, else JSON."""
    out = sys.stdout if stream is None else stream
    people = form == "console" or (form == "auto" and out.isatty())
    redaction = Redaction(secrets)
    least = logging.getLevelNamesMapping()[level.upper()]
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        redaction,
        structlog.dev.ConsoleRenderer(colors=out.isatty(), pad_event_to=24)
        if people
        else structlog.processors.JSONRenderer(sort_keys=False),
    ]
    handler = logging.StreamHandler(out)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=last))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(least)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(least, logging.WARNING))
    # a pass that takes longer than its interval is told by its own line, not by the clock that waits for it
    logging.getLogger("apscheduler").setLevel(max(least, logging.ERROR))
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(least),
        cache_logger_on_first_use=False,
    )
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(line_buffering=True)  # a line that is written is a line that survives kill -9


@contextmanager
def during_pass(commit: str, target: str) -> Iterator[str]:
    """Name pass, commit and target in every line told inside. Return the pass's id."""
    pass_id = uuid4().hex[:12]
    with structlog.contextvars.bound_contextvars(pass_id=pass_id, commit=commit, target=target):
        yield pass_id
