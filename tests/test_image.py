"""What must hold of the container image's recipe; docs/container.md tells how the image itself was proved."""

import json
import re
import subprocess
import sys
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parents[1]
BOTH = ("requirements-build.txt", "requirements.txt")


@cache
def instructions() -> tuple[tuple[str, str], ...]:
    """Each instruction of the Dockerfile with its argument, on one line."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return tuple((line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines if line.strip())


def arguments(name: str) -> list[str]:
    """The arguments of every instruction of a name, in order."""
    return [argument for instruction, argument in instructions() if instruction == name]


def copied() -> set[str]:
    """What is copied from the context."""
    return {w for a in arguments("COPY") if not a.startswith("--from=") for w in a.split()[:-1]}


def test_hadolint_has_nothing_to_say() -> None:
    lint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([lint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_each_stage_stands_on_the_base_that_is_given() -> None:
    assert {a.split()[0] for a in arguments("FROM")} == {"${BASE}"}
    (base,) = arguments("ARG")
    assert re.fullmatch(r"BASE=[a-z]+:[\w.-]+", base), "no registry's host; a tag"


def test_every_package_is_installed_by_its_hash() -> None:
    commands = [c.strip() for run in arguments("RUN") for c in run.split("&&")]
    installs = [c for c in commands if re.search(r"\bpip\b.*\b(install|wheel)\b", c)]
    locked = [c for c in installs if "--no-index" not in c]
    assert all("--no-deps --require-hashes" in c for c in locked)
    assert sorted(c.split()[-1] for c in locked) == sorted(BOTH)
    assert len(installs) > len(locked), "the project's own wheel needs no index"


def test_the_build_backend_that_is_picked_is_locked() -> None:
    (picked,) = re.findall(r"/\^\(([a-z|-]+)\)==/", " ".join(arguments("RUN")))
    locked = re.findall(
        r"^([a-z-]+)==.*\\\n    --hash", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE
    )
    assert set(picked.split("|")) <= set(locked)


def test_nothing_is_fetched_by_address() -> None:
    assert arguments("ADD") == []
    assert not re.search(r"https?://|curl|wget", " ".join(arguments("RUN") + arguments("COPY")))


def test_it_runs_as_a_number_that_is_not_root() -> None:
    (user,) = arguments("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    last = [name for name, _ in instructions()]
    assert "RUN" not in last[last.index("USER") :]


def test_only_the_volume_is_written() -> None:
    (environment,) = arguments("ENV")[-1:]
    assert "PYTHONDONTWRITEBYTECODE=1" in environment
    assert "HOME=/var/cache/reconciler" in environment
    assert arguments("VOLUME") == ["/var/cache/reconciler"]


def test_the_build_context_holds_what_is_copied_and_nothing_else() -> None:
    lines = [x for x in (ROOT / ".dockerignore").read_text().splitlines() if x and not x.startswith("#")]
    assert lines[0] == "*"
    assert {x.removeprefix("!") for x in lines if x.startswith("!")} == copied()
    assert not copied() & {".", "./", ".git", ".venv"}
    assert all((ROOT / name).exists() for name in copied())


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_exits_as_healthz_answers(status: int, code: int) -> None:
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        assert check_health(f"0.0.0.0:{server.server_port}") == code
        thread.join()
    assert asked == ["/healthz"]
    assert check_health(f"0.0.0.0:{server.server_port}") == 1, "nobody answers"


def check_health(listen: str) -> int:
    """Run the image's health check as a container runtime does, with a proxy that it must not ask."""
    (check,) = arguments("HEALTHCHECK")
    _, *argv = json.loads(check.partition("CMD ")[2])
    environment = {"RECONCILER_LISTEN": listen, "http_proxy": "http://127.0.0.1:9"}
    return subprocess.run(
        [sys.executable, *argv], env=environment, stderr=subprocess.DEVNULL, check=False, timeout=30
    ).returncode
