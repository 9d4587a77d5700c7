"""Git, fenced: a bare mirror with history, `ls-remote`, blobs of one commit. None of it is ever executed."""

import base64
import fcntl
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

import git
from git.exc import GitCommandError

from reconciler.core.errors import ReconcilerError
from reconciler.core.ids import Commit
from reconciler.source.history import FORM, Change, read_changes
from reconciler.source.tree import MOST_BYTES, MOST_FILES, Odd, Tree, is_document

TIMEOUT: Final = 30  # seconds, of a look at the remote
FETCH_TIMEOUT: Final = 600  # seconds: the first fetch brings the whole history
MOST_REMEMBERED: Final = 10_000  # answers about ancestry; all are asked for anew past it
HELD: Final = "refs/reconciler/head"
NO_ANSWER: Final = "fatal: Could not read from remote repository"
SHA: Final = re.compile(r"^[0-9a-f]{40}$")
SCP: Final = re.compile(r"^[A-Za-z0-9._-]+@[A-Za-z0-9._-]+:[^:].*$")
SIGNERS: Final = "signers"  # name of the file of ssh keys
SYMLINK, SUBMODULE, FOLDER = 0o120000, 0o160000, 0o040000


_NOBODY: Final = {
    "GIT_AUTHOR_NAME": "reconciler",
    "GIT_AUTHOR_EMAIL": "reconciler@localhost",
    "GIT_AUTHOR_DATE": "1970-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "reconciler",
    "GIT_COMMITTER_EMAIL": "reconciler@localhost",
    "GIT_COMMITTER_DATE": "1970-01-01T00:00:00Z",
}
"""Who makes merge results: the same bytes, and so the same commit, whenever and wherever it is made."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A head that can't be merged: the files that both sides changed."""

    files: tuple[str, ...]


