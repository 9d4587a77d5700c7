"""What a person is told when the repository can't be read, or its mirror not kept."""

from pathlib import Path

import pytest

from reconciler.core.ids import Commit
from reconciler.source.git import Repository, SourceError
from tests.repositories import Company


@pytest.mark.parametrize(
    ("ssh_says", "told"),
    [
        (
            "git@example.com: Permission denied (publickey).",
            "git@example.com: Permission denied (publickey).",
        ),
        (
            "No ED25519 host key is known for example.com.\nHost key verification failed.",
            "Host key verification failed.",
        ),
        ("ssh: connect to host example.com port 22: Connection refused", "port 22: Connection refused"),
        (
            "fatal: detected dubious ownership in repository at '/srv'\nTo add an exception:",
            "dubious ownership",
        ),
        ("", "Could not read from remote repository."),
    ],
)
def test_the_reason_that_ssh_or_the_other_end_gave_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ssh_says: str, told: str
) -> None:
    ssh = tmp_path / "bin" / "ssh"
    ssh.parent.mkdir()
    ssh.write_text(f'#!/bin/sh\ncat >&2 <<"END"\n{ssh_says}\nEND\nexit 255\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", str(ssh.parent), prepend=":")
    with pytest.raises(SourceError) as raised:
        Repository("git@example.com:company/fleets.git", tmp_path / "mirror").head()
    assert told in str(raised.value)


def test_a_mirror_that_cannot_be_kept_is_told_with_the_setting_to_change(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match=r"can't be kept in .*/file: Not a directory; .* RECONCILER_CACHE$"):
        Repository("git@example.com:company/fleets.git", tmp_path / "file" / "mirror").head()


def head_of(company: Company) -> str:
    """Push a commit that is on no branch, as a git host keeps the head of a pull request."""
    main = company.head()
    head = company.commit({"b.txt": "b\n"}, push=False)
    company._git("push", "--quiet", str(company.bare), "HEAD:refs/pull/7/head")
    company.back_to(main)
    return head


@pytest.mark.parametrize("where", ["behind a branch", "on no branch"])
def test_a_commit_named_by_its_digits_is_brought_wherever_it_stands(tmp_path: Path, where: str) -> None:
    company = Company(tmp_path / "git")
    company.commit({"a.txt": "a\n"})
    named = head_of(company) if where == "on no branch" else company.head()
    company.commit({"a.txt": "more\n"})
    repository = Repository(str(company.bare), tmp_path / "mirror.git")
    repository.fetch(repository.head(named), named)
    assert repository.has(named)


def test_what_is_checked_out_and_on_no_branch_is_brought_too(tmp_path: Path) -> None:
    """As CI leaves it: a clone whose HEAD names a commit."""
    company = Company(tmp_path / "git")
    company.commit({"a.txt": "a\n"})
    head = head_of(company)
    company._git("checkout", "--quiet", "--detach", head)
    repository = Repository(str(company.clone), tmp_path / "mirror.git")
    for ref in (None, head):
        repository.fetch(repository.head(ref), ref)
        assert repository.has(head)


def test_a_commit_that_is_not_there_is_told(tmp_path: Path) -> None:
    company = Company(tmp_path / "git")
    company.commit({"a.txt": "a\n"})
    repository = Repository(str(company.bare), tmp_path / "mirror.git")
    with pytest.raises(SourceError, match=r"git fetch: .*e{40}"):
        repository.fetch(Commit("e" * 40), "e" * 40)
