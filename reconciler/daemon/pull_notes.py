"""Our comments on pull requests: one that holds the plan, one that says how the merge ended, answers.

A comment is ours by its author's id and our mark. Where the host did not say that a comment was made,
it is looked for before it is made again.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Final

from reconciler.core.digest import sha
from reconciler.hosts.model import Host, HostBusyError, HostError, Note
from reconciler.plan.pulls import Risk
from reconciler.report import marker
from reconciler.report.marker import Marker
from reconciler.report.pull import Told

PACE: Final = 60.0  # seconds between two edits of a comment that tells progress
GONE: Final = "### ✅ Fleet plan: no fleet files are changed any more\n"
_FOOT: Final = re.compile(r"<sub>.*</sub>", re.DOTALL)


@dataclass(slots=True)
class Mine:
    """Our comments on one pull request."""

    plan: Note | None = None
    old: list[Note] = field(default_factory=list)  # plans before it, still in sight
    end: Note | None = None
    answered: set[str] = field(default_factory=set)  # ids of the commands that were answered
    edited: float = float("-inf")


@dataclass(slots=True, kw_only=True)
class Notes:
    """Keeps our comments. `key` signs their marks."""

    host: Host
    key: bytes
    now: Callable[[], float] = monotonic
    _mine: dict[int, Mine] = field(default_factory=dict)

    def load(self, number: int) -> tuple[Note, ...]:
        """Read a pull request's comments, and know which are ours."""
        found, me, mine = self.host.notes(number), self.host.me(), Mine()
        for note in found:
            mark = marker.read(note.body, self.key) if note.author.id == me.id else None
            if mark is None or mark.pull != number:
                continue
            match mark.kind:
                case "plan":
                    mine.old += [mine.plan] if mine.plan else []
                    mine.plan = note
                case "end":
                    mine.end = note
                case _:
                    mine.answered.add(mark.key)
        self._mine[number] = mine
        return found

    def known(self, number: int) -> Mine:
        """Return our comments, read once."""
        if number not in self._mine:
            self.load(number)
        return self._mine[number]

    def forget(self, number: int) -> None:
        """Look anew the next time."""
        self._mine.pop(number, None)

    def plan(self, number: int, told: Told, valid_for: str) -> None:
        """Have the one plan comment say this. An equal one costs no call; a risk that rises, a new one."""
        mine = self.known(number)
        body = told.body or (GONE if mine.plan else "")
        if not body:
            return
        key = f"{valid_for}:{sha(_FOOT.sub('', body), 16)}"
        mark = Marker(pull=number, kind="plan", risk=told.risk.value, key=key)
        old = marker.read(mine.plan.body, self.key) if mine.plan else None
        if old == mark:
            return
        if mine.plan is None or (old and _rises(old.risk, told.risk)):
            new = self._add(number, body, mark)
            mine.old += [mine.plan] if mine.plan else []
            mine.plan = new
        else:
            mine.plan = self._edit(mine.plan, body, mark)

    def tidy(self, number: int) -> None:
        """Hide plans before the newest one. Raises: HostBusyError; what is left is hidden the next time.

        A comment that is hidden has our mark no more, so a process that starts again finds the rest.
        """
        mine = self.known(number)
        while mine.old:
            with suppress(HostError):  # it stays in sight: a blemish, not a wrong
                self.host.hide_note(mine.old[0])
            mine.old.pop(0)

    def end(self, number: int, told: Told, *, over: bool) -> None:
        """Have the comment after the merge say this: progress at most once a minute, the end at once."""
        mine = self.known(number)
        mark = Marker(pull=number, kind="end", risk=told.risk.value, key=sha(told.body, 16))
        if mine.end and marker.read(mine.end.body, self.key) == mark:
            return
        if not over and self.now() - mine.edited < PACE:
            return
        mine.end = self._edit(mine.end, told.body, mark) if mine.end else self._add(number, told.body, mark)
        mine.edited = self.now()

    def has_answered(self, number: int, command: int) -> bool:
        """Was a command answered, by this process or another. Raises: HostError, HostBusyError."""
        return str(command) in self.known(number).answered

    def answer(self, number: int, command: int, body: str) -> None:
        """Answer a command once."""
        mine = self.known(number)
        if str(command) not in mine.answered:
            self._add(number, body, Marker(pull=number, kind="answer", key=str(command)))
            mine.answered.add(str(command))

    def _add(self, number: int, body: str, mark: Marker) -> Note:
        try:
            return self.host.add_note(number, self._signed(body, mark))
        except HostBusyError:
            self.forget(number)  # it may have been made: look before it is made again
            raise

    def _edit(self, note: Note, body: str, mark: Marker) -> Note:
        text = self._signed(body, mark)
        try:
            self.host.edit_note(note, text)
        except HostError:
            self.forget(note.pull)  # somebody deleted it
            raise
        return replace(note, body=text)

    def _signed(self, body: str, mark: Marker) -> str:
        return f"{body.rstrip()}\n\n{marker.write(mark, self.key)}"


def _rises(old: str, new: Risk) -> bool:
    """Must a person be told: an edit sends no message."""
    known = {r.value: r for r in Risk}
    return old in known and new.rank > known[old].rank and new in (Risk.HIGH, Risk.STOP)
