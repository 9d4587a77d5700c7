"""A real `reconciler run` in a process of its own: its log, its HTTP, its end."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds that a test waits for what must come; nothing ever takes as long


@dataclass(slots=True)
class Running:
    """A daemon that runs."""

    popen: subprocess.Popen[str]
    log: list[dict[str, Any]] = field(default_factory=list)
    _lines: "Queue[str]" = field(default_factory=Queue)

    def wait_for(self, event: str, **values: object) -> dict[str, Any]:
        """Wait for a line of this event and these values; return it."""
        while True:
            text = self._lines.get(timeout=PATIENCE)
            if not text:
                raise AssertionError(f"no {event} before the log's end: {self.log}")
            line = json.loads(text)
            self.log.append(line)
            if line["event"] == event and all(line.get(k) == v for k, v in values.items()):
                return dict(line)

    def get(self, path: str) -> tuple[int, Any]:
        """Return status and JSON of what the daemon answers."""
        url = next(x["listen"] for x in self.log if x["event"] == "daemon.started")
        try:
            with urlopen(f"{url}{path}", timeout=PATIENCE) as reply:
                return reply.status, json.load(reply)
        except HTTPError as error:
            with error:
                return error.code, json.load(error)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end. Return the exit code."""
        self.popen.send_signal(number)
        return self.popen.wait(timeout=PATIENCE)

    def rest(self) -> list[dict[str, Any]]:
        """Return what is left of the log of a process that ended."""
        while text := self._lines.get(timeout=PATIENCE):
            self.log.append(json.loads(text))
        return self.log


@contextmanager
def reconciler_run(
    repository: Path, cache: Path, *options: str, env: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Run the daemon; end it with the block, if it still runs."""
    argv = [sys.executable, "-m", "reconciler", "run", "--repo", str(repository), "--cache", str(cache)]
    popen = subprocess.Popen(
        [*argv, "--listen", "127.0.0.1:0", *options],
        cwd=ROOT,
        env={**os.environ, "AWS_EC2_METADATA_DISABLED": "true", **(env or {})},
        stdout=subprocess.PIPE,
        text=True,
    )
    running = Running(popen)
    reader = Thread(target=_read, args=(popen, running._lines), daemon=True)
    reader.start()
    try:
        running.wait_for("daemon.started")
        yield running
    finally:
        if popen.poll() is None:
            popen.kill()
            popen.wait(timeout=PATIENCE)
        reader.join(PATIENCE)
        if popen.stdout:
            popen.stdout.close()


def _read(popen: subprocess.Popen[str], lines: "Queue[str]") -> None:
    for line in popen.stdout or ():
        lines.put(line)
    lines.put("")
