"""Where the story plays: an emulated AWS and a daemon, each a process of its own, and a git host."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Self

from demo.host import GitHost, git_host
from emulator.client import Client

ROOT = Path(__file__).resolve().parents[1]
START = "2026-06-01T08:00:00Z"  # a Monday, outside the sample company's freeze
PATIENCE = 180.0  # seconds that one step of the story may take


class StoryError(Exception):
    """A step did not come true."""


@dataclass(slots=True)
class Stage:
    """All processes of the story, and what it needs to steer and to look at them."""

    folder: Path
    speed: float
    aws: Client = field(init=False)
    host: GitHost = field(init=False)
    url: str = ""
    daemon: "subprocess.Popen[bytes] | None" = None
    _stack: ExitStack = field(default_factory=ExitStack)
    _pause: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        """Start AWS, and the repository with nothing in it on its host."""
        command = [sys.executable, "-m", "emulator", "--company", "--speed", "0", "--start", START]
        server = subprocess.Popen(
            [*command, "--parent", str(os.getpid())], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        self._stack.callback(end, server)
        self.url = (server.stdout.readline() if server.stdout else "").strip()
        if not self.url:
            raise StoryError("the emulated AWS did not start")
        self.aws = Client(self.url)
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.origin), at=self.folder)
        self.host = self._stack.enter_context(git_host(self.origin))
        self.git("clone", "--quiet", str(self.origin), str(self.repository), at=self.folder)
        self.git("checkout", "--quiet", "-B", "main")
        return self

    def __exit__(self, *_: object) -> None:
        """End every process that was started here."""
        self.stop_daemon(signal.SIGTERM)
        self._stack.close()

    @property
    def origin(self) -> Path:
        """The repository of the desired state, as a git host holds it."""
        return self.folder / "shop.git"

    @property
    def repository(self) -> Path:
        """A person's clone of it."""
        return self.folder / "shop"

    @property
    def log(self) -> Path:
        """What the daemon logs."""
        return self.folder / "daemon.log"

    def env(self) -> dict[str, str]:
        """Return the environment in which every AWS tool reaches the emulated AWS, and nothing else."""
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "RECONCILER_"))},
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_EC2_METADATA_DISABLED": "true",
            "RECONCILER_REPO": str(self.origin),
            "RECONCILER_CACHE": str(self.folder / "cache"),
            **self.host.env(),
        }

    def git(self, *argv: str, at: Path | None = None) -> str:
        """Run git in the repository."""
        who = ("-c", "user.name=Demo", "-c", "user.email=demo@example.com", "-c", "commit.gpgsign=false")
        env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        return subprocess.run(
            ["git", *who, *argv],
            cwd=at or self.repository,
            env=env,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def fill(self) -> None:
        """Put the sample company's documents into the repository."""
        shutil.copytree(ROOT / "desired-state", self.repository, dirs_exist_ok=True)

    def push(self, message: str, branch: str = "main") -> str:
        """Commit all that changed to a branch and push it; return the commit."""
        if branch != "main":
            self.git("checkout", "--quiet", "-b", branch)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", branch)
        return self.git("rev-parse", "HEAD")

    def pull(self) -> None:
        """Bring the clone to where the host's main is."""
        self.git("checkout", "--quiet", "main")
        self.git("pull", "--quiet", "--ff-only", "origin", "main")

    def merge(self, branch: str) -> str:
        """Merge a branch, as a pull request is merged; return the merge commit."""
        self.git("checkout", "--quiet", "main")
        self.git("merge", "--quiet", "--no-ff", "--message", f"Merge {branch}", branch)
        self.git("push", "--quiet", "origin", "main")
        return self.git("rev-parse", "HEAD")

    def propose_and_merge(self, branch: str, message: str) -> str:
        """Push a branch with all that changed and merge it; return the merge commit."""
        self.push(message, branch)
        return self.merge(branch)

    def revert(self) -> str:
        """Revert the last merge; return the commit."""
        self.git("revert", "--no-edit", "-m", "1", "HEAD")
        self.git("push", "--quiet", "origin", "main")
        return self.git("rev-parse", "HEAD")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace text in a file of the repository."""
        file = self.repository / name
        text = file.read_text()
        if old not in text:
            raise StoryError(f"{name} does not hold {old!r}")
        file.write_text(text.replace(old, new))

    def run(self, *argv: str) -> tuple[int, str]:
        """Run the command line as a person would; return its exit code and all that it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", *argv],
            cwd=self.folder,
            env=self.env(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    def start_daemon(self) -> None:
        """Start `reconciler run`."""
        command = [sys.executable, "-m", "reconciler", "run", "--listen", "127.0.0.1:0"]
        with self.log.open("ab") as log:
            self.daemon = subprocess.Popen(
                [*command, "--poll", "1s", "--interval", "1s", "--host-poll", "1s"],
                cwd=self.folder,
                env=self.env(),
                stdout=log,
                stderr=log,
            )

    def stop_daemon(self, how: signal.Signals) -> int:
        """Send the daemon a signal and return how it ended."""
        if self.daemon is None:
            return 0
        self.daemon.send_signal(how)
        code = self.daemon.wait(timeout=PATIENCE)
        self.daemon = None
        return code

    def events(self, since: int = 0) -> Iterator[dict[str, Any]]:
        """Yield what the daemon logged, from a byte of the log on."""
        with self.log.open("rb") as log:
            log.seek(since)
            for line in log:
                if line.startswith(b"{") and line.endswith(b"\n"):
                    yield json.loads(line)

    def logged(self) -> int:
        """Return how many bytes the daemon has logged."""
        return self.log.stat().st_size if self.log.exists() else 0

    def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait until something holds. Raises: StoryError when it takes too long, or the daemon is gone."""
        end_at = monotonic() + PATIENCE
        while not holds():
            if monotonic() > end_at:
                raise StoryError(f"not within {PATIENCE:.0f} s: {what}")
            if self.daemon is not None and self.daemon.poll() is not None:
                raise StoryError(f"the daemon ended ({self.daemon.returncode}) before: {what}")
            self._pause.wait(0.2)


def end(process: "subprocess.Popen[str]") -> None:
    """End a process that was started here."""
    process.terminate()
    process.wait(timeout=10)
    if process.stdout:
        process.stdout.close()
