"""Hands on the wheel by the command line: what each verb writes, read back from AWS, and how it ends."""

from datetime import timedelta

import pytest

from reconciler.strategies.hand import Hand, Verb, parse_hand
from tests.product import Product, tags
from tests.wire.company import NEW_AMI, base, files

pytestmark = pytest.mark.wire


def hands(product: Product) -> dict[str, Hand]:
    """What the groups say, by name."""
    groups = product.aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    said = {g["AutoScalingGroupName"]: parse_hand(tags(g).get("reconciler:hand", "")) for g in groups}
    return {name: hand for name, hand in said.items() if hand}


def test_a_paused_fleet_is_left_alone_until_it_is_resumed(product: Product) -> None:
    product.commit(files(""))
    product.settle()
    for _ in range(2):
        done = product.cli("pause", "web", "--reason", "incident 42", "--for", "2h")
        assert (done.code, done.err) == (0, "")
        assert "web is suspended until 2026-06-01" in done.out
    (hand,) = hands(product).values()
    assert (hand.verb, hand.text) == (Verb.PAUSE, "incident 42")
    product.commit({"target.yaml": base(NEW_AMI)})
    done = product.cli("apply", "--wait", "--every", "1s")
    assert done.code == 3
    assert "blocked: prod web: suspended since 2026-06-01" in done.err
    assert len(product.aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]) == 1
    explained = product.cli("explain", "web").out
    assert "incident 42" in explained
    assert "reconciler resume web --target prod" in explained
    assert "incident 42" in product.cli("status").out
    assert product.cli("promote", "web").code == 1
    done = product.cli("resume", "web", "--reason", "found it")
    assert (done.code, done.err) == (0, "")
    assert hands(product) == {}
    again = product.cli("resume", "web", "--reason", "found it")
    assert (again.code, again.out) == (1, "")
    assert "web is not paused in prod" in again.err
    product.settle()


def test_a_rollout_is_given_all_traffic_or_taken_back_by_a_word_on_its_new_group(product: Product) -> None:
    product.commit(files(""))
    product.settle()
    for verb in (
        ("promote", "web"),
        ("promote", "web", "--full", "--reason", "x"),
        ("abort", "web", "--reason", "x"),
    ):
        done = product.cli(*verb)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("error: ")
    assert hands(product) == {}
    product.commit({"target.yaml": base(NEW_AMI)})
    assert product.cli("apply").code == 0
    done = product.cli("promote", "web", "--full", "--reason", "hotfix")
    assert (done.code, done.err) == (0, "")
    assert [(h.verb, h.text) for h in hands(product).values()] == [(Verb.FULL, "hotfix")]
    for _ in range(2):
        done = product.cli("abort", "web", "--reason", "5xx")
        assert (done.code, done.err) == (0, "")
    ((name, hand),) = hands(product).items()
    assert (hand.verb, hand.text) == (Verb.ABORT, "5xx")
    assert f"{name} is not tried again" in done.out or f"{name} goes back already" in done.out


def test_an_instance_is_replaced_and_nobody_elses_is(product: Product) -> None:
    product.commit(files(""))
    product.settle()
    (group,) = product.aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    one = group["Instances"][0]["InstanceId"]
    done = product.cli("replace", one, "--reason", "bad disk")
    assert (done.code, done.err) == (0, "")
    assert f"replaces {one}: bad disk" in done.out
    product.aws.control.advance(timedelta(minutes=10))
    product.settle()
    (group,) = product.aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert one not in {i["InstanceId"] for i in group["Instances"]}
    assert group["DesiredCapacity"] == len(group["Instances"]) == 2
    ec2 = product.aws.client("ec2")
    (theirs,) = ec2.run_instances(ImageId=NEW_AMI, MinCount=1, MaxCount=1, InstanceType="t4g.small")[
        "Instances"
    ]
    done = product.cli("replace", theirs["InstanceId"], "--reason", "bad disk")
    assert done.code == 1
    assert f"no group of ours in prod has instance {theirs['InstanceId']}" in done.err
