"""Commands in comments: `/reconciler VERB ...` on the first line, of people who may push. Parsing is pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from reconciler.hosts.model import Author, Note

_LINE: Final = re.compile(r"^/reconciler +([a-z]+)(?: +([A-Za-z0-9._/-]{1,64})(?: +(\S.{0,400}))?)?\s*$")


@dataclass(frozen=True, slots=True)
class Takes:
    """What a verb is followed by."""

    word: bool
    text: bool = False


VERBS: Final = {
    "replan": Takes(word=False),
    "explain": Takes(word=True),  # FLEET
    "approve": Takes(word=True),  # DIGEST
    "pause": Takes(word=True, text=True),  # FLEET, or TARGET/FLEET, and REASON
    "resume": Takes(word=True, text=True),
    "promote": Takes(word=True),
    "abort": Takes(word=True, text=True),
}
"""Every verb, and what it takes. A later verb is one line here, and one in the table that acts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What somebody asks for. Whether they may is asked of the host when it is acted on."""

    verb: str
    word: str
    note: Note
    text: str = ""  # whatever stands behind the word: a reason


def command_of(note: Note, me: Author) -> Command | None:
    """Return the command of a comment, or None.

    Only the first line of a comment that was never edited counts, and never a bot's or our own.
    """
    if note.edited or note.author.bot or note.author.id in (0, me.id):
        return None
    first = note.body.splitlines()[0] if note.body else ""
    found = _LINE.match(first)
    if found is None or found[1] not in VERBS:
        return None
    verb, word, text = found[1], found[2] or "", (found[3] or "").rstrip()
    takes = VERBS[verb]
    if takes.word != bool(word) or (text and not takes.text):
        return None
    return Command(verb=verb, word=word, text=text, note=note)


def commands_of(notes: Iterable[Note], me: Author) -> tuple[Command, ...]:
    """Return the commands among comments, in their order."""
    return tuple(c for n in notes if (c := command_of(n, me)) is not None)
