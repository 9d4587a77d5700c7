"""What every git host has, in words that are no host's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from reconciler.core.errors import ReconcilerError, RetryLaterError
from reconciler.core.ids import Commit


class State(StrEnum):
    """States of the commit status `reconciler/plan`."""

    SUCCESS = "success"  # planned, within limits or approved; drift and pending never count
    FAILURE = "failure"  # invalid, conflict, over a limit
    PENDING = "pending"  # not planned yet, stale, draft
    ERROR = "error"  # something could not be read


CONTEXT = "reconciler/plan"
DESCRIPTION = 140  # characters of a status description (GitHub)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The one status of a commit."""

    state: State
    description: str  # our own words and numbers alone
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """An account of the host. The login may be taken again by somebody else, the id may not."""

    id: int
    login: str
    bot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull request (merge request) that is open, or was merged."""

    number: int
    head: Commit
    base_ref: str  # branch that it wants to be merged into
    author: Author
    fork: bool  # its head stands in another repository
    draft: bool
    labels: tuple[str, ...] = ()
    merged: Commit | None = None  # the commit that the merge made


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A comment."""

    id: int
    pull: int
    author: Author
    body: str
    created: datetime
    edited: bool  # somebody changed it after it was written


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """An error at a line of a file."""

    path: str  # from the root of the repository
    line: int  # from 1, like the column
    column: int
    title: str
    message: str  # plain text


class HostError(ReconcilerError):
    """An operator must act: the host refused. The sentence holds no token."""


class MissingError(HostError):
    """The host has no such thing, or does not show it to us; what was made a moment ago may come yet."""


class HostBusyError(RetryLaterError):
    """Nobody must act: the host is busy, or limits our requests. `after` says for how long."""


class Host(Protocol):
    """What we ask of a git host. Every call raises HostError or HostBusyError.

    Reads are complete or raise. A write that raises HostBusyError may have happened: look again first.
    """

    def me(self) -> Author:
        """Return who we are there: our comments are known by this id and our marker."""

    def pulls(self) -> tuple[Pull, ...]:
        """Return every open pull request, newest change first."""

    def pulls_of(self, commit: Commit) -> tuple[Pull, ...]:
        """Return the pull requests whose merge made, or that contain, a commit."""

    def notes(self, number: int) -> tuple[Note, ...]:
        """Return every comment of one pull request, oldest first."""

    def notes_since(self, since: datetime) -> tuple[Note, ...]:
        """Return comments of all pull requests that were written or edited since, oldest first."""

    def add_note(self, number: int, body: str) -> Note:
        """Write a comment."""

    def edit_note(self, note: Note, body: str) -> None:
        """Write the body of a comment of ours anew."""

    def hide_note(self, note: Note) -> None:
        """Mark a comment of ours as outdated, and fold it: our mark is at its end no more."""

    def acknowledge(self, note: Note, *, done: bool) -> None:
        """Tell the author of a command that it was taken, or was not."""

    def set_status(self, commit: Commit, status: Status) -> None:
        """Set the one status `reconciler/plan` of a commit."""

    def annotate(self, commit: Commit, found: Sequence[Annotation]) -> None:
        """Show errors at their lines, instead of those that were shown before. Equal ones write nothing.

        A host that has no place for them, or does not let us, shows none: the comment tells all of them.
        """

    def may_write(self, author: Author) -> bool:
        """May this account push to the repository, as the host says now."""

    def labelled_by(self, number: int, label: str) -> Author | None:
        """Return who put a label on a pull request last."""

    def head_ref(self, number: int) -> str:
        """Return the ref under which the repository itself holds a pull request's head."""


PATIENCE = timedelta(minutes=1)
"""How long a host is left alone that said it is busy, and not for how long."""


def folded(note: Note) -> str:
    """Return the body of a comment that a newer one stands for."""
    return f"<details><summary>Superseded</summary>\n\n{note.body}\n\n</details>\n"
