"""Commands in comments: `/reconciler VERB ...` on the first line, of people who may push. Parsing is pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from reconciler.hosts.model import Author, Note

_LINE: Final = re.compile(r"^/reconciler +([a-z]+)(?: +([A-Za-z0-9._/-]{1,64}))?\s*$")
VERBS: Final = {
    "replan": False,
    "explain": True,  # FLEET
    "approve": True,  # DIGEST
}
"""Every verb, and whether it takes a word. A later verb is one line here, and one in the table that acts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What somebody asks for. Whether they may is asked of the host when it is acted on."""

    verb: str
    word: str
    note: Note


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
    verb, word = found[1], found[2] or ""
    return Command(verb=verb, word=word, note=note) if VERBS[verb] == bool(word) else None


def commands_of(notes: Iterable[Note], me: Author) -> tuple[Command, ...]:
    """Return the commands among comments, in their order."""
    return tuple(c for n in notes if (c := command_of(n, me)) is not None)
