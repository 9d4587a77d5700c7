"""The judge of recorded calls finds each thing that the product may not do."""

from typing import Any

import pytest

from tests.recorded import check, misdeeds

AGENT = f"reconciler/0.1.0 commit/{'a' * 40} Boto3/1.40 md/Botocore#1.40 app/%s"


def call(name: str, command: str = "apply", agent: str = AGENT, **params: Any) -> dict[str, Any]:
    service, _, operation = name.partition(":")
    said = agent % command if "%s" in agent else agent
    return {"n": 1, "service": service, "operation": operation, "params": params, "user_agent": said}


GOOD = [
    call("ec2:DescribeImages", "plan", ImageIds=["ami-1"]),
    call("autoscaling:DeleteAutoScalingGroup", AutoScalingGroupName="web-1"),
    call("sts:GetCallerIdentity", agent="reconciler/0.1.0 Boto3/1.40"),
]
BAD = {
    "an operation that is on no list": (call("ec2:DescribeVpcs"), "not on the allow-list"),
    "a member that it may not carry": (
        call("autoscaling:DeleteAutoScalingGroup", AutoScalingGroupName="web-1", ForceDelete=True),
        "may not carry ForceDelete",
    ),
    "tags on an instance": (
        call("ec2:CreateTags", Resources=["i-1"], Tags=[{"Key": "a", "Value": "b"}]),
        "nothing of an instance is ever edited",
    ),
    "an edit of an instance": (call("ec2:ModifyInstanceAttribute", InstanceId="i-1"), "forbidden"),
    "a command on an instance": (call("ssm:SendCommand"), "forbidden"),
    "no commit in its name": (
        call("ec2:DescribeImages", agent="reconciler/0.1.0 commit/ Boto3/1.40"),
        "its user agent is",
    ),
    **{
        f"a write by {command}": (
            call("autoscaling:DeleteAutoScalingGroup", command, AutoScalingGroupName="web-1"),
            "this connection only reads",
        )
        for command in ("plan", "validate", "drift", "status", "explain", "run-read-only")
    },
}


def test_what_the_product_may_do_passes() -> None:
    assert misdeeds(GOOD) == []
    check(GOOD)


@pytest.mark.parametrize("what", BAD)
def test_each_thing_that_it_may_not_do_is_found(what: str) -> None:
    bad, why = BAD[what]
    assert any(why in sentence for sentence in misdeeds([*GOOD, bad]))
    with pytest.raises(AssertionError):
        check([*GOOD, bad])


def test_calls_of_others_are_not_judged_and_prove_nothing() -> None:
    others = [call("ec2:StopInstances", agent="Boto3/1.40 md/Botocore#1.40")]
    assert misdeeds(others) == []
    with pytest.raises(AssertionError, match="made no call"):
        check(others)
