"""Each folder below tests/data/bad is wrong, and `expected.txt` beside it says exactly how it is told."""

from pathlib import Path

import pytest

from reconciler.cli.validate import validate
from reconciler.source.folder import read_folder
from reconciler.source.load import load
from reconciler.spec.desired import Desired

BAD = sorted(p for p in (Path(__file__).parents[1] / "data" / "bad").iterdir() if p.is_dir())


def test_there_are_at_least_sixty_bad_inputs() -> None:
    assert len(BAD) >= 60


@pytest.mark.parametrize("folder", BAD, ids=lambda p: p.name)
def test_a_bad_input_is_told_exactly_so(folder: Path) -> None:
    found = load(read_folder(folder))
    assert not isinstance(found, Desired)
    assert [str(p) for p in found] == (folder / "expected.txt").read_text().splitlines()


@pytest.mark.parametrize("folder", BAD, ids=lambda p: p.name)
def test_every_problem_says_where_what_why_and_what_to_write(folder: Path) -> None:
    found = load(read_folder(folder))
    assert not isinstance(found, Desired)
    for problem in found:
        assert problem.at.line >= 1
        assert problem.at.column >= 1
        assert all(text.strip() for text in (problem.what, problem.why, problem.fix))


def test_all_errors_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    for name in ("record-a-odd", "capacity-min-above-max"):
        for file in (Path(__file__).parents[1] / "data" / "bad" / name).glob("*.yaml"):
            (tmp_path / f"{name}-{file.name}").write_text(
                file.read_text().replace("name: web", f"name: {name[:6]}")
            )
    lines: list[str] = []
    assert validate(tmp_path, lines.append) == 1
    assert len({line.split(":")[0] for line in lines[:-1]}) >= 2
    assert lines[-1].endswith("files")


def test_the_sample_company_is_valid_and_of_every_kind() -> None:
    lines: list[str] = []
    assert validate(Path(__file__).parents[2] / "desired-state", lines.append) == 0
    assert lines == ["valid: 2 targets, 3 images, 1 profile, 5 fleets, 1 zone, 12 records"]


def test_a_path_that_is_no_folder_is_told(tmp_path: Path) -> None:
    lines: list[str] = []
    assert validate(tmp_path / "gone", lines.append) == 1
    assert "is not a folder" in lines[0]
