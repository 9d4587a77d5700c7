"""What a person is told when the repository can't be read, or its mirror not kept."""

from pathlib import Path

import pytest

from reconciler.source.git import Repository, SourceError


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
