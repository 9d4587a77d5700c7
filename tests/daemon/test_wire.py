"""A real daemon over the wire: a commit becomes fleets, a kill in mid-rollout costs nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import pytest

from reconciler.gateway.allow import ALLOWED
from tests.daemon.processes import reconciler_run
from tests.emulated import Emulated, emulator
from tests.repositories import Company

pytestmark = pytest.mark.wire

TARGET = """
apiVersion: reconciler/v1
kind: Target
metadata: {name: prod-ireland}
spec: {account: "123456789012", region: eu-west-1, owner: shop-fleets}
---
apiVersion: reconciler/v1
kind: Image
metadata: {name: base}
spec: {targets: [prod-ireland], architecture: arm64, ami: ami-0a1000000000001}
---
apiVersion: reconciler/v1
kind: Zone
metadata: {name: example-com}
spec: {target: prod-ireland, domain: example.com, records: []}
"""

WEB = """
apiVersion: reconciler/v1
kind: Fleet
metadata: {name: web}
spec:
  targets: [prod-ireland]
  image: base
  launch: {generation: "%s", instanceTypes: [t4g.small], securityGroups: [{name: web}]}
  placement: {subnets: [{tag: {tier: app}}]}
  capacity: {min: 2, max: 4, desired: 2}
  traffic:
    balancer:
      securityGroups: [{name: lb}]
      listeners: [{port: 80, protocol: HTTP}]
      targetGroup: {port: 8080, protocol: HTTP, health: {path: /}}
    dns: {zone: example-com, name: newweb}
  rollout: {keepOld: 1m, readyWithin: 8h}
"""

FAST = ("--interval", "1s", "--poll", "1s", "--audit", "5s")


WORKER = """
apiVersion: reconciler/v1
kind: Fleet
metadata: {name: %s}
spec:
  targets: [prod-ireland]
  image: base
  launch: {instanceTypes: [t4g.small], securityGroups: [{name: worker}]}
  placement: {subnets: [{tag: {tier: app}}]}
  capacity: {min: 1, max: 2, desired: 1}
  rollout: {readyWithin: 8h}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Emulated]:
    with emulator(speed=120) as running:
        yield running


@pytest.fixture
def aws(server: Emulated) -> Emulated:
    """Begin each test with the company's network and images, and nothing of ours."""
    server.control.reset()
    server.control.seed_company()
    server.control.clear_calls()
    return server


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path / "git")


def wrote(aws: Emulated) -> list[str]:
    """Return the writing operations that arrived."""
    return [c["operation"] for c in aws.control.calls() if ALLOWED[c["service"], c["operation"]].writes]


def until(holds: Callable[[], object], patience: float = 30.0) -> None:
    """Look again until something holds."""
    pause, end = Event(), monotonic() + patience
    while not holds():
        assert monotonic() < end, "it did not come true in time"
        pause.wait(0.02)


def groups(aws: Emulated) -> list[dict[str, Any]]:
    """Return the fleet's groups that are not being deleted."""
    found = aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    return [g for g in found if g["AutoScalingGroupName"].startswith("web-") and "Status" not in g]


def test_a_commit_becomes_a_fleet_and_a_kill_in_mid_rollout_costs_nothing(
    tmp_path: Path, company: Company, aws: Emulated
) -> None:
    first = company.commit({"target.yaml": TARGET, "fleets/web.yaml": WEB % 1})
    cache, env = tmp_path / "cache", aws.env()
    with reconciler_run(company.bare, cache, *FAST, env=env) as daemon:
        daemon.wait_for("commit.adopted", commit=first)
        daemon.wait_for("rollout.started", name="web", before="")
        daemon.wait_for("rollout.finished", name="web")
        (old,) = groups(aws)
        assert (old["MinSize"], old["MaxSize"], old["DesiredCapacity"]) == (2, 4, 2)
        second = company.commit({"fleets/web.yaml": WEB % 2})
        daemon.wait_for("commit.adopted", commit=second)
        started = daemon.wait_for("rollout.started", name="web")
        daemon.popen.kill()
    with reconciler_run(company.bare, cache, *FAST, env=env) as daemon:
        daemon.wait_for("rollout.resumed", name="web", revision=started["revision"])
        daemon.wait_for("rollout.shifted", name="web", revision=started["revision"])
        daemon.wait_for("rollout.finished", name="web", revision=started["revision"])
        (new,) = groups(aws)
        assert new["AutoScalingGroupName"] != old["AutoScalingGroupName"]
        assert len(new["Instances"]) == 2
        templates = aws.client("ec2").describe_launch_templates()["LaunchTemplates"]
        assert [t["LaunchTemplateName"] for t in templates] == [new["AutoScalingGroupName"]]
        code, said = daemon.get("/readyz")
        assert (code, said["commit"]) == (200, second)

        name = new["AutoScalingGroupName"]
        aws.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=name, MaxSize=9)
        found = daemon.wait_for("drift.found", name="web")
        assert (found["resource"], found["field"], found["want"], found["live"]) == (
            f"group/{name}",
            "max",
            "4",
            "9",
        )

        company.commit(
            {
                "fleets/web.yaml": None,
                "fleets/other.yaml": (WEB % 1).replace("web}", "other}").replace("newweb", "other"),
            }
        )
        daemon.wait_for("limit.refused")
        assert daemon.end() == 0
        assert [x for x in daemon.rest() if x["level"] == "error" and x["event"] != "limit.refused"] == []
    assert [g["AutoScalingGroupName"] for g in groups(aws)] == [name]


