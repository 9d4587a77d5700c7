"""The git host of the story: one in miniature, over HTTP, with a page of each pull request for people."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from emulator.githost.forge import Account, Comment, Forge, Pull, Status
from emulator.githost.github import GitHub
from emulator.githost.wire import Site, serve

REPOSITORY = "shop/fleets"
TOKEN = "ghp_ofthedemo0123456789"
CONTEXT = "reconciler/plan"
TIMEOUT = 10.0  # seconds for a page


@dataclass(frozen=True, slots=True)
class GitHost:
    """The host, and who is there: the program's account, and a person."""

    site: Site
    forge: Forge
    us: Account
    ann: Account

    def env(self) -> dict[str, str]:
        """Return the settings by which the program reaches it."""
        return {
            "RECONCILER_HOST": "github",
            "RECONCILER_HOST_API": self.site.url,
            "RECONCILER_HOST_REPOSITORY": self.forge.repository,
            "RECONCILER_HOST_TOKEN": TOKEN,
        }

    def propose(self, branch: str, title: str) -> Pull:
        """Let the person open a pull request for a branch that was pushed."""
        with self.site.lock:
            self.forge.sync()
            return self.forge.open(self.ann, branch, title=title)

    def say(self, pull: Pull, text: str) -> None:
        """Let the person write a comment."""
        with self.site.lock:
            self.forge.comment(pull, self.ann, text)

    def merge(self, pull: Pull) -> str:
        """Let the person merge; return the merge commit."""
        with self.site.lock:
            return self.forge.merge(pull)

    def ours(self, pull: Pull) -> list[Comment]:
        """Return the program's comments that are in sight, oldest first."""
        with self.site.lock:
            found = self.forge.comments_of(pull.number)
            return [c for c in found if c.author is self.us and not c.hidden]

    def status(self, pull: Pull) -> Status | None:
        """Return the program's status of the head."""
        with self.site.lock:
            return self.forge.status_of(pull.head, CONTEXT)

    def page(self, pull: Pull) -> str:
        """Return the address of a pull request's page."""
        return f"{self.site.url}/{self.forge.repository}/pull/{pull.number}"

    def save(self, pull: Pull, file: Path) -> Path:
        """Write the page as it is served now to a file that opens without a server."""
        shown = httpx.get(self.page(pull), timeout=TIMEOUT)
        shown.raise_for_status()
        file.write_text(shown.text, encoding="utf-8")
        return file


@contextmanager
def git_host(origin: Path) -> Iterator[GitHost]:
    """Serve a host over a bare git repository."""
    forge = Forge(REPOSITORY, git=origin)
    github = GitHub(forge)
    us, ann = forge.account("reconciler", "write"), forge.account("ann", "write")
    github.grant(TOKEN, us)
    site = Site(forge, github)
    github.url = lambda: site.url
    with serve(site):
        yield GitHost(site, forge, us, ann)