class SourceError(ReconcilerError):
    """The repository can't be read: the sentence says why, and holds no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """How to get into the repository. Never in argv, a URL or a log."""

    token: str = ""  # HTTPS
    ssh_key: str = ""  # path
    known_hosts: str = ""  # path


def checked_url(url: str) -> tuple[str, str]:
    """Return a URL as git takes it, and the protocol that is allowed for it.

    Raises: SourceError for a scheme that is not allowed, or a secret in the URL.
    """
    if SCP.match(url):
        return url, "ssh"
    parts = urlsplit(url)
    if parts.scheme in ("https", "ssh"):
        if parts.password or (parts.scheme == "https" and parts.username):
            raise SourceError("the repository's URL holds a secret; set RECONCILER_GIT_TOKEN instead")
        return url, parts.scheme
    if parts.scheme in ("", "file"):
        path = Path(parts.path if parts.scheme else url).expanduser().resolve()
        if not path.is_dir():
            raise SourceError(f"{path} is not a git repository")
        return str(path), "file"
    if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"):
        return url, "http"
    raise SourceError(f"{parts.scheme}:// is not read; use https, ssh, git@host:path or a local path")


class Repository:
    """A bare mirror of one remote, with its history. Opened for each use, so that no git process stays."""

    def __init__(self, url: str, mirror: Path, credentials: Credentials | None = None) -> None:
        self.url, self._protocol = checked_url(url)
        self._mirror = mirror
        self._credentials = credentials or Credentials()
        self._before: dict[tuple[Commit, str], bool] = {}  # is the second the first, or before it
        self._documents: dict[str, bytes] = {}  # of the tree that was read last, by git's digest

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        env = {
            "GIT_ALLOW_PROTOCOL": self._protocol,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_PARAMETERS": "",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_ASKPASS": "true",
            "LC_ALL": "C",
        }
        pairs = {"safe.directory": "*", "core.hooksPath": os.devnull, **more}
        if self._credentials.token:
            parts = urlsplit(self.url)
            header = f"http.{parts.scheme}://{parts.netloc}/.extraHeader"
            pairs[header] = f"Authorization: Basic {_basic(self._credentials.token)}"
        env["GIT_CONFIG_COUNT"] = str(len(pairs))
        for n, (key, value) in enumerate(pairs.items()):
            env[f"GIT_CONFIG_KEY_{n}"], env[f"GIT_CONFIG_VALUE_{n}"] = key, value
        if self._protocol == "ssh":
            env["GIT_SSH_COMMAND"] = ssh_command(self._credentials)
        return env

    @contextmanager
    def _open(self, config: Mapping[str, str] = MappingProxyType({})) -> Iterator[git.Repo]:
        if not (self._mirror / "HEAD").exists():
            try:
                self._mirror.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                what = f"the mirror can't be kept in {self._mirror.parent}: {error.strerror}"
                raise SourceError(f"{what}; choose another RECONCILER_CACHE") from None
            git.Repo.init(self._mirror, bare=True).close()
        with git.Repo(self._mirror) as repo:
            repo.git.update_environment(**self._environment(config))
            yield repo

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the mirror against another process that fetches into it; the system lets go at any end."""
        with (self._mirror / "reconciler.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def head(self, ref: str | None = None) -> Commit:
        """Return the commit that a branch, a tag, or the remote's HEAD names now.

        Source: git ls-remote. Raises: SourceError.
        """
        if ref and SHA.match(ref):
            return Commit(ref)
        wanted = [ref] if ref else ["HEAD"]
        with self._open() as repo:
            text = self._run(repo, "ls_remote", "--", self.url, *wanted, timeout=TIMEOUT)
        lines = (line.partition("\t") for line in text.splitlines())
        found = {name: sha for sha, tab, name in lines if tab}
        names = [f"refs/heads/{ref}", f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}", ref] if ref else ["HEAD"]
        named = next((found[n] for n in names if n in found), None)
        if named is None:
            raise SourceError(f"the repository has no {ref or 'HEAD'}; is it empty?")
        return Commit(named)

    def branch(self, ref: str | None = None) -> str:
        """Return the branch that is followed: the ref, or what the remote's HEAD points at.

        Source: git ls-remote --symref. Raises: SourceError where that is no branch.
        """
        if ref:
            return ref
        with self._open() as repo:
            text = self._run(repo, "ls_remote", "--symref", "--", self.url, "HEAD", timeout=TIMEOUT)
        head = next((x for x in text.splitlines() if x.startswith("ref: ")), "")
        name = head.removeprefix("ref: ").partition("\t")[0]
        if not name.startswith("refs/heads/"):
            raise SourceError("the repository's HEAD names no branch; say which with --ref")
        return name.removeprefix("refs/heads/")

    def fetch(self, commit: Commit, ref: str | None = None) -> None:
        """Bring a commit with its history into the mirror, if it is not there yet. Raises: SourceError."""
        with self._open() as repo, self._locked():
            if self._has(repo, commit):
                return
            # A commit is asked for itself: that of a pull request is on no branch.
            spec = f"+{ref or 'HEAD'}:{HELD}/0"
            self._run(
                repo, "fetch", "--no-tags", "--no-recurse-submodules", "--force", "--", self.url, spec,
                timeout=FETCH_TIMEOUT,
            )  # fmt: skip
            if (self._mirror / "shallow").exists():
                raise SourceError("the repository is a shallow clone; its whole history is needed")
            if not self._has(repo, commit):
                raise SourceError(f"the repository has no commit {commit[:12]} on {ref or 'HEAD'}")

    def refs(self, *patterns: str) -> dict[str, Commit]:
        """Return the commits that refs of the remote name now, by ref. Costs no request limit of a host.

        Source: git ls-remote. Raises: SourceError.
        """
        with self._open() as repo:
            text = self._run(repo, "ls_remote", "--", self.url, *patterns, timeout=TIMEOUT)
        lines = (line.partition("\t") for line in text.splitlines())
        return {name: Commit(sha) for sha, tab, name in lines if tab and SHA.match(sha)}

    def bring(self, refs: Mapping[str, str]) -> None:
        """Bring refs of the remote into the mirror, each under a name of ours. Raises: SourceError."""
        if not refs:
            return
        spec = [f"+{theirs}:{ours}" for theirs, ours in sorted(refs.items())]
        with self._open() as repo, self._locked():
            self._run(
                repo, "fetch", "--no-tags", "--no-recurse-submodules", "--force", "--", self.url, *spec,
                timeout=FETCH_TIMEOUT,
            )  # fmt: skip

    def has(self, commit: str) -> bool:
        """Is this commit in the mirror."""
        with self._open() as repo:
            return bool(SHA.match(commit)) and self._has(repo, commit)

    def merged(self, base: Commit, head: Commit) -> "Commit | Conflict":
        """Return what merging `head` into `base` gives, as a commit in the mirror, or the files in conflict.

        The commit is the same whenever it is made: its date is fixed, its first parent is the base.
        Source: git merge-tree --write-tree (2.38), git commit-tree. Raises: SourceError.
        """
        with self._open() as repo, self._locked():
            code, text, problem = repo.git.merge_tree(
                "--write-tree", "--name-only", "--no-messages", base, head,
                with_extended_output=True, with_exceptions=False, kill_after_timeout=TIMEOUT,
            )  # fmt: skip
            tree, *files = text.splitlines() or [""]
            if code not in (0, 1) or not SHA.match(tree):
                raise SourceError(f"git merge-tree: {problem.strip() or 'no answer in time'}"[:300])
            if code == 1:
                return Conflict(tuple(sorted(set(filter(None, files)))))
            with repo.git.custom_environment(**_NOBODY):
                made = self._run(
                    repo, "commit_tree", tree, "-p", base, "-p", head, "-m", "Merge result", timeout=TIMEOUT
                )
        return Commit(made.strip())

    def changed(self, before: str, after: str, path: str = "") -> tuple[str, ...]:
        """Return the files below `path` that differ between two commits or trees. Raises: SourceError."""
        prefix = path.strip("/")
        with self._open() as repo:
            text = self._run(
                repo, "diff_tree", "-r", "--name-only", "--no-renames", "-z", before, after,
                *(("--", prefix) if prefix else ()), timeout=TIMEOUT,
            )  # fmt: skip
        return tuple(sorted(filter(None, text.split("\0"))))

    def _has(self, repo: git.Repo, commit: str) -> bool:
        try:
            repo.git.cat_file("-e", f"{commit}^{{commit}}")
        except GitCommandError:
            return False
        return True

    def _run(self, repo: git.Repo, command: str, *argv: str, timeout: int) -> str:
        try:
            return str(getattr(repo.git, command)(*argv, kill_after_timeout=timeout))
        except GitCommandError as error:
            raise SourceError(f"git {command.replace('_', '-')}: {self._clean(error)}") from None

    def _clean(self, error: GitCommandError) -> str:
        said = (x.strip().removeprefix("stderr:").strip(" '\"") for x in str(error.stderr or "").splitlines())
        lines = [x for x in said if x]
        # git's own end of a broken connection says nothing; what ssh, or the other end, said before it does.
        end = next((n for n, x in enumerate(lines) if x.startswith(NO_ANSWER)), 0)
        lines = lines[:end] or lines
        told = [x for x in lines if "fatal" in x or "rror" in x] or lines or ["no answer in time"]
        text = told[-1]
        for secret in filter(None, (self._credentials.token, _basic(self._credentials.token))):
            text = text.replace(secret, "***")
        return re.sub(r"//[^/@\s]+@", "//***@", text)[:300]

    def tree(self, commit: Commit, path: str = "") -> Tree:
        """Return the files of one commit below `path`, read from git's objects. Raises: SourceError."""
        with self._open() as repo:
            listing = self._listing(repo, commit, path)
            found: dict[str, bytes | Odd] = {}
            read: dict[str, bytes] = {}
            for name, mode, sha, size in listing:
                if mode == SYMLINK:
                    found[name] = Odd.SYMLINK
                elif mode == SUBMODULE:
                    found[name] = Odd.SUBMODULE
                elif size > MOST_BYTES:
                    found[name] = Odd.HUGE
                else:
                    content = self._documents.get(sha) or repo.odb.stream(bytes.fromhex(sha)).read()
                    found[name] = content
                    if is_document(name):
                        read[sha] = content
            self._documents = read
            return found

    def _listing(self, repo: git.Repo, commit: Commit, path: str) -> list[tuple[str, int, str, int]]:
        prefix = path.strip("/")
        where = f"{commit}:{prefix}" if prefix else str(commit)
        text = self._run(repo, "ls_tree", "-r", "-l", "-z", "--full-tree", where, timeout=TIMEOUT)
        found = []
        for line in filter(None, text.split("\0")):
            head, _, name = line.partition("\t")
            mode, _kind, sha, size = head.split()
            found.append((name, int(mode, 8), sha, int(size) if size.isdigit() else 0))
        if len(found) > MOST_FILES:
            raise SourceError(f"{commit[:12]} holds more than {MOST_FILES} files")
        return found

    def tree_id(self, commit: Commit, path: str = "") -> str:
        """Return git's own digest of everything below `path`: equal means the same files."""
        with self._open() as repo:
            return self._run(repo, "rev_parse", f"{commit}:{path.strip('/')}", timeout=TIMEOUT)

    def ancestors(self, commit: Commit, candidates: Iterable[str]) -> frozenset[Commit]:
        """Return which candidates are the commit itself or before it. Unknown and garbled ones are not.

        One look at the history answers for all, and an answer never changes: it is remembered.
        """
        if len(self._before) > MOST_REMEMBERED:
            self._before = {}
        before, wanted = self._before, {c for c in candidates if SHA.match(c)}
        if fresh := {c for c in wanted if (commit, c) not in before}:
            with self._open() as repo:
                if not self._has(repo, commit):
                    return frozenset()
                history = set(self._run(repo, "rev_list", commit, "--", timeout=TIMEOUT).split())
            before.update({(commit, c): c in history for c in fresh})
        return frozenset(Commit(c) for c in wanted if before[commit, c])

    def first_parents(self, commit: Commit, limit: int) -> tuple[Commit, ...]:
        """Return a commit and its first-parent ancestors, newest first, at most `limit`."""
        with self._open() as repo:
            text = self._run(
                repo, "rev_list", "--first-parent", f"--max-count={limit}", commit, "--", timeout=TIMEOUT
            )
        return tuple(Commit(x) for x in text.split())

    def changes(self, commit: Commit, limit: int, path: str = "") -> tuple[Change, ...]:
        """Return what a commit and its first-parent ancestors changed below `path`, newest first.

        Source: git log --first-parent --raw. Raises: SourceError.
        """
        prefix = path.strip("/")
        with self._open() as repo:
            text = self._run(
                repo, "log", *FORM, f"--max-count={limit}", commit, "--",
                *((f":(literal){prefix}",) if prefix else ()), timeout=TIMEOUT,
            )  # fmt: skip
        try:
            return read_changes(text, prefix)
        except ValueError as error:
            raise SourceError(str(error)) from None

    def signed(self, commit: Commit, keys: Path) -> bool:
        """Is a commit signed by one of the keys in a folder: `signers` for ssh, `pubring` of GnuPG.

        The exit code alone says so: a stranger's signature is "good" in the words beside it.
        Source: git verify-commit. Raises: SourceError.
        """
        config = {
            "gpg.ssh.allowedSignersFile": str(keys / SIGNERS),
            "gpg.x509.program": "false",  # its certificates would be the machine's own
            "gpg.minTrustLevel": "undefined",  # what is in the keyring is allowed; nobody signed it there
        }
        with self._open(config) as repo, repo.git.custom_environment(GNUPGHOME=str(keys)):
            code, _, said = repo.git.verify_commit(
                "--raw", commit, with_extended_output=True, with_exceptions=False, kill_after_timeout=TIMEOUT
            )
        if code not in (0, 1):
            raise SourceError(f"git verify-commit {commit[:12]}: {said.strip() or 'no answer in time'}"[:300])
        return bool(code == 0)

    def root(self, commit: Commit) -> Commit:
        """Return the first-parent root: what stays the same as long as history is not rewritten."""
        with self._open() as repo:
            text = self._run(
                repo, "rev_list", "--first-parent", "--max-parents=0", commit, "--", timeout=TIMEOUT
            )
        return Commit(text.split()[-1])


def _basic(token: str) -> str:
    return base64.b64encode(f"x-access-token:{token}".encode()).decode() if token else ""


def ssh_command(credentials: Credentials) -> str:
    """Return the ssh that git runs: one key, known hosts alone, never a question."""
    parts = ["ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]
    if credentials.ssh_key:
        parts += ["-i", credentials.ssh_key, "-o", "IdentitiesOnly=yes"]
    if credentials.known_hosts:
        parts += ["-o", f"UserKnownHostsFile={credentials.known_hosts}"]
    return shlex.join(parts)


def source_id(root: Commit, path: str) -> str:
    """Return `reconciler:source`: 12 hex of the SHA-256 of the root commit and the path."""
    return sha256(f"{root}:{path.strip('/')}".encode()).hexdigest()[:12]
