"""Which files are read, and what a `file:` may mean."""

from pathlib import Path

import pytest

from reconciler.source.folder import read_folder
from reconciler.source.tree import Odd, is_document, resolve

READ = [
    ("fleets/web.yaml", True),
    ("web.yml", True),
    ("web.json", False),
    (".hidden.yaml", False),
    ("_part.yaml", False),
    ("_drafts/web.yaml", False),
    (".github/workflows/a.yaml", False),
]


@pytest.mark.parametrize(("path", "read"), READ, ids=[p for p, _ in READ])
def test_which_files_hold_documents(path: str, read: bool) -> None:
    assert is_document(path) is read


NAMED = [
    ("fleets/web.yaml", "boot.sh", "fleets/boot.sh"),
    ("fleets/web.yaml", "./boot.sh", "fleets/boot.sh"),
    ("fleets/web.yaml", "../boot.sh", "boot.sh"),
    ("fleets/web.yaml", "/scripts/boot.sh", "scripts/boot.sh"),
    ("fleets/web.yaml", "../../boot.sh", None),
    ("web.yaml", "..", None),
    ("fleets/web.yaml", "/../boot.sh", None),
]


@pytest.mark.parametrize(("origin", "named", "meant"), NAMED, ids=[f"{o} names {n}" for o, n, _ in NAMED])
def test_what_a_file_means(origin: str, named: str, meant: str | None) -> None:
    assert resolve(origin, named) == meant


def test_a_symlink_is_told_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    inner = tmp_path / "state"
    inner.mkdir()
    (inner / "a.yaml").symlink_to(tmp_path / "secret")
    (inner / "folder").symlink_to(tmp_path)
    assert read_folder(inner) == {"a.yaml": Odd.SYMLINK, "folder": Odd.SYMLINK}


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"#" * ((1 << 20) + 1))
    assert read_folder(tmp_path) == {"a.yaml": Odd.HUGE}
