"""What a git host holds, and what people do there. No word of any one host's API."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha1
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal

Role = Literal["admin", "maintain", "write", "triage", "read", "none"]
PUSHERS: Final = ("admin", "maintain", "write")


@dataclass(slots=True)
class Account:
    """Somebody, or a program."""

    id: int
    login: str
    bot: bool = False
    role: Role = "none"


@dataclass(slots=True)
class Comment:
    """A comment on a pull request. The author is None once the account was deleted."""

    id: int
    pull: int
    author: Account | None
    body: str
    created: datetime
    updated: datetime
    hidden: bool = False
    on_issue: bool = False  # not of a pull request at all
    reactions: list[tuple[Account, str]] = field(default_factory=list)


@dataclass(slots=True)
class Labelling:
    """That a label was put on, or taken off."""

    id: int
    label: str
    on: bool
    actor: Account | None
    at: datetime


@dataclass(slots=True)
class Status:
    """A state of a commit, in one context."""

    id: int
    commit: str
    state: str
    context: str
    description: str
    url: str
    by: Account
    at: datetime


@dataclass(slots=True)
class Check:
    """A program's word on a commit, with remarks at lines, that can only be added to."""

    id: int
    commit: str
    by: Account
    at: datetime
    name: str
    status: str = "queued"
    conclusion: str | None = None
    external_id: str | None = None
    title: str | None = None
    summary: str | None = None
    annotations: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Pull:
    """A pull request."""

    number: int
    title: str
    body: str
    author: Account | None
    head: str
    branch: str
    base: str
    created: datetime
    updated: datetime
    fork: str | None  # owner/name of the repository of the head; None once that was deleted
    draft: bool = False
    labels: list[str] = field(default_factory=list)
    labellings: list[Labelling] = field(default_factory=list)
    state: Literal["open", "closed", "merged"] = "open"
    merged_as: str = ""
    merged_at: datetime | None = None