def test_sigterm_lets_the_call_in_flight_end_and_sends_no_other(
    tmp_path: Path, company: Company, aws: Emulated
) -> None:
    company.commit({"target.yaml": TARGET, "fleets/web.yaml": WEB % 1})
    aws.control.fault("latency", operation="CreateTargetGroup", ms=1500)
    cache, env = tmp_path / "cache", aws.env()
    with reconciler_run(company.bare, cache, *FAST, env=env) as daemon:
        daemon.wait_for("step.applied", op="create-template")
        until(lambda: aws.control.faults()[0]["fired"])  # the call is on its way
        assert daemon.end() == 0
        told = daemon.rest()
    assert [x["result"] for x in told if x["event"] == "pass.done"] == ["stopped"]
    assert [x for x in told if x["level"] in ("warning", "error")] == []
    assert told[-1]["clean"]
    assert wrote(aws) == ["CreateLaunchTemplate", "CreateTargetGroup"]
    with reconciler_run(company.bare, cache, *FAST, env=env) as daemon:
        daemon.wait_for("rollout.resumed", name="web")
        daemon.wait_for("rollout.finished", name="web")
        assert daemon.end() == 0
    assert wrote(aws).count("CreateTargetGroup") == 1


def test_read_only_plans_and_never_writes(tmp_path: Path, company: Company, aws: Emulated) -> None:
    company.commit({"target.yaml": TARGET, "fleets/web.yaml": WEB % 1})
    with reconciler_run(company.bare, tmp_path / "cache", *FAST, "--read-only", env=aws.env()) as daemon:
        for _ in range(2):
            assert daemon.wait_for("pass.done")["create"] == 1
        assert daemon.get("/readyz")[0] == 200
        assert daemon.end() == 0
    assert aws.control.calls()
    assert wrote(aws) == []


def test_credentials_of_another_account_write_nothing_and_say_so(
    tmp_path: Path, company: Company, aws: Emulated
) -> None:
    other = TARGET.replace("123456789012", "999999999999")
    company.commit({"target.yaml": other, "fleets/web.yaml": WEB % 1})
    with reconciler_run(company.bare, tmp_path / "cache", *FAST, env=aws.env()) as daemon:
        failed = daemon.wait_for("pass.failed", failures=2)
        assert failed["failure"] == "credentials"
        assert "999999999999" in failed["why"]
        code, said = daemon.get("/readyz")
        assert code == 503
        assert "credentials" in said["why"][0]
        assert daemon.get("/healthz")[0] == 200
        assert daemon.end() == 0
    assert wrote(aws) == []


def test_a_fleet_whose_writes_fail_holds_no_other_one_up(
    tmp_path: Path, company: Company, aws: Emulated
) -> None:
    files = {"target.yaml": TARGET, "a.yaml": WORKER % "bad", "b.yaml": WORKER % "good"}
    company.commit(files)
    aws.control.fault(
        "error",
        operation="CreateAutoScalingGroup",
        match="bad-",
        times=None,
        code="ValidationError",
        message="You are out of luck",
    )
    with reconciler_run(company.bare, tmp_path / "cache", *FAST, env=aws.env()) as daemon:
        failed = daemon.wait_for("step.failed", name="bad")
        assert (failed["op"], failed["failure"]) == ("create-group", "invalid")
        assert "You are out of luck" in failed["why"]
        daemon.wait_for("rollout.finished", name="good")
        daemon.wait_for("pass.done", resting=1)
        aws.control.clear_faults()
        daemon.wait_for("rollout.finished", name="bad")
        assert daemon.end() == 0
    assert not [x for x in daemon.rest() if x["event"] == "pass.failed"]
