"""Lives of the product: processes that are warm at birth, and killed with SIGKILL.

`python -m tests.lives` is their mother. It imports all that the product needs, once, and forks a child
for each life, so that a life costs what its calls cost. She has no thread, and makes no call herself.

Lines in: {"repo": ..., "cache": ..., "url": ...}; out: {"pid": ...} at the birth, {"said": ...} where a
life ended by itself, {"status": ...} at the end of every life, as waitpid tells it.
"""

import json
import os
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.emulated import ROOT, Emulated

PATIENCE = 60.0  # seconds that nothing ever takes
GLANCE = 0.01  # seconds between two looks at whether the call was answered


@dataclass(slots=True)
class Lives:
    """Lives over one repository, one after the other."""

    mother: "subprocess.Popen[bytes]"
    aws: Emulated
    repo: Path
    cache: Path
    _pid: int = 0  # of the one that lives
    _text: bytes = b""

    def live(self, fault: int = 0) -> str | None:
        """Let the product live until it ends by itself, or fault number `fault` holds its reply.

        Return what it said at its end, or None if it was killed.
        """
        assert self.mother.stdin
        order = {"repo": str(self.repo), "cache": str(self.cache), "url": self.aws.url}
        self.mother.stdin.write(json.dumps(order).encode() + b"\n")
        self.mother.stdin.flush()
        said = None
        while True:
            told = self._next(GLANCE if fault else PATIENCE)
            if told is None:
                if self._pid and any(f["id"] == fault and f["fired"] for f in self.aws.control.faults()):
                    os.kill(self._pid, signal.SIGKILL)
                    fault = 0
                continue
            self._pid, said = told.get("pid", self._pid), told.get("said", said)
            if "status" in told:
                self._pid = 0
                assert said is not None or os.WTERMSIG(told["status"]) == signal.SIGKILL
                return said

    def end(self) -> None:
        """End what a test that failed left alive: its mother bears for others."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            while "status" not in (self._next(PATIENCE) or {}):
                pass

    def _next(self, seconds: float) -> dict[str, Any] | None:
        assert self.mother.stdout
        descriptor = self.mother.stdout.fileno()
        while b"\n" not in self._text:
            ready, _, _ = select.select([descriptor], [], [], seconds)
            if not ready:
                assert seconds < PATIENCE, "the product neither ends nor calls"
                return None
            more = os.read(descriptor, 65536)
            assert more, "the mother of the lives is gone"
            self._text += more
        line, _, self._text = self._text.partition(b"\n")
        return dict(json.loads(line))


@contextmanager
def mother_of_lives(aws: Emulated) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a mother, for all lives over one emulator; she ends with the block."""
    mother = subprocess.Popen(
        [sys.executable, "-m", "tests.lives"],
        cwd=ROOT,
        env={**aws.env(), "AWS_SDK_UA_APP_ID": "apply"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield mother
    finally:
        assert mother.stdin
        mother.stdin.close()
        mother.wait(timeout=PATIENCE)
        if mother.stdout:
            mother.stdout.close()


def _tell(**what: object) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def _warm() -> dict[Any, Any]:
    """Make the clients of all services that a life will ask: they hold no socket before the first call."""
    from reconciler.gateway.allow import SERVICES
    from reconciler.gateway.pace import Paces
    from reconciler.gateway.session import Place, open_aws
    from tests import product

    place = Place(target="prod", account="123456789012", region="eu-west-1")
    aws = open_aws(place, writes=True, paces=Paces({}))
    for service in SERVICES:
        aws.client(service)
    del product
    return {("apply", place): aws}


def _life(order: dict[str, str], opened: dict[Any, Any]) -> str:
    """Make passes until nothing moves; return how it stands."""
    from reconciler.daemon.session import open_session
    from reconciler.daemon.settings import Settings
    from reconciler.plan.standing import standing
    from tests.emulated import Control
    from tests.product import converge, unpaced

    aws = Emulated(url=order["url"], control=Control(order["url"]), opened=opened)
    settings = Settings(repo=order["repo"], cache=Path(order["cache"]), target=())
    with open_session(settings, writes=True) as session:
        unpaced(session, aws, "apply")
        return str(standing(converge(session, aws)[-1].plan))


def main() -> None:
    """Bear lives until standard input ends."""
    opened = _warm()
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                _tell(said=_life(json.loads(line), opened))
            except BaseException:  # noqa: BLE001  # nothing of a life may reach its mother's loop
                _tell(said=traceback.format_exc())
            os._exit(0)
        _tell(pid=pid)
        _, status = os.waitpid(pid, 0)
        _tell(status=status)


if __name__ == "__main__":
    main()
