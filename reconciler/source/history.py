"""What each commit changed, as `git log --raw -z` tells it."""

import re
from dataclasses import dataclass
from typing import Final

from reconciler.core.ids import Commit

FORM: Final = (
    "--first-parent",
    "--diff-merges=first-parent",  # a merge is told by what it changes for the branch that it is merged into
    "--full-history",  # a path must not have git leave commits out
    "--sparse",  # likewise
    "--no-renames",  # a rename is a file that goes and one that comes
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-show-signature",
    "--ignore-submodules=none",
    "--raw",
    "-z",
    "--format=tformat:%H %P",
)
COMMIT: Final = re.compile(r"^[0-9a-f]{40}(?: [0-9a-f]{40})* ?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A commit, its first parent, and the files that differ between them."""

    commit: Commit
    parent: Commit | None
    files: tuple[str, ...]


def read_changes(text: str, prefix: str) -> tuple[Change, ...]:
    """Return the changes of a log, in its order; files below `prefix`, relative to it.

    A word is a commit, or says how one file changed and the next word is that file: no name of a file
    can pass for anything else. Raises: ValueError for what is neither.
    """
    found: list[tuple[list[str], list[str]]] = []  # commit and parents, files
    start = f"{prefix}/" if prefix else ""
    words = iter(text.split("\0"))
    for word in words:
        if COMMIT.match(word):
            found.append((word.split(), []))
        elif word.startswith((":", "\n:")) and found:
            file = next(words, "")
            if file.startswith(start):
                found[-1][1].append(file.removeprefix(start))
        elif word:
            raise ValueError(f"no answer of git log: {word[:60]!r}")
    return tuple(
        Change(commit=Commit(own), parent=Commit(parents[0]) if parents else None, files=tuple(files))
        for (own, *parents), files in found
    )
