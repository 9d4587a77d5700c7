"""Targets by the clock: unused, checked, unhealthy, drained; registered and taken out with their group."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulated import Emulated
from tests.emulator.scene import BOOT, HEALTHY, TERMINATE, Scene, build, code, forward

pytestmark = pytest.mark.wire

DRAIN = timedelta(seconds=300)


@pytest.fixture
def scene(aws: Emulated) -> Scene:
    return build(aws)


def served(scene: Scene, desired: int = 2, **more: Any) -> str:
    """A group behind a listener, its instances in service."""
    arn = scene.target_group()
    scene.listener(scene.balancer(), arn)
    scene.create(desired=desired, TargetGroupARNs=[arn], **more)
    scene.wait(BOOT)
    return arn


def counts(scene: Scene, arn: str) -> dict[str, int]:
    states = list(scene.health(arn).values())
    return {s: states.count(s) for s in sorted(set(states))}


def test_targets_are_checked_only_once_a_listener_names_their_group(scene: Scene) -> None:
    arn = scene.target_group()
    scene.create(TargetGroupARNs=[arn])
    assert counts(scene, arn) == {}
    scene.wait(BOOT + HEALTHY)
    (first, *_) = scene.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert (first["TargetHealth"]["State"], first["TargetHealth"]["Reason"]) == ("unused", "Target.NotInUse")
    scene.listener(scene.balancer(), arn)
    assert counts(scene, arn) == {"initial": 2}
    scene.wait(HEALTHY)
    assert counts(scene, arn) == {"healthy": 2}


def test_a_target_group_at_weight_zero_is_checked_too(scene: Scene) -> None:
    arn, other = scene.target_group(), scene.target_group("other")
    listener = scene.listener(scene.balancer(), other)
    rule = scene.rule(listener, 1, other)
    scene.create(TargetGroupARNs=[arn])
    scene.wait(BOOT)
    both = [
        *forward(other, weight=1)[0]["ForwardConfig"]["TargetGroups"],
        {"TargetGroupArn": arn, "Weight": 0},
    ]
    scene.elb.modify_rule(
        RuleArn=rule, Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": both}}]
    )
    scene.wait(HEALTHY)
    assert counts(scene, arn) == {"healthy": 2}
    scene.elb.modify_rule(RuleArn=rule, Actions=forward(other))
    assert counts(scene, arn) == {"unused": 2}


def test_a_replacement_is_registered_and_the_dead_is_drained(scene: Scene) -> None:
    arn = served(scene)
    scene.wait(HEALTHY)
    victim, other = scene.ids()
    scene.ec2.terminate_instances(InstanceIds=[victim])
    assert scene.health(arn) == {victim: "draining", other: "healthy"}
    scene.wait(BOOT + HEALTHY)
    assert counts(scene, arn) == {"draining": 1, "healthy": 2}
    scene.wait(DRAIN)
    assert victim not in scene.health(arn)


@pytest.mark.parametrize("way", ["scale-in", "detach", "force"])
def test_targets_are_drained_for_as_long_as_their_group_says_on(scene: Scene, way: str) -> None:
    arn = served(scene)
    scene.elb.modify_target_group_attributes(
        TargetGroupArn=arn, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "45"}]
    )
    scene.wait(HEALTHY)
    if way == "scale-in":
        scene.resize(0)
    elif way == "detach":
        scene.groups.detach_load_balancer_target_groups(AutoScalingGroupName="web", TargetGroupARNs=[arn])
    else:
        scene.groups.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    assert counts(scene, arn) == {"draining": 2}
    scene.wait(timedelta(seconds=44))
    assert counts(scene, arn) == {"draining": 2}
    scene.wait(timedelta(seconds=1))
    assert counts(scene, arn) == {}


def test_attaching_registers_what_is_in_service_and_tells_its_state(scene: Scene) -> None:
    arn = scene.target_group()
    scene.listener(scene.balancer(), arn)
    scene.create()
    scene.wait(BOOT)
    named = {"AutoScalingGroupName": "web", "TargetGroupARNs": [arn]}

    def state() -> list[str]:
        told = scene.groups.describe_load_balancer_target_groups(AutoScalingGroupName="web")
        return [t["State"] for t in told["LoadBalancerTargetGroups"]]

    scene.groups.attach_load_balancer_target_groups(**named)
    assert (state(), counts(scene, arn)) == (["Adding"], {"initial": 2})
    scene.wait(HEALTHY)
    assert (state(), counts(scene, arn)) == (["Added"], {"healthy": 2})
    assert (scene.group() or {})["TargetGroupARNs"] == [arn]
    scene.groups.detach_load_balancer_target_groups(**named)
    assert state() == ["Removing"]
    assert (scene.group() or {})["TargetGroupARNs"] == []
    scene.wait(DRAIN)
    assert state() == []
    with pytest.raises(ClientError, match="not part of the group"):
        scene.groups.detach_load_balancer_target_groups(**named)


def test_without_add_to_load_balancer_nothing_is_registered_not_even_when_resumed(scene: Scene) -> None:
    arn = scene.target_group()
    scene.create(desired=0, TargetGroupARNs=[arn])
    process = {"AutoScalingGroupName": "web", "ScalingProcesses": ["AddToLoadBalancer"]}
    scene.groups.suspend_processes(**process)
    scene.resize(2)
    scene.wait(BOOT)
    scene.groups.resume_processes(**process)
    assert counts(scene, arn) == {}


@pytest.mark.parametrize("pattern", ["web", "w*"])
def test_a_hand_keeps_targets_unhealthy_and_lets_them_pass_again(scene: Scene, pattern: str) -> None:
    arn = served(scene)
    scene.wait(HEALTHY)
    scene.aws.control.knob("unhealthy", pattern=pattern)
    assert counts(scene, arn) == {"unhealthy": 2}
    scene.wait(timedelta(hours=1))
    scene.aws.control.knob("unhealthy", pattern=pattern, on=False)
    assert counts(scene, arn) == {"unhealthy": 2}
    scene.wait(HEALTHY)
    assert counts(scene, arn) == {"healthy": 2}


def test_targets_can_be_registered_by_hand_and_asked_for_by_name(scene: Scene) -> None:
    arn = scene.target_group()
    ran = scene.ec2.run_instances(ImageId=scene.image, MinCount=1, MaxCount=1, SubnetId=scene.subnets[0])
    instance = ran["Instances"][0]["InstanceId"]
    scene.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": instance, "Port": 8080}])
    (told,) = scene.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert told["Target"] == {"Id": instance, "Port": 8080}
    asked = scene.elb.describe_target_health(TargetGroupArn=arn, Targets=[{"Id": "i-00000000000000001"}])
    assert asked["TargetHealthDescriptions"][0]["TargetHealth"]["Reason"] == "Target.NotRegistered"
    with pytest.raises(ClientError) as raised:
        scene.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "i-00000000000000001"}])
    assert code(raised.value) == "InvalidTarget"
    scene.elb.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": instance}])
    assert scene.health(arn) == {}


def test_a_classic_balancer_takes_a_groups_instances_in_after_a_while(scene: Scene) -> None:
    classic = scene.aws.client("elb")
    classic.create_load_balancer(
        LoadBalancerName="old",
        Subnets=[scene.subnets[0]],
        Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}],
    )
    scene.create(LoadBalancerNames=["old"])

    def states() -> list[str]:
        told = classic.describe_instance_health(LoadBalancerName="old")["InstanceStates"]
        return [s["State"] for s in told]

    assert states() == []
    scene.wait(BOOT)
    assert states() == ["OutOfService", "OutOfService"]
    scene.wait(HEALTHY)
    assert states() == ["InService", "InService"]
    scene.resize(1)
    assert states() == ["InService"]
    scene.groups.detach_load_balancers(AutoScalingGroupName="web", LoadBalancerNames=["old"])
    assert states() == []
    scene.groups.attach_load_balancers(AutoScalingGroupName="web", LoadBalancerNames=["old"])
    scene.wait(max(HEALTHY, TERMINATE))
    assert states() == ["InService"]
    with pytest.raises(ClientError, match="no ACTIVE Load Balancer") as raised:
        classic.describe_instance_health(LoadBalancerName="none")
    assert code(raised.value) == "LoadBalancerNotFound"
