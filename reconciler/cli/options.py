"""Options that many commands share, and how errors are told."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from reconciler.core.duration import parse_duration
from reconciler.core.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.daemon.settings import Settings


class Form(StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


class Plain(StrEnum):
    """How a result is printed where markdown has no use."""

    TEXT = "text"
    JSON = "json"


Repo: TypeAlias = Annotated[
    str | None,
    typer.Option("--repo", metavar="URL|PATH", help="Git repository of the desired state. [default: .]"),
]
Ref: TypeAlias = Annotated[
    str | None, typer.Option("--ref", metavar="NAME", help="Branch, tag or commit. [default: remote HEAD]")
]
Folder: TypeAlias = Annotated[
    str | None, typer.Option("--path", metavar="DIR", help="Folder of the repository. [default: its root]")
]
Targets: TypeAlias = Annotated[
    list[str] | None, typer.Option("--target", metavar="NAME", help="Target; repeatable. [default: all]")
]
Format: TypeAlias = Annotated[Form, typer.Option("--format", help="How it is printed.")]
PlainFormat: TypeAlias = Annotated[Plain, typer.Option("--format", help="How it is printed.")]


def span(text: str) -> timedelta:
    """Return a duration from the command line."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}; write 90s, 5m or 1h30m") from None


def settings(
    repo: str | None, ref: str | None, path: str | None, target: list[str] | None, **more: object
) -> "Settings":
    """Return the settings with what the command line said. Raises: SettingsError."""
    from reconciler.daemon.settings import Settings

    return Settings(repo=repo, ref=ref, path=path, target=tuple(target or ()), **more)


def out(text: str) -> None:
    """Print data."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()


def err(text: str) -> None:
    """Print what is not data."""
    sys.stderr.write(f"{text}\n")


def on_terminal() -> bool:
    """Is stdout a terminal: then there is colour and live progress."""
    return sys.stdout.isatty()


@contextmanager
def told() -> Iterator[None]:
    """Turn our own errors into sentences and exit code 1."""
    try:
        yield
    except ReconcilerError as error:
        for problem in getattr(error, "problems", ()):
            err(str(problem))
        err(f"error: {error}")
        raise typer.Exit(1) from None
