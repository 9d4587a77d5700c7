"""Commands on pull requests: who may, what is done, and that it is done once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from reconciler.daemon.desk import Desk, Held
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

        Raises: HostError, HostBusyError.
        """
        host = self.desk.host
        notes = host.notes_since(self.since - BACK)
        new = [c for c in commands_of(notes, host.me()) if c.note.id not in self._obeyed]
        for command in new:
            held = self.desk.held.get(command.note.pull)
            if held is not None:
                done = host.may_write(command.note.author) and self._obey(held, command)
                host.acknowledge(command.note, done=done)
                yield command, done
            self._obeyed.add(command.note.id)
        self._move_on(notes)

    def _move_on(self, notes: tuple[Note, ...]) -> None:
        """Ask from a later time on, but rarely: an equal question costs nothing."""
        newest = max((n.created for n in notes), default=self.since)
        if newest - self.since > BACK:
            self.since = newest

    def _obey(self, held: Held, command: Command) -> bool:
        match command.verb:
            case "replan":
                held.key = None
            case "explain":
                answer = block(self.explain(command.word).splitlines())
                self.desk.notes.answer(held.pull.number, command.note.id, answer)
            case "approve" if len(command.word) == DIGITS:
                held.approved = tuple(sorted({*(held.approved or ()), command.word}))
            case _:
                return False
        return True
