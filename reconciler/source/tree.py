"""The files of one commit, or of a folder: paths to bytes, and what is not a file."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TypeAlias

MOST_FILES = 20_000
MOST_BYTES = 1 << 20  # of one file: a fleet document has a few KB, a user data script 16 KB


class Odd(StrEnum):
    """What stands in a tree and is not a file that can be read."""

    SYMLINK = "a symlink"
    SUBMODULE = "a submodule"
    HUGE = "over 1 MiB"
    NAME = "named in bytes that are not UTF-8"


Tree: TypeAlias = Mapping[str, bytes | Odd]
"""Paths relative to the root of `path`, with /; files whose name begins with . or _ are in it too."""


def is_document(path: str) -> bool:
    """Is this file read as documents: YAML, and no part of its path begins with . or _."""
    parts = PurePosixPath(path).parts
    return path.endswith((".yaml", ".yml")) and not any(p.startswith((".", "_")) for p in parts)


def resolve(origin: str, named: str) -> str | None:
    """Return the path that `file: named` in `origin` means, or None where it leaves the root.

    It is relative to the file in which it stands; with a leading / to the root.
    """
    start = [] if named.startswith("/") else list(PurePosixPath(origin).parent.parts)
    for part in PurePosixPath(named.lstrip("/")).parts:
        if part == "..":
            if not start:
                return None
            start.pop()
        else:
            start.append(part)
    return "/".join(start)
