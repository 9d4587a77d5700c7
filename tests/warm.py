"""The command line in processes that are warm at birth: to import it takes longer than most commands do.

`python -m tests.warm` is their mother. She imports all that a command needs, once, and forks a child for
each, which has the folder, the environment, the arguments and the files that it is given, and ends as a
process of its own does. She has no thread, and makes no call herself.

Lines in: {"id": ..., "argv": [...], "cwd": ..., "env": {...}, "out": ..., "err": ...}; out: {"id": ..., "code": ...}.
"""

import atexit
import json
import os
import select
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from threading import Lock
from typing import Any

from tests.emulated import ROOT

GLANCE = 0.01  # seconds between two looks at whether a child has ended


@dataclass(slots=True)
class Mother:
    """Bears commands. Threads may share her."""

    process: "subprocess.Popen[bytes]"
    _ended: dict[int, int] = field(default_factory=dict)
    _ids: Any = field(default_factory=count)
    _lock: Lock = field(default_factory=Lock)

    def run(self, order: dict[str, Any]) -> int:
        """Run a command to its end. Return its exit code."""
        assert self.process.stdin
        with self._lock:
            mine = next(self._ids)
            self.process.stdin.write(json.dumps({**order, "id": mine}).encode() + b"\n")
            self.process.stdin.flush()
        while True:
            with self._lock:
                if mine in self._ended:
                    return self._ended.pop(mine)
                self._listen()

    def _listen(self) -> None:
        assert self.process.stdout
        ready, _, _ = select.select([self.process.stdout], [], [], GLANCE)
        if ready:
            line = self.process.stdout.readline()
            assert line, "the mother of the commands is gone"
            told = json.loads(line)
            self._ended[told["id"]] = told["code"]

    def end(self) -> None:
        """Let her end."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()
        self.process.wait(timeout=60)


@cache
def mother() -> Mother:
    """Return the one mother of this process; she ends when it does, for her standard input closes."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.warm"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    )
    found = Mother(process)
    atexit.register(found.end)
    return found


def _warm() -> None:
    """Import what commands import when they are asked, and read the models of AWS's services."""
    import reconciler.cli.main
    from reconciler.gateway.allow import SERVICES
    from reconciler.gateway.session import Place, open_aws
    from tests import product

    aws = open_aws(Place(target="warm", account="123456789012", region="eu-west-1"), writes=False)
    for service in SERVICES:
        aws.client(service)
    aws.close()
    del product, reconciler


def _command(order: dict[str, Any]) -> None:
    """Become the command."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for number, name in ((1, "out"), (2, "err")):
        file = os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    sys.argv = ["reconciler", *order["argv"]]
    from reconciler.cli.main import main

    main()


def bear() -> dict[str, Any] | None:
    """Bear children until standard input ends (None), or return as one of them, with its order."""
    alive: dict[int, int] = {}
    text, open_ = b"", True
    while open_ or alive:
        ready, _, _ = select.select([0] if open_ else [], [], [], GLANCE if alive else None)
        if ready:
            more = os.read(0, 1 << 20)
            open_, text = bool(more), text + more
        while b"\n" in text:
            line, _, text = text.partition(b"\n")
            order: dict[str, Any] = json.loads(line)
            pid = os.fork()
            if pid == 0:
                return order
            alive[pid] = order["id"]
        while alive:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            told = {"id": alive.pop(pid), "code": os.waitstatus_to_exitcode(status)}
            os.write(1, json.dumps(told).encode() + b"\n")
    return None


if __name__ == "__main__":
    _warm()
    if (mine := bear()) is not None:
        _command(mine)
