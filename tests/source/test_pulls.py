"""Heads of pull requests: found, brought, merged without a work tree."""

from pathlib import Path

import pytest

from reconciler.source.git import Conflict, Repository
from reconciler.source.repository import Adopted, Library
from tests.repositories import Company, target


@pytest.fixture
def company(tmp_path: Path) -> Company:
    made = Company(tmp_path / "git")
    made.commit({"targets.yaml": target(), "notes.txt": "one\n"})
    return made


@pytest.fixture
def mirror(company: Company, tmp_path: Path) -> Repository:
    repository = Repository(str(company.bare), tmp_path / "mirror.git")
    repository.fetch(repository.head())
    return repository


def propose(company: Company, number: int, files: dict[str, str | None]) -> str:
    """Push a head as hosts hold those of pull requests, and go back to main."""
    base = company.head()
    head = company.commit(files, push=False)
    company._git("push", "--quiet", "--force", str(company.bare), f"HEAD:refs/pull/{number}/head")
    company._git("reset", "--quiet", "--hard", base)
    return head


def test_heads_are_found_by_ref_without_being_fetched(company: Company, mirror: Repository) -> None:
    head = propose(company, 7, {"more.yaml": target("other", "eu-west-2")})
    assert mirror.refs("refs/pull/*/head") == {"refs/pull/7/head": head}
    assert not mirror.has(head)


def test_a_merge_result_holds_both_sides_and_judges_by_the_base(company: Company, mirror: Repository) -> None:
    head = propose(company, 7, {"more.yaml": target("other", "eu-west-2")})
    base = company.commit({"notes.txt": "two\n"})
    mirror.fetch(mirror.head())
    mirror.bring({"refs/pull/7/head": "refs/reconciler/pull/7"})
    merged = mirror.merged(mirror.head(), mirror.refs("refs/pull/7/head")["refs/pull/7/head"])
    assert not isinstance(merged, Conflict)
    assert mirror.first_parents(merged, 2)[1] == base
    adopted = Library(mirror).adopt(merged)
    assert isinstance(adopted, Adopted)
    assert [t.name for t in adopted.desired.targets] == ["other", "prod"]
    assert mirror.changed(base, merged) == ("more.yaml",)
    assert mirror.ancestors(merged, [base, head]) == {base, head}


def test_a_merge_result_is_the_same_commit_whenever_it_is_made(company: Company, mirror: Repository) -> None:
    head = propose(company, 7, {"notes.txt": "three\n"})
    mirror.bring({"refs/pull/7/head": "refs/reconciler/pull/7"})
    base = mirror.head()
    assert mirror.merged(base, mirror.refs("refs/pull/7/head")["refs/pull/7/head"]) == mirror.merged(
        base, mirror.refs("refs/pull/*/head")["refs/pull/7/head"]
    )
    assert mirror.has(head)


def test_a_conflict_names_the_files(company: Company, mirror: Repository) -> None:
    propose(company, 7, {"notes.txt": "theirs\n"})
    company.commit({"notes.txt": "ours\n"})
    mirror.fetch(mirror.head())
    mirror.bring({"refs/pull/7/head": "refs/reconciler/pull/7"})
    found = mirror.merged(mirror.head(), mirror.refs("refs/pull/7/head")["refs/pull/7/head"])
    assert found == Conflict(("notes.txt",))


def test_changes_outside_the_folder_do_not_count(company: Company, mirror: Repository) -> None:
    base = company.head()
    after = company.commit({"notes.txt": "two\n", "fleets/a.yaml": "x: y\n"})
    mirror.fetch(mirror.head())
    assert mirror.changed(base, after, "fleets") == ("fleets/a.yaml",)
    assert mirror.changed(base, after, "/fleets/") == ("fleets/a.yaml",)
