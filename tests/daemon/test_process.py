"""`reconciler run` as a process: signals, what it says of itself, its options; and what `plan` leaves out."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.daemon.settings import Settings
from tests.daemon.processes import ROOT, reconciler_run
from tests.repositories import Company, broken

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_without_a_good_commit_it_is_alive_not_ready_and_ends_well(tmp_path: Path, number: int) -> None:
    company = Company(tmp_path)
    commit = company.commit({"fleets/x.yaml": broken()})
    with reconciler_run(company.bare, tmp_path / "cache") as daemon:
        rejected = daemon.wait_for("commit.rejected")
        assert (rejected["commit"], rejected["at"]) == (commit, "fleets/x.yaml:2:7")
        daemon.wait_for("commit.stale")
        assert daemon.get("/healthz")[0] == 200
        code, said = daemon.get("/readyz")
        assert code == 503
        assert said["commit"] is None
        assert "no commit is adopted" in said["why"][0]
        assert "fleets/x.yaml:2:7" in said["problems"][0]
        assert daemon.get("/api/v1/passes")[1]["passes"] == []
        assert daemon.end(number) == 0
        last = daemon.rest()[-1]
    assert (last["event"], last["clean"], last["signal"]) == (
        "daemon.stopped",
        True,
        signal.Signals(number).name,
    )


def test_no_secret_of_the_settings_is_in_the_log(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.commit({"x.yaml": broken()})
    secrets = {"RECONCILER_GIT_TOKEN": "c4n4ry-t0k3n", "RECONCILER_REDACTION_KEY": "c4n4ry-k3y"}
    options = ("--log-level", "debug")
    with reconciler_run(company.bare, tmp_path / "cache", *options, env=secrets) as daemon:
        daemon.wait_for("commit.stale")
        daemon.end()
        assert "c4n4ry" not in json.dumps(daemon.rest())


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--listen", "nowhere", "write host:port"),
        ("--interval", "fast", "write 90s, 5m or 1h30m"),
        ("--repo", "/does/not/exist", "is not a git repository"),
        ("--log-level", "loud", "log_level"),
    ],
)
def test_a_setting_that_cannot_be_is_one_sentence_and_exit_code_1(option: str, value: str, says: str) -> None:
    argv = [sys.executable, "-m", "reconciler", "run", option, value]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_the_help_lists_every_setting() -> None:
    argv = [sys.executable, "-m", "reconciler", "run", "--help"]
    text = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    missing = [n for n in Settings.model_fields if f"RECONCILER_{n.upper()}" not in text]
    assert missing == []


HEAVY = ("apscheduler", "starlette", "uvicorn", "prometheus_client")
ONE_SHOT = {
    "validate": ["validate", "desired-state"],
    "plan": ["plan", "--repo", "/does/not/exist"],
    "drift": ["drift", "--repo", "/does/not/exist"],
    "status": ["status", "--repo", "/does/not/exist"],
}


@pytest.mark.parametrize("argv", ONE_SHOT.values(), ids=ONE_SHOT.keys())
def test_one_shot_commands_load_no_web_scheduler_or_metrics_module(argv: list[str]) -> None:
    script = (
        "import sys, json\n"
        "from reconciler.cli.main import app\n"
        f"try: app({argv!r}, standalone_mode=False)\n"
        "except BaseException: pass\n"
        f"print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []
