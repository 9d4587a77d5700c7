"""The table of kinds and the folders of kinds agree."""

from pathlib import Path

from reconciler import kinds
from reconciler.kinds.register import KINDS


def test_every_kind_has_its_folder_and_every_folder_its_line() -> None:
    root = Path(kinds.__path__[0])
    folders = sorted(p.name for p in root.iterdir() if (p / "live.py").is_file())
    assert tuple(folders) == KINDS
