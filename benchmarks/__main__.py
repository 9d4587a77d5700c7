"""`python -m benchmarks`: make the worlds, measure, print the figures; exit 1 where one is over its bound."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks import table
from benchmarks.bounds import Cost, Measured, Pair, figures
from benchmarks.documents import REGION
from benchmarks.floor import Things
from benchmarks.replay import tell

SIZES: Final = (10, 100, 500)
PROCESSES: Final = 5  # pairs of cold processes
MB: Final = 1024 / 1_000_000  # of a KiB
ROOT: Final = Path(__file__).resolve().parents[1]
HEAVY: Final = ("apscheduler", "prometheus_client", "starlette", "uvicorn", "reconciler.report.metrics")
"""Beginnings of modules that only the daemon needs: a one-shot command does without them."""
_IMPORTED: Final = f"""
import json, runpy, sys
sys.argv = ["reconciler", *sys.argv[1:]]
try:
    runpy.run_module("reconciler", run_name="__main__")
except SystemExit as ended:
    assert not ended.code, ended.code
print(json.dumps([m for m in sys.modules if m.startswith({HEAVY!r})]))
"""


def main(argv: list[str] | None = None) -> int:
    """Measure, and judge. Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--sizes", default=",".join(map(str, SIZES)), help="fleets of each world, comma-separated"
    )
    parser.add_argument("--json", type=Path, help="also write every measurement to this file")
    parser.add_argument(
        "--worlds", type=Path, help="keep the worlds in this folder, and use those that are there"
    )
    options = parser.parse_args(argv)
    sizes = [int(s) for s in options.sizes.split(",")]
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        kept = options.worlds.resolve() if options.worlds else Path(scratch)
        worlds = [measured(n, made(n, kept / str(n))) for n in sizes]
    found = figures(worlds)
    print(table.render(worlds, found, command=" ".join(["python -m benchmarks", *(argv or sys.argv[1:])])))
    if options.json:
        options.json.write_text(table.as_json(worlds, found))
    over = [f for f in found if f.over]
    for figure in over:
        print(f"OVER: {figure.what} is {figure.value:.2f} {figure.unit}, at most {figure.most:g}".rstrip())
    return 1 if over else 0


def made(fleets: int, folder: Path) -> Path:
    """Make a world of that size, unless it is there."""
    if not (folder / "world.json").exists():
        since = time.monotonic()
        _say(f"{fleets} fleets: the product makes them")
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [sys.executable, "-m", "benchmarks.live", str(fleets), str(folder)], cwd=ROOT, check=True
        )
        _say(f"{fleets} fleets: made in {time.monotonic() - since:.0f} s")
    return folder


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def replaying(folder: Path) -> Iterator[str]:
    """Serve a world's replies from a process of their own."""
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.replay", str(folder / "replies.json")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin
    assert server.stdout
    try:
        yield server.stdout.readline().strip()
    finally:
        server.stdin.close()
        server.wait(timeout=30)
        server.stdout.close()


def measured(fleets: int, folder: Path) -> Measured:
    """Measure one world."""
    _say(f"{fleets} fleets: measuring")
    with replaying(folder) as url:
        env = _environment(folder, url)
        passes = json.loads(_output(["-m", "benchmarks.passes", str(folder), url], env))
        tell(url, "calls")
        cli, peak = _processes(folder, env)
        told = tell(url, "calls")
        assert not told["refused"], told["refused"]
        heavy = {
            "plan": _imports(["plan"], env),
            "validate": _imports(["validate", str(folder / "git" / "clone")], env),
        }
        tell(url, "calls")
    return Measured(
        fleets=fleets,
        things=Things.of(json.loads((folder / "world.json").read_text())),
        cold=Counter(passes["cold"]),
        warm=Counter(passes["warm"]),
        audit=Counter(passes["audit"]),
        pairs={int(k): tuple(Pair.of(p) for p in v) for k, v in passes["pairs"].items()},
        plans=passes["plans"],
        memory=passes["memory"] * MB,
        cli=cli,
        cli_memory=peak * MB,
        heavy=heavy,
        writes=_writes([*passes["cold"], *passes["warm"], *passes["audit"], *told["calls"]]),
    )


def _environment(folder: Path, url: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": url,
        "RECONCILER_REPO": str(folder / "git" / "fleet.git"),
    }


def _output(argv: list[str], env: Mapping[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *argv], cwd=env["HOME"], env=env, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.splitlines()[-1]


def _processes(folder: Path, env: Mapping[str, str]) -> tuple[tuple[Pair, ...], int]:
    """Run `reconciler plan` and the reader by turns; return the costs, and the most memory of `plan`."""
    pairs, most = [], 0
    for _ in range(PROCESSES):
        with tempfile.TemporaryDirectory(dir=folder) as cache:
            ours, peak = _run(["-m", "reconciler", "plan"], {**env, "RECONCILER_CACHE": cache})
        bare, _ = _run(["-m", "benchmarks.reader"], env)
        pairs.append(Pair(product=ours, reader=bare))
        most = max(most, peak)
    return tuple(pairs), most


def _run(argv: list[str], env: Mapping[str, str]) -> tuple[Cost, int]:
    """Run a process to its end; return what it and its children cost, and its peak of memory in KiB."""
    since = time.perf_counter()
    process = subprocess.Popen([sys.executable, *argv], cwd=env["HOME"], env=env, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, (argv, process.returncode)
    return Cost(wall=time.perf_counter() - since, cpu=used.ru_utime + used.ru_stime), used.ru_maxrss


def _imports(argv: list[str], env: Mapping[str, str]) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory(dir=env["HOME"]) as cache:
        return tuple(json.loads(_output(["-c", _IMPORTED, *argv], {**env, "RECONCILER_CACHE": cache})))


def _writes(calls: list[str]) -> tuple[str, ...]:
    from reconciler.gateway.allow import ALLOWED

    reads = {f"{s}:{o}" for (s, o), allowed in ALLOWED.items() if not allowed.writes}
    return tuple(sorted(set(calls) - reads))


if __name__ == "__main__":
    raise SystemExit(main())
