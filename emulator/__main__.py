"""`python -m emulator`: start an emulated AWS and print where it is."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

_LOOK = 0.5  # seconds between two looks at whether the parent is there


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes one that is free")
    parser.add_argument(
        "--speed", type=float, default=1.0, help="emulated seconds in a real one; 0 stops time"
    )
    parser.add_argument("--start", type=_time, help="where the clock begins, as 2026-06-01T08:00:00Z")
    parser.add_argument("--company", action="store_true", help="begin with the sample company's AWS world")
    parser.add_argument("--plain", action="store_true", help="moto as it is, without the overlay")
    parser.add_argument("--ready-file", type=Path, help="gets the URL once the server answers")
    parser.add_argument("--parent", type=int, help="stop when this process is gone")
    parser.add_argument("--until-stdin-closes", action="store_true", help="stop when standard input ends")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM, SIGINT, or the end of the parent."""
    arguments = _arguments(argv)
    from emulator import clock, seed, server

    clock.start(arguments.start, arguments.speed)
    emulator = server.Emulator(plain=arguments.plain)
    if arguments.company:
        seed.company(balancers=not arguments.plain)
    running = server.listen(emulator, arguments.host, arguments.port)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=running.server.serve_forever, daemon=True).start()
    if arguments.parent:
        threading.Thread(target=_watch_parent, args=(arguments.parent, stop), daemon=True).start()
    if arguments.until_stdin_closes:
        threading.Thread(target=_watch_stdin, args=(stop,), daemon=True).start()
    if arguments.ready_file:
        draft = arguments.ready_file.with_suffix(".draft")
        draft.write_text(f"{running.url}\n")
        draft.replace(arguments.ready_file)  # whoever waits for the file finds it whole
    sys.stdout.write(f"{running.url}\n")
    sys.stdout.flush()
    stop.wait()
    running.server.shutdown()
    running.server.server_close()
    return 0


def _watch_parent(parent: int, stop: threading.Event) -> None:
    while not stop.wait(_LOOK):
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            stop.set()


def _watch_stdin(stop: threading.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    stop.set()


if __name__ == "__main__":
    raise SystemExit(main())
