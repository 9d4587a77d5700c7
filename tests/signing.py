"""People who sign what they commit: real keys of ssh and GnuPG, made for one test."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.repositories import WHO, Company

QUIET = {**os.environ, "LC_ALL": "C"}


def run(*argv: str, env: Mapping[str, str] | None = None, at: Path | None = None) -> str:
    done = subprocess.run(
        argv, env={**QUIET, **(env or {})}, cwd=at, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody with a key; `config` has git sign with it, `public` goes into a file of allowed keys."""

    config: tuple[str, ...]
    public: str
    env: Mapping[str, str] = field(default_factory=dict)


def ssh_signer(folder: Path, name: str) -> Signer:
    """Somebody with a new ssh key."""
    key = folder / f"{name}_ed25519"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(key))
    public = key.with_suffix(".pub").read_text().strip()
    return Signer(("-c", "gpg.format=ssh", "-c", f"user.signingkey={key}"), public)


def allowed(file: Path, *signers: Signer, options: str = "") -> Path:
    """Write a file of allowed signers."""
    lines = [f"anybody@example.com {options} {s.public}".replace("  ", " ") for s in signers]
    file.write_text("\n".join(lines) + "\n")
    return file


def gpg_signer(home: Path, *, at: datetime | None = None, expires: str = "never") -> Signer:
    """Somebody with a new key of GnuPG, made, and used, at some time."""
    home.mkdir(mode=0o700)
    wrapper = home / "gpg-then"
    then = f"--faked-system-time {at:%Y%m%dT%H%M%S}!" if at else ""
    wrapper.write_text(f'#!/bin/sh\nexec gpg {then} "$@"\n')
    wrapper.chmod(0o700)
    env = {"GNUPGHOME": str(home)}
    start = (str(wrapper), "--batch", "--quiet", "--passphrase", "", "--pinentry-mode", "loopback")
    run(*start, "--quick-generate-key", "Ann <ann@example.com>", "ed25519", "sign", expires, env=env)
    listed = run("gpg", "--with-colons", "--list-keys", env=env)
    key = next(line.split(":")[4] for line in listed.splitlines() if line.startswith("pub:"))
    public = run("gpg", "--armor", "--export", key, env=env)
    return Signer(
        ("-c", "gpg.format=openpgp", "-c", f"gpg.program={wrapper}", "-c", f"user.signingkey={key}"),
        public,
        env,
    )


def stop_agent(home: Path) -> None:
    """End the agent that GnuPG started for somebody's keys."""
    run("gpgconf", "--homedir", str(home), "--kill", "all")


def commit(
    company: Company, files: Mapping[str, str | None], signer: Signer | None = None, *, when: str = ""
) -> str:
    """Write files (None: take it away), commit as somebody, push. Return the commit."""
    for name, text in files.items():
        path = company.clone / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    company._git("add", "--all")
    make(company, ("commit", "--quiet", "--allow-empty", "-m", "Change"), signer, when=when)
    company.push()
    return company.head()


def make(company: Company, argv: tuple[str, ...], signer: Signer | None, *, when: str = "") -> None:
    """Have git make a commit, signed if somebody signs."""
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when} if when else {}
    env = {**WHO, **dates, **(signer.env if signer else {})}
    word, *rest = argv
    run(
        "git",
        *(signer.config if signer else ()),
        word,
        *(("-S",) if signer else ()),
        *rest,
        env=env,
        at=company.clone,
    )
