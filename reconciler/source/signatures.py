"""Is what guards production signed: for each guarded file, the newest commit that changed it.

Commits are walked and verified in the mirror. Nothing of the repository is executed, no configuration or
keyring of the machine counts, and what can't be verified is refused.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Final

from reconciler.core.ids import Commit
from reconciler.core.problem import Position, Problem
from reconciler.source.git import SIGNERS, TIMEOUT, Repository, SourceError
from reconciler.source.history import Change
from reconciler.source.policy import SETTING, Rule

FIRST: Final = 20  # commits of the first look at the history: most often few are new
PAGE: Final = 500  # of each further one
MOST_COMMITS: Final = 100_000  # between a commit and `since`
MOST_TOLD: Final = 20  # commits that are not signed, and should be
GPG_CONF: Final = "disable-dirmngr\nno-auto-key-retrieve\n"  # no key comes from anywhere else


@dataclass(frozen=True, slots=True, order=True)
class Unsigned(Problem):
    """A commit that changed a guarded file, and is not signed by a key that its rule allows."""

    by: Commit
    rule: int  # from 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What a rule's files hold at one moment."""

    signers: bytes
    keyring: bytes

    @property
    def digest(self) -> str:
        """What stands for them."""
        parts = (sha256(part).hexdigest() for part in (self.signers, self.keyring))
        return ":".join(parts)


@dataclass(slots=True, kw_only=True)
class Signatures:
    """Judges commits by rules. What was verified is remembered, by commit and by what the keys were."""

    repository: Repository
    rules: tuple[Rule, ...]
    cache: Path  # keys are laid out below it, for as long as it takes
    path: str = ""
    _line: tuple[Change, ...] = ()  # newest first: the history that was walked last
    _at: dict[Commit, int] = field(default_factory=dict)  # places in it
    _known: dict[tuple[str, Commit], bool] = field(default_factory=dict)
    _trusted: dict[str, frozenset[Commit]] = field(default_factory=dict)

    def check(self) -> None:
        """See that all that is needed is there. Raises: SourceError, which says what is not."""
        for number, rule in enumerate(self.rules, 1):
            for program, file in (("ssh-keygen", rule.signers), ("gpg", rule.keyring)):
                if file and not shutil.which(program):
                    what = f"rule {number} of {SETTING} needs {program}, which is not installed"
                    raise SourceError(f"{what}; install it, nothing is adopted without")
            with keys_in(self.cache, _read(rule)):
                continue

    def fingerprint(self) -> str:
        """Return what stands for rules and keys now. Raises: SourceError where a file can't be read."""
        return sha256("\n".join(f"{r!r} {_read(r).digest}" for r in self.rules).encode()).hexdigest()

    def problems(self, commit: Commit) -> tuple[Unsigned, ...]:
        """Return which commits stand against adopting this one: every rule must hold. Raises: SourceError."""
        asking = [(n, r) for n, r in enumerate(self.rules, 1) if commit not in self._before(r.since)]
        if not asking:
            return ()
        line = self._walk(commit, {rule.since for _, rule in asking})
        found = (p for n, rule in asking for p in self._of_rule(n, rule, commit, line))
        return tuple(islice(found, MOST_TOLD))

    def guarded(self, files: Iterable[str]) -> tuple[tuple[int, Rule, tuple[str, ...]], ...]:
        """Return the rules that files of the repository fall under, each with its number and those files."""
        start = f"{self.path.strip('/')}/" if self.path.strip("/") else ""
        names = [f.removeprefix(start) for f in files if f.startswith(start)]
        return tuple((n, r, own) for n, r in enumerate(self.rules, 1) if (own := r.guarded(names)))

    def _of_rule(self, number: int, rule: Rule, commit: Commit, line: Iterable[Change]) -> Iterator[Unsigned]:
        newest: dict[str, Commit] = {}
        for change in line:
            if change.commit == rule.since:
                break
            for file in rule.guarded(change.files):
                newest.setdefault(file, change.commit)
        else:
            if rule.since:
                yield _lost(number, rule, commit)
                return
        files: dict[Commit, list[str]] = {}
        for file, by in newest.items():
            files.setdefault(by, []).append(file)
        for by in self._not_signed(_read(rule), files):
            yield _unsigned(number, rule, by, sorted(files[by]))

    def _not_signed(self, keys: Keys, commits: Iterable[Commit]) -> list[Commit]:
        """Return commits that none of the keys signed, newest first; enough of them to tell."""
        bad: list[Commit] = []
        with ExitStack() as stack:
            folder: Path | None = None
            for commit in commits:
                one = (keys.digest, commit)
                if one not in self._known:
                    folder = folder or stack.enter_context(keys_in(self.cache, keys))
                    self._known[one] = self.repository.signed(commit, folder)
                if not self._known[one]:
                    bad.append(commit)
                if len(bad) == MOST_TOLD:
                    break
        return bad

    def _before(self, since: str | None) -> frozenset[Commit]:
        """Return the commits that are trusted: `since` and its first parents."""
        if since is None or not self.repository.has(since):
            return frozenset()
        if since not in self._trusted:
            self._trusted[since] = frozenset(self.repository.first_parents(Commit(since), MOST_COMMITS))
        return self._trusted[since]

    def _walk(self, commit: Commit, ends: set[str | None]) -> tuple[Change, ...]:
        """Return the history of a commit, back to the oldest of `ends` at least; None: all of it."""
        if commit not in self._at:
            self._line = tuple(self._back(commit, set(ends)))
            self._at = {change.commit: n for n, change in enumerate(self._line)}
        return self._line[self._at[commit] :]

    def _back(self, commit: Commit, left: set[str | None]) -> Iterator[Change]:
        """Walk back, page by page, until all of `left` were met, or what was walked before begins."""
        at: Commit | None = commit
        size, count = FIRST, 0
        while at is not None:
            page = self.repository.changes(at, size, self.path)
            for change in page:
                if change.commit in self._at:
                    yield from self._line[self._at[change.commit] :]
                    return
                files = tuple(f for f in change.files if any(r.guarded((f,)) for r in self.rules))
                yield replace(change, files=files)
                left.discard(change.commit)
                if not left:
                    return
            at, size, count = page[-1].parent, PAGE, count + len(page)
            if count > MOST_COMMITS:
                raise SourceError(
                    f"{SETTING}: over {MOST_COMMITS} commits are to be verified; name a later `since`"
                )