class Forge:
    """One repository on a git host."""

    def __init__(
        self, repository: str = "acme/fleet", git: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.repository = repository
        self.git = git
        self.clock = clock
        self.accounts: dict[int, Account] = {}
        self.pulls: dict[int, Pull] = {}
        self.comments: dict[int, Comment] = {}
        self.statuses: list[Status] = []
        self.checks: dict[int, Check] = {}
        self._ids = count(1_001)
        self._ahead = 0.0  # seconds

    def now(self) -> datetime:
        """Return the host's time, in whole seconds as hosts tell it."""
        return datetime.fromtimestamp(int(self.clock() + self._ahead), UTC)

    def wait(self, seconds: float) -> None:
        """Let time pass here."""
        self._ahead += seconds

    def account(self, login: str, role: Role = "none", *, bot: bool = False) -> Account:
        """Add somebody."""
        made = Account(id=next(self._ids), login=login, role=role, bot=bot)
        self.accounts[made.id] = made
        return made

    def named(self, login: str) -> Account | None:
        """Return who has a login now."""
        return next((a for a in self.accounts.values() if a.login.lower() == login.lower()), None)

    def leave(self, account: Account) -> None:
        """Delete an account; what it wrote stays, with no author."""
        del self.accounts[account.id]
        for pull in self.pulls.values():
            pull.author = None if pull.author is account else pull.author
            for one in pull.labellings:
                one.actor = None if one.actor is account else one.actor
        for comment in self.comments.values():
            comment.author = None if comment.author is account else comment.author

    def open(
        self,
        author: Account,
        branch: str = "change",
        *,
        title: str = "A change",
        body: str = "",
        base: str = "main",
        fork: str = "",
        draft: bool = False,
        head: str = "",
    ) -> Pull:
        """Open a pull request for a branch, which the git repository must have if there is one."""
        number, now = max(self.pulls, default=0) + 1, self.now()
        head = head or (self._git("rev-parse", f"refs/heads/{branch}") if self.git else sha(branch, number))
        made = Pull(
            number=number,
            title=title,
            body=body,
            author=author,
            head=head,
            branch=branch,
            base=base,
            created=now,
            updated=now,
            fork=fork or self.repository,
            draft=draft,
        )
        self.pulls[number] = made
        self._point(made)
        return made

    def push(self, pull: Pull, head: str) -> None:
        """Move a pull request's head."""
        pull.head, pull.updated = head, self.now()
        self._point(pull)

    def sync(self) -> None:
        """Let heads follow the branches of the git repository, to which somebody pushed."""
        for pull in self.opened() if self.git else ():
            if pull.fork == self.repository:
                head = self._git("rev-parse", f"refs/heads/{pull.branch}")
                if head != pull.head:
                    self.push(pull, head)

    def opened(self) -> list[Pull]:
        """Return the open pull requests."""
        return [p for p in self.pulls.values() if p.state == "open"]

    def close(self, pull: Pull) -> None:
        """Close without a merge."""
        pull.state, pull.updated = "closed", self.now()

    def merge(self, pull: Pull, *, squash: bool = False) -> str:
        """Merge, and return the commit that this makes.

        Raises: subprocess.CalledProcessError for a conflict.
        """
        pull.merged_as = self._merged(pull, squash=squash) if self.git else sha("merge", pull.number)
        pull.state, pull.updated = "merged", self.now()
        pull.merged_at = pull.updated
        return pull.merged_as

    def comment(self, pull: Pull | int, author: Account, body: str, *, on_issue: bool = False) -> Comment:
        """Write a comment."""
        number, now = pull if isinstance(pull, int) else pull.number, self.now()
        made = Comment(next(self._ids), number, author, body, now, now, on_issue=on_issue)
        self.comments[made.id] = made
        self._touch(number)
        return made

    def edit(self, comment: Comment, body: str) -> None:
        """Write a comment anew."""
        comment.body, comment.updated = body, self.now()
        self._touch(comment.pull)

    def label(self, pull: Pull, name: str, actor: Account, *, on: bool = True) -> None:
        """Put a label on, or take it off."""
        pull.labels = [x for x in pull.labels if x != name] + ([name] if on else [])
        pull.labellings.append(Labelling(next(self._ids), name, on, actor, self.now()))
        self._touch(pull.number)

    def set_status(self, commit: str, by: Account, **said: str) -> Status:
        """Set a status: `state`, `context`, `description`, `url`."""
        made = Status(
            next(self._ids),
            commit,
            said["state"],
            said.get("context", "default"),
            said.get("description", ""),
            said.get("url", ""),
            by,
            self.now(),
        )
        self.statuses.append(made)
        return made

    def status_of(self, commit: str, context: str) -> Status | None:
        """Return the newest status of a commit in a context."""
        found = (s for s in reversed(self.statuses) if (s.commit, s.context) == (commit, context))
        return next(found, None)

    def check(self, commit: str, by: Account, name: str) -> Check:
        """Begin a check of a commit."""
        made = Check(next(self._ids), commit, by, self.now(), name)
        self.checks[made.id] = made
        return made

    def checks_of(self, commit: str, name: str) -> list[Check]:
        """Return the newest check of that name by each account."""
        found = {c.by.id: c for c in self.checks.values() if (c.commit, c.name) == (commit, name)}
        return list(found.values())

    def comments_of(self, number: int) -> list[Comment]:
        """Return a pull request's comments, oldest first."""
        return [c for c in self.comments.values() if c.pull == number]

    def has(self, commit: str) -> bool:
        """Tell whether the repository has a commit; without a git repository, if a pull request does."""
        if self.git:
            return self._git("cat-file", "-t", commit, check=False) == "commit"
        return commit in set(self._commits())

    def _commits(self) -> Iterator[str]:
        for pull in self.pulls.values():
            yield from (pull.head, pull.merged_as)

    def _touch(self, number: int) -> None:
        if number in self.pulls:
            self.pulls[number].updated = self.now()

    def _point(self, pull: Pull) -> None:
        if self.git:
            self._git("update-ref", f"refs/pull/{pull.number}/head", pull.head)

    def _merged(self, pull: Pull, *, squash: bool) -> str:
        base = self._git("rev-parse", f"refs/heads/{pull.base}")
        tree = self._git("merge-tree", "--write-tree", base, pull.head)
        parents = ["-p", base] if squash else ["-p", base, "-p", pull.head]
        title = f"{pull.title} (#{pull.number})" if squash else f"Merge pull request #{pull.number}"
        made = self._git("commit-tree", tree, *parents, "-m", title)
        self._git("update-ref", f"refs/heads/{pull.base}", made, base)
        return made

    def _git(self, *argv: str, check: bool = True) -> str:
        moment = f"{int(self.now().timestamp())} +0000"
        who = {f"GIT_{w}_{k}": v for w in ("AUTHOR", "COMMITTER") for k, v in
               (("NAME", "Host"), ("EMAIL", "host@example.com"), ("DATE", moment))}  # fmt: skip
        done = subprocess.run(
            ["git", f"--git-dir={self.git}", *argv],
            env={**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
            check=check,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()


def sha(*words: object) -> str:
    """Return 40 hex digits for words, where there is no git repository to ask."""
    return sha1(repr(words).encode(), usedforsecurity=False).hexdigest()
