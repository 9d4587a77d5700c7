"""A git host in memory, for the logic of the desk alone; the adapters are tested over HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from reconciler.core.ids import Commit
from reconciler.hosts.model import Annotation, Author, HostBusyError, Note, Pull, Status, folded

ME = Author(id=1, login="reconciler[bot]", bot=True)
ANN = Author(id=2, login="ann")  # may push
EVE = Author(id=3, login="eve")  # may not


@dataclass
class MemoryHost:
    """What a host keeps, and how often it was asked for what."""

    open: dict[int, Pull] = field(default_factory=dict)
    merged: dict[str, Pull] = field(default_factory=dict)  # by the commit that the merge made
    kept: list[Note] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    statuses: list[tuple[str, Status]] = field(default_factory=list)
    labels: dict[tuple[int, str], Author] = field(default_factory=dict)
    reactions: list[tuple[int, bool]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refused: dict[int, Exception] = field(default_factory=dict)  # by pull request: what is said to a comment
    unknown: dict[str, Exception] = field(default_factory=dict)  # by commit: what is said to a question of it
    locked: Exception | None = None  # what is said to a reaction
    deaf: Exception | None = None  # what is said to a question for the list
    busy_to_hide: bool = False
    blind: Exception | None = None  # what is said to annotations
    annotations: dict[str, tuple[Annotation, ...]] = field(default_factory=dict)
    lose_next_reply: bool = False
    now: datetime = datetime(2026, 6, 1, 8, tzinfo=UTC)

    def me(self) -> Author:
        return ME

    def pulls(self) -> tuple[Pull, ...]:
        self.asked.append("pulls")
        if self.deaf:
            raise self.deaf
        return tuple(self.open.values())

    def pulls_of(self, commit: Commit) -> tuple[Pull, ...]:
        self.asked.append("pulls_of")
        if commit in self.unknown:
            raise self.unknown[commit]
        return (self.merged[commit],) if commit in self.merged else ()

    def notes(self, number: int) -> tuple[Note, ...]:
        self.asked.append("notes")
        return tuple(n for n in self.kept if n.pull == number)

    def notes_since(self, since: datetime) -> tuple[Note, ...]:
        return tuple(n for n in self.kept if n.created >= since)

    def says(self, number: int, author: Author, body: str, *, edited: bool = False) -> Note:
        """Somebody writes a comment."""
        self.now += timedelta(seconds=1)
        note = Note(
            id=len(self.kept) + 1, pull=number, author=author, body=body, created=self.now, edited=edited
        )
        self.kept.append(note)
        return note

    def add_note(self, number: int, body: str) -> Note:
        self.asked.append("add")
        if number in self.refused:
            raise self.refused[number]
        note = self.says(number, ME, body)
        if self.lose_next_reply:
            self.lose_next_reply = False
            raise HostBusyError("502, an error of the host", after=timedelta(seconds=1))
        return note

    def edit_note(self, note: Note, body: str) -> None:
        self.asked.append("edit")
        self.kept = [replace(n, body=body) if n.id == note.id else n for n in self.kept]

    def hide_note(self, note: Note) -> None:
        self.asked.append("hide")
        if self.busy_to_hide:
            raise HostBusyError("the host asked for patience", after=timedelta(seconds=1))
        self.hidden.add(note.id)
        self.kept = [replace(n, body=folded(n)) if n.id == note.id else n for n in self.kept]

    def acknowledge(self, note: Note, *, done: bool) -> None:
        if self.locked:
            raise self.locked
        self.reactions.append((note.id, done))

    def set_status(self, commit: Commit, status: Status) -> None:
        self.asked.append("status")
        if commit in self.unknown:
            raise self.unknown[commit]
        self.statuses.append((commit, status))

    def annotate(self, commit: Commit, found: Sequence[Annotation]) -> None:
        self.asked.append("annotate")
        if self.blind:
            raise self.blind
        self.annotations[commit] = tuple(found)

    def may_write(self, author: Author) -> bool:
        return author == ANN

    def labelled_by(self, number: int, label: str) -> Author | None:
        return self.labels.get((number, label))

    def head_ref(self, number: int) -> str:
        return f"refs/pull/{number}/head"

    def ours(self, number: int) -> list[Note]:
        """Our comments that are in sight."""
        return [n for n in self.kept if n.author == ME and n.pull == number and n.id not in self.hidden]

    def state(self, commit: str) -> str:
        """The status of a commit now."""
        return next(s.state.value for c, s in reversed(self.statuses) if c == commit)
