"""A folder as it lies on disk, for `validate`."""

import os
from pathlib import Path

from reconciler.source.tree import MOST_BYTES, MOST_FILES, Odd, Tree


def read_folder(root: Path) -> Tree:
    """Return the files below `root`. Symlinks are told, never followed; `.git` is passed over.

    Raises: OSError where a file can't be read; ValueError where there are too many.
    """
    found: dict[str, bytes | Odd] = {}
    for folder, names, files in os.walk(root):
        names[:] = sorted(n for n in names if n != ".git")
        for name in sorted((*files, *(n for n in names if (Path(folder) / n).is_symlink()))):
            path = Path(folder) / name
            found[path.relative_to(root).as_posix()] = _read(path)
        if len(found) > MOST_FILES:
            raise ValueError(f"{root} holds more than {MOST_FILES} files")
    return dict(sorted(found.items()))


def _read(path: Path) -> bytes | Odd:
    if path.is_symlink():
        return Odd.SYMLINK
    return Odd.HUGE if path.stat().st_size > MOST_BYTES else path.read_bytes()
