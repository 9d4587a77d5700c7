"""Commands on pull requests: who may, what is done, and that it is done once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from reconciler.daemon.desk import Desk, Held
from reconciler.daemon.pull_rests import Subject
from reconciler.hosts.commands import Command, commands_of
from reconciler.hosts.model import Note
from reconciler.report.escape import block

BACK: Final = timedelta(hours=1)  # of comments that are read when the process starts
DIGITS: Final = 10  # of a plan's digest: a part of one approves nothing


@dataclass(slots=True, kw_only=True)
class Commands:
    """Acts on commands. `explain` answers for a fleet, from the last plans."""

    desk: Desk
    explain: Callable[[str], str]
    since: datetime
    _obeyed: set[int] = field(default_factory=set)

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
            if (held := self.desk.held.get(number)) is not None:
                done = rests.attempt(subject, partial(self._taken, held, command))
                if done is None:
                    continue
                # A reaction is a courtesy: where a conversation is locked, the command counts all the same.
                rests.attempt(subject, partial(host.acknowledge, note, done=done))
                yield command, done
            self._obeyed.add(note.id)
        self._move_on(notes)

    def _taken(self, held: Held, command: Command) -> bool:
        return self.desk.host.may_write(command.note.author) and self._obey(held, command)

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
