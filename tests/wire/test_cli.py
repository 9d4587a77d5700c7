"""The command line as people use it: what is printed, and how each command ends."""

import json
from pathlib import Path

import pytest

from tests.product import Product
from tests.wire.company import BALANCER, NEW_AMI, base, files, fleet, zone

pytestmark = pytest.mark.wire

TWO = {**files(""), "fleets/more.yaml": fleet(name="more")}


def test_plan_ends_with_2_only_where_it_is_asked_for(product: Product) -> None:
    product.commit(files(""))
    assert product.cli("plan").code == 0
    asked = product.cli("plan", "--detailed-exitcode")
    assert asked.code == 2
    assert "+ Fleet web will be created" in asked.out
    product.settle()
    assert product.cli("plan", "--detailed-exitcode").code == 0


def test_an_invalid_commit_is_told_with_file_line_and_column_and_plans_nothing(product: Product) -> None:
    product.commit({**files(""), "fleets/web.yaml": fleet(capacity="{min: 3, max: 1, desired: 1}")})
    for command in ("plan", "apply", "drift", "status"):
        done = product.cli(command)
        assert done.code == 1
        assert "fleets/web.yaml:" in done.err
        assert "is above" in done.err or "max" in done.err
        assert done.out == ""


def test_a_saved_world_gives_the_same_plan_without_a_call(product: Product, tmp_path: Path) -> None:
    product.commit(files(BALANCER))
    product.settle()
    product.commit({"target.yaml": base(NEW_AMI)})
    world = tmp_path / "world.json"
    live = product.cli("plan", "--format", "json", "--save-world", str(world))
    calls = len(product.aws.control.calls())
    again = product.cli("plan", "--format", "json", "--offline", str(world))
    assert json.loads(again.out) == json.loads(live.out)
    assert len(product.aws.control.calls()) == calls


def test_apply_does_one_pass_and_with_wait_all_of_them(product: Product) -> None:
    product.commit(files(""))
    assert product.cli("apply").code == 0
    assert json.loads(product.cli("status", "--format", "json").out)["fleets"][0]["action"] == "create"
    product.aws.control.set_speed(60)
    done = product.cli("apply", "--wait", "--every", "1s", "--timeout", "60s")
    assert (done.code, done.err) == (0, "")
    product.aws.control.set_speed(0)
    (row,) = json.loads(product.cli("status", "--format", "json").out)["fleets"]
    assert (row["action"], row["revisions"][0]["state"], row["revisions"][0]["inService"]) == (
        "none",
        "serving",
        2,
    )


def test_apply_that_is_not_done_in_time_ends_with_1_and_says_that_it_goes_on(product: Product) -> None:
    product.commit(files(""))
    done = product.cli("apply", "--wait", "--every", "1s", "--timeout", "2s")
    assert done.code == 1
    assert "not converged within 2s" in done.err


def test_apply_of_a_plan_over_a_limit_ends_with_3_and_names_the_digest(product: Product) -> None:
    product.commit(TWO)
    product.settle()
    product.commit({"fleets/web.yaml": None, "fleets/more.yaml": None})
    done = product.cli("apply", "--wait", "--every", "1s")
    assert done.code == 3
    assert "last fleet" in done.err
    digest = json.loads(product.cli("plan", "--format", "json").out)["digests"]["prod"]
    assert digest in done.out
    product.commit({"target.yaml": base(target=f"limits: {{approved: [{digest}]}}")})
    assert product.cli("apply").code == 0
    product.settle()
    assert product.aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_drift_ends_with_2_and_says_what_differs(product: Product) -> None:
    product.commit(files(""))
    product.settle()
    assert product.cli("drift").code == 0
    client = product.aws.client("autoscaling")
    (group,) = client.describe_auto_scaling_groups()["AutoScalingGroups"]
    client.update_auto_scaling_group(AutoScalingGroupName=group["AutoScalingGroupName"], MaxSize=7)
    done = product.cli("drift", "--format", "json")
    assert done.code == 2
    (row,) = json.loads(done.out)["drift"]
    assert (row["name"], row["field"], row["want"], row["live"]) == ("web", "max", 4, 7)
    product.aws.control.fault("server-error", operation="DescribeAutoScalingGroups", times=None)
    assert product.cli("drift").code == 1


def test_a_revision_that_is_not_ready_in_time_goes_back_and_is_tried_again_for_retry(
    product: Product,
) -> None:
    product.commit(files(BALANCER))
    product.settle()
    control = product.aws.control
    control.knob("launch-failure", pattern="web-*", message="We have no capacity", on=True)
    product.commit({"target.yaml": base(NEW_AMI)})
    passes = product.converge()
    item = next(i for i in passes[-1].plan.items if i.kind == "Fleet")
    assert item.blocked
    assert item.blocked.code == "failed"
    groups = product.aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert len(groups) == 1, "the old one serves alone"
    done = product.cli("explain", "web")
    assert done.code == 0
    assert "blocked (failed)" in done.out
    assert "reconciler retry web --target prod" in done.out
    assert product.cli("apply").code == 3
    control.knob("launch-failure", pattern="web-*", message="", on=False)
    assert product.cli("retry", "web").code == 0
    product.settle()
    assert product.cli("retry", "web").code == 1


def test_explain_and_status_say_where_a_rollout_stands(product: Product) -> None:
    product.commit(files(""))
    assert product.cli("apply").code == 0
    done = product.cli("explain", "web")
    assert "waiting: web-" in done.out
    assert "0 of 2 instances in service" in done.out
    assert "goes back if it is not ready by" in done.out
    unknown = product.cli("explain", "nobody")
    assert (unknown.code, unknown.out) == (1, "")
    assert "git has web" in unknown.err


def test_another_account_is_refused_before_anything_is_written(product: Product) -> None:
    product.commit({**files(""), "target.yaml": base(account="999999999999")})
    done = product.cli("apply")
    assert done.code == 1
    assert "999999999999" in done.err
    assert product.aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert product.aws.client("ec2").describe_launch_templates()["LaunchTemplates"] == []


def test_without_credentials_or_an_endpoint_every_command_says_so_and_ends_with_1(product: Product) -> None:
    product.commit({**files(""), "zone.yaml": zone()})
    for env in (
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
    ):
        done = product.cli("plan", **env)
        assert done.code == 1
        assert "error: target prod" in done.err
        assert "Traceback" not in done.err
    assert product.cli("plan").code == 0
