"""A real bare git repository, and commits that are made as people make them."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

WHO = {
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.com",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass(slots=True)
class Company:
    """Somebody's clone, and the bare repository that it is pushed to."""

    folder: Path
    _count: int = field(default=0)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        new = ("init", "--quiet", "--template=", "--initial-branch=main")
        self._git(*new, "--bare", str(self.bare), at=self.folder)
        self._git(*new, str(self.clone), at=self.folder)
        for config in (self.bare / "config", self.clone / ".git" / "config"):
            with config.open("a") as file:  # a process for each commit and push, to look what to tidy up
                file.write("[maintenance]\n\tauto = false\n[receive]\n\tautogc = false\n")

    @property
    def bare(self) -> Path:
        """What the product is given."""
        return self.folder / "fleet.git"

    @property
    def clone(self) -> Path:
        """Where commits are made."""
        return self.folder / "clone"

    def commit(self, files: Mapping[str, str | None], *, push: bool = True) -> str:
        """Write files (None: take it away), commit, push. Return the commit."""
        for name, text in files.items():
            path = self.clone / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        self._count += 1
        self._git("add", "--all")
        self._git("commit", "--quiet", "--allow-empty", "-m", f"Change {self._count}")
        if push:
            self.push()
        return self.head()

    def push(self, branch: str = "main") -> None:
        """Push what is there, by force if it must be."""
        self._git("push", "--quiet", "--force", str(self.bare), f"HEAD:refs/heads/{branch}")

    def back_to(self, commit: str) -> None:
        """Forget what came after a commit."""
        self._git("reset", "--quiet", "--hard", commit)

    def head(self) -> str:
        """Return the newest commit of the clone."""
        return self._git("rev-parse", "HEAD")

    def _git(self, *argv: str, at: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *argv],
            cwd=at or self.clone,
            env={**os.environ, **WHO},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()


def target(name: str = "prod", region: str = "eu-west-1") -> str:
    """Return a Target's document."""
    return (
        "apiVersion: reconciler/v1\nkind: Target\n"
        f"metadata: {{name: {name}}}\n"
        f'spec: {{account: "123456789012", region: {region}, owner: shop-fleets}}\n'
    )


def broken() -> str:
    """Return a document with one problem."""
    return "apiVersion: reconciler/v1\nkind: Nope\nmetadata: {name: x}\nspec: {}\n"
