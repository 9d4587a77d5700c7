"""What a log says that each commit changed: no name of a file passes for a commit or another file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.source.git import Repository
from reconciler.source.history import read_changes
from tests.repositories import Company

A, B = "a" * 40, "b" * 40
RAW = f":100644 100644 {A} {B} M"
ODD = st.text(f"{A[:1]}0: \n\x01/", min_size=1, max_size=60) | st.sampled_from(
    (A, f"{A} {B}", RAW, f"\n{RAW}")
)


@given(st.lists(st.lists(ODD, max_size=4), min_size=1, max_size=4))
def test_files_stay_with_their_commit_whatever_they_are_called(commits: list[list[str]]) -> None:
    words = [w for files in commits for w in (f"{A} {B}", *(x for f in files for x in (RAW, f)))]
    found = read_changes("\0".join(words) + "\0", "")
    assert [list(c.files) for c in found] == commits


@pytest.mark.parametrize("text", ["warning: something", f"{RAW}\0file\0", f"{A[:39]} {B}\0"])
def test_what_is_no_log_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="no answer of git log"):
        read_changes(text, "")


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def mirror(company: Company) -> Repository:
    made = Repository(str(company.bare), company.folder / "mirror")
    made.fetch(made.head())
    return made


def test_each_commit_has_what_it_changes_below_the_folder_and_empty_ones_are_there(company: Company) -> None:
    first = company.commit({"d/a": "1", "x": "1"})
    second = company.commit({"x": "2"})
    third = company.commit({"d/a": None, "d/b/c": "1"})
    repository = mirror(company)
    found = repository.changes(repository.head(), 10, "d")
    assert [(c.commit, c.files) for c in found] == [(third, ("a", "b/c")), (second, ()), (first, ("a",))]
    assert [c.parent for c in found] == [second, first, None]


def test_a_merge_is_told_by_what_it_changes_for_its_first_parent_even_if_it_takes_a_side_whole(
    company: Company,
) -> None:
    base = company.commit({"d/a": "1\n", "d/b": "1\n"})
    company._git("checkout", "--quiet", "-b", "side")
    company.commit({"d/a": "side\n"}, push=False)
    company._git("checkout", "--quiet", "main")
    ours = company.commit({"d/b": "main\n"})
    company._git("merge", "--quiet", "--no-commit", "--no-ff", "side")
    company._git("checkout", "--quiet", "side", "--", "d")  # all as the side has it: ours is lost
    company._git("commit", "--quiet", "-m", "Merge")
    company.push()
    repository = mirror(company)
    found = repository.changes(repository.head(), 10, "d")
    assert [c.files for c in found] == [("a", "b"), ("b",), ("a", "b")]
    assert [c.commit for c in found][1:] == [ours, base]
