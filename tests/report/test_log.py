"""The log: JSON or for people, libraries alike, and no secret in any line."""

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import structlog

from reconciler.report import log

CANARY = "c4n4ry-0f-a-t0k3n"


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """The log is one for the process: leave it as it was found."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def lines(out: StringIO) -> list[dict[str, Any]]:
    return [json.loads(x) for x in out.getvalue().splitlines()]


def test_it_is_json_where_nobody_watches_and_words_on_a_terminal() -> None:
    quiet, watched = StringIO(), Terminal()
    for out in (quiet, watched):
        log.configure(stream=out)
        structlog.get_logger("reconciler").info("pass.done", target="prod")
    assert lines(quiet)[0]["event"] == "pass.done"
    assert "pass.done" in watched.getvalue()
    assert not watched.getvalue().lstrip().startswith("{")


def test_libraries_that_use_the_standard_library_come_out_alike() -> None:
    out = StringIO()
    log.configure(form="json", stream=out)
    logging.getLogger("botocore.retries").warning("slow %s", "down")
    (line,) = lines(out)
    assert (line["event"], line["level"], line["logger"]) == ("slow down", "warning", "botocore.retries")


def test_what_libraries_say_of_requests_is_never_told() -> None:
    out = StringIO()
    log.configure(form="json", level="debug", stream=out)
    for name in ("botocore.endpoint", "urllib3.connectionpool", "git.cmd"):
        logging.getLogger(name).debug("headers %s", CANARY)
    assert out.getvalue() == ""


def test_a_pass_names_itself_in_every_line_inside_and_in_none_after() -> None:
    out = StringIO()
    log.configure(form="json", stream=out)
    with log.during_pass("c0ffee", "prod") as pass_id:
        structlog.get_logger("x").info("inside")
        logging.getLogger("library").warning("inside too")
    structlog.get_logger("x").info("after")
    first, second, third = lines(out)
    for line in (first, second):
        assert (line["pass_id"], line["commit"], line["target"]) == (pass_id, "c0ffee", "prod")
    assert "pass_id" not in third


def raised() -> Exception:
    try:
        int(CANARY)
    except ValueError as error:
        return error
    raise AssertionError


PLACES: list[tuple[str, dict[str, Any]]] = [
    ("a value", {"why": f"said {CANARY} twice: {CANARY}"}),
    ("a value deep down", {"row": {"a": [("b", {"c": f"x{CANARY}x"})]}}),
    ("a traceback", {"exc_info": raised()}),
    ("an object", {"error": raised()}),
    ("a field of a secret name", {"git_token": "other", "password": "other"}),
]


@pytest.mark.parametrize("fields", [f for _, f in PLACES], ids=[n for n, _ in PLACES])
@pytest.mark.parametrize("form", ["json", "console"])
def test_a_known_secret_never_reaches_the_log(form: log.Format, fields: dict[str, Any]) -> None:
    out = StringIO()
    log.configure(form=form, secrets=[CANARY, ""], stream=out)
    structlog.get_logger("reconciler").error("poll.failed", **fields)
    text = out.getvalue()
    assert CANARY not in text
    assert "other" not in text
    assert "[hidden]" in text


SHAPES = [
    "https://x-access-token:abcdefgh@git.example.com/a.git",
    "Authorization: Bearer abcdefghijkl.mnop",
    "Authorization: Basic eC1hY2Nlc3M6c2VjcmV0",
    "AKIAIOSFODNN7EXAMPLE",
    "aws_secret_access_key=wJalrXUtnFEMIK7MDENG",
    "https://bucket.example.com/k?X-Amz-Signature=0123456789abcdef",
    "ghp_0123456789abcdefghijABCDEFGHIJ",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz\n-----END OPENSSH PRIVATE KEY-----",
]


@pytest.mark.parametrize("text", SHAPES)
def test_what_looks_like_a_secret_never_reaches_the_log(text: str) -> None:
    secret = {"abcdefgh", "abcdefghijkl", "eC1h", "IOSFODNN7", "wJalr", "0123456789abcdef", "b3Blbn"}
    out = StringIO()
    log.configure(form="json", stream=out)
    logging.getLogger("library").warning("said: %s", text)
    assert not any(s in out.getvalue() for s in secret)
    assert "said: " in out.getvalue()


def test_a_level_below_the_least_is_not_told() -> None:
    out = StringIO()
    log.configure(form="json", level="warning", stream=out)
    structlog.get_logger("reconciler").info("pass.done")
    assert out.getvalue() == ""
