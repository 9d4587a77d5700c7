"""Commands on pull requests: who may, what is done, and that it is done once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Final

from reconciler.core.errors import ReconcilerError
from reconciler.daemon.desk import Desk, Held
from reconciler.daemon.pull_rests import Subject
from reconciler.hosts.commands import Command, commands_of
from reconciler.hosts.model import Note
from reconciler.report.escape import block

BACK: Final = timedelta(hours=1)  # of comments that are read when the process starts
HANDS: Final = frozenset({"pause", "resume", "promote", "abort"})
DIGITS: Final = 10  # of a plan's digest: a part of one approves nothing


class Taken(StrEnum):
    """What became of a command."""

    DONE = "done"
    REFUSED = "refused"
    BEFORE = "before"  # an earlier process has answered it, or it is on a pull request that is closed


@dataclass(slots=True, kw_only=True)
class Commands:
    """Acts on commands. `explain` answers for a fleet, from the last plans; `hand` steers one.

    A word to a fleet counts on any pull request, merged ones too: that is where a rollout is looked at.
    """

    desk: Desk
    explain: Callable[[str], str]
    hand: Callable[[Command], str]  # raises ReconcilerError where it means nothing, with why
    since: datetime
    _obeyed: set[int] = field(default_factory=set)
    _said: dict[int, tuple[str, bool]] = field(default_factory=dict)  # by note: done, and not answered yet

    def look(self) -> Iterator[tuple[Command, bool]]:
        """Act on what is new; yield each command, and whether it was done.

        One that the host refuses to answer for rests. Raises: HostError, HostBusyError, where comments
        can't be read.
        """
        host, rests = self.desk.host, self.desk.rests
        notes = host.notes_since(self.since - BACK)
        for command in commands_of(notes, host.me()):
            number, note = command.note.pull, command.note
            subject = Subject(part="command", pull=number, of=str(note.id))
            if note.id in self._obeyed or rests.resting(subject):
                continue
            held = self.desk.held.get(number)
            taken: Taken | None = Taken.BEFORE
            if held is not None or command.verb in HANDS:
                taken = rests.attempt(subject, partial(self._taken, held, command))
            if taken is None:
                continue
            if taken is not Taken.BEFORE:
                done = taken is Taken.DONE
                # A reaction is a courtesy: where a conversation is locked, the command counts all the same.
                rests.attempt(subject, partial(host.acknowledge, note, done=done))
                yield command, done
            self._obeyed.add(note.id)
        self._move_on(notes)

    def _taken(self, held: Held | None, command: Command) -> Taken:
        """Act on a command; a word to a fleet that a process before this one answered is not said again."""
        steers, note = command.verb in HANDS, command.note
        if steers and self.desk.notes.has_answered(note.pull, note.id):
            return Taken.BEFORE
        if not self.desk.host.may_write(note.author):
            return Taken.REFUSED
        done = self._steer(command) if steers else held is not None and self._obey(held, command)
        return Taken.DONE if done else Taken.REFUSED

    def _steer(self, command: Command) -> bool:
        """Say a word to a fleet, once, and answer with what comes of it."""
        note = command.note
        if note.id not in self._said:
            try:
                self._said[note.id] = (self.hand(command), True)
            except ReconcilerError as error:
                self._said[note.id] = (str(error), False)
        told, done = self._said[note.id]
        self.desk.notes.answer(note.pull, note.id, block(told.splitlines()))
        del self._said[note.id]
        return done

    def _move_on(self, notes: tuple[Note, ...]) -> None:
        """Ask from a later time on, but rarely: an equal question costs nothing."""
        newest = max((n.created for n in notes), default=self.since)
        if newest - self.since > BACK:
            self.since = newest

    def _obey(self, held: Held, command: Command) -> bool:
        match command.verb:
            case "replan":
                held.key = None
                self.desk.rests.forget(Subject(part="plan", pull=held.pull.number))
            case "explain":
                answer = block(self.explain(command.word).splitlines())
                self.desk.notes.answer(held.pull.number, command.note.id, answer)
            case "approve" if len(command.word) == DIGITS:
                held.approved = tuple(sorted({*(held.approved or ()), command.word}))
            case _:
                return False
        return True