@contextmanager
def keys_in(cache: Path, keys: Keys) -> Iterator[Path]:
    """Lay keys out in a folder of our own that nobody else can read, and take it away again.

    Raises: SourceError where a keyring holds no key.
    """
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="keys-", dir=cache, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / SIGNERS).write_bytes(keys.signers)
        (folder / "gpg.conf").write_text(GPG_CONF)
        if keys.keyring:
            (folder / "exported").write_bytes(keys.keyring)
            said = _gpg(folder, "--import", str(folder / "exported"))
            if "\npub:" not in _gpg(folder, "--with-colons", "--list-keys"):
                raise SourceError(f"{SETTING}: a keyring holds no public key that gpg reads: {said}"[:300])
        yield folder


def _gpg(folder: Path, *argv: str) -> str:
    """Run GnuPG on a keyring of ours, without its agent. Source: gpg(1). Raises: SourceError."""
    fixed = ("gpg", "--batch", "--no-tty", "--no-autostart", "--homedir", str(folder))
    env = {"PATH": os.environ.get("PATH", ""), "GNUPGHOME": str(folder), "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603  # our own words, no shell
            (*fixed, *argv),
            env=env,
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(f"{SETTING}: gpg does not run: {type(error).__name__}") from None
    return (done.stdout or done.stderr).decode(errors="replace")


def _read(rule: Rule) -> Keys:
    found: dict[str, bytes] = {}
    for name, file in (("signers", rule.signers), ("keyring", rule.keyring)):
        try:
            found[name] = file.read_bytes() if file else b""
        except OSError as error:
            what = f"{SETTING}: {name} {file} can't be read: {error.strerror}"
            raise SourceError(f"{what}; nothing more is adopted until it can") from None
        if file and not found[name].strip():
            raise SourceError(
                f"{SETTING}: {name} {file} is empty; nothing more is adopted until it holds a key"
            )
    return Keys(**found)


def _lost(number: int, rule: Rule, commit: Commit) -> Unsigned:
    since = str(rule.since)[:12]
    return Unsigned(
        at=Position(rule.paths[0]),
        what=f"{since} is not in the first-parent history of {commit[:12]}, so nothing of it is trusted",
        why=f"rule {number} of {SETTING} names it as `since`; was history rewritten",
        fix="restore the history, or have the operator name another commit as `since`",
        by=commit,
        rule=number,
    )


def _unsigned(number: int, rule: Rule, by: Commit, files: list[str]) -> Unsigned:
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return Unsigned(
        at=Position(files[0]),
        what=f"commit {by[:12]} changed it{more}, and no allowed key signed that commit",
        why=f"rule {number} of {SETTING} asks for it on {', '.join(rule.paths)}",
        fix=f"have somebody with an allowed key change it again: `git revert -S {by[:12]}` takes it back",
        by=by,
        rule=number,
    )
