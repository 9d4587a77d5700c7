"""The life of a group's instances by the clock: launched, hooked, in service, unhealthy, replaced, ended."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulated import Emulated
from tests.emulator.scene import BOOT, HEALTHY, TERMINATE, Scene, build

pytestmark = pytest.mark.wire

SECOND = timedelta(seconds=1)


@pytest.fixture
def scene(aws: Emulated) -> Scene:
    return build(aws)


def running(scene: Scene, *ids: str) -> dict[str, dict[str, Any]]:
    raws = scene.ec2.describe_instances(InstanceIds=list(ids))["Reservations"]
    return {i["InstanceId"]: i for r in raws for i in r["Instances"]}


def test_instances_boot_and_are_spread_over_the_zones(scene: Scene) -> None:
    scene.create(desired=6)
    assert scene.states() == ["Pending"] * 6
    scene.wait(BOOT - SECOND)
    assert scene.states() == ["Pending"] * 6
    scene.wait(SECOND)
    assert scene.states() == ["InService"] * 6
    assert set(Counter(i["AvailabilityZone"] for i in scene.instances()).values()) == {2}


def test_instances_say_which_version_they_run_whatever_the_default_is(scene: Scene) -> None:
    scene.ec2.create_launch_template_version(
        LaunchTemplateId=scene.template,
        LaunchTemplateData={"ImageId": scene.image, "InstanceType": "t3.large"},
    )
    scene.create(desired=1, LaunchTemplate={"LaunchTemplateId": scene.template, "Version": "2"})
    (instance,) = scene.instances()
    assert instance["LaunchTemplate"] == {
        "LaunchTemplateId": scene.template,
        "LaunchTemplateName": "web",
        "Version": "2",
    }
    assert instance["InstanceType"] == "t3.large"
    tags = {
        t["Key"]: t["Value"] for t in running(scene, instance["InstanceId"])[instance["InstanceId"]]["Tags"]
    }
    assert tags["aws:ec2launchtemplate:version"] == "2"
    assert tags["aws:autoscaling:groupName"] == "web"


def test_only_propagated_tags_reach_instances(scene: Scene) -> None:
    common = {"ResourceId": "web", "ResourceType": "auto-scaling-group", "Value": "x"}
    both = [{**common, "Key": k, "PropagateAtLaunch": p} for k, p in (("yes", True), ("no", False))]
    scene.create(desired=1, Tags=both)
    (instance,) = running(scene, *scene.ids()).values()
    assert {"yes", "no"} & {t["Key"] for t in instance["Tags"]} == {"yes"}


MIXES = [
    ("all on demand", {}, 4, 4),
    ("half", {"OnDemandPercentageAboveBaseCapacity": 50}, 4, 2),
    ("half, rounded up", {"OnDemandPercentageAboveBaseCapacity": 50}, 3, 2),
    ("a base", {"OnDemandBaseCapacity": 2, "OnDemandPercentageAboveBaseCapacity": 0}, 5, 2),
    ("no spot below the base", {"OnDemandBaseCapacity": 9, "OnDemandPercentageAboveBaseCapacity": 0}, 3, 3),
]


@pytest.mark.parametrize(("mix", "desired", "demand"), [c[1:] for c in MIXES], ids=[c[0] for c in MIXES])
def test_a_mix_launches(scene: Scene, mix: dict[str, Any], desired: int, demand: int) -> None:
    spec = {"LaunchTemplateId": scene.template, "Version": "1"}
    overrides = [{"InstanceType": t} for t in ("m5.large", "m6i.large")]
    policy = {
        "LaunchTemplate": {"LaunchTemplateSpecification": spec, "Overrides": overrides},
        "InstancesDistribution": mix,
    }
    scene.create(desired=desired, LaunchTemplate=None, MixedInstancesPolicy=policy)
    found = running(scene, *scene.ids()).values()
    assert len(found) == desired
    assert {i["InstanceType"] for i in found} <= {"m5.large", "m6i.large"}
    assert sum(i.get("InstanceLifecycle") != "spot" for i in found) == demand


def test_a_smaller_group_ends_instances_after_a_while(scene: Scene) -> None:
    scene.create(desired=3)
    scene.wait(BOOT)
    scene.resize(1)
    assert scene.states() == ["InService", "Terminating", "Terminating"]
    scene.wait(TERMINATE)
    assert scene.states() == ["InService"]


def test_scale_in_spares_the_protected_and_standby(scene: Scene) -> None:
    scene.create(desired=4)
    scene.wait(BOOT)
    first, second, third, fourth = scene.ids()
    scene.groups.set_instance_protection(
        AutoScalingGroupName="web", InstanceIds=[first, second], ProtectedFromScaleIn=True
    )
    scene.groups.enter_standby(
        AutoScalingGroupName="web", InstanceIds=[third], ShouldDecrementDesiredCapacity=True
    )
    scene.resize(0)
    scene.wait(TERMINATE)
    assert {i["InstanceId"]: i["LifecycleState"] for i in scene.instances()} == {
        first: "InService",
        second: "InService",
        third: "Standby",
    }
    assert fourth not in scene.ids()


def hook(transition: str, result: str, timeout: int = 300) -> list[dict[str, Any]]:
    full = f"autoscaling:EC2_INSTANCE_{transition}"
    return [
        {
            "LifecycleHookName": "h",
            "LifecycleTransition": full,
            "HeartbeatTimeout": timeout,
            "DefaultResult": result,
        }
    ]


def test_a_launch_hook_holds_an_instance_until_its_time_is_over(scene: Scene) -> None:
    scene.create(desired=1, LifecycleHookSpecificationList=hook("LAUNCHING", "CONTINUE"))
    scene.wait(BOOT)
    assert scene.states() == ["Pending:Wait"]
    scene.wait(timedelta(seconds=299))
    assert scene.states() == ["Pending:Wait"]
    scene.wait(SECOND)
    assert scene.states() == ["InService"]


def test_a_launch_that_its_hook_abandons_begins_again(scene: Scene) -> None:
    scene.create(desired=1, LifecycleHookSpecificationList=hook("LAUNCHING", "ABANDON"))
    (first,) = scene.ids()
    scene.wait(BOOT + timedelta(seconds=300))
    assert scene.states() == ["Pending", "Terminating"]
    assert [a["StatusCode"] for a in scene.activities()].count("Cancelled") == 1
    scene.wait(TERMINATE)
    assert first not in scene.ids()


def test_a_termination_hook_holds_an_instance_and_completing_it_lets_go(scene: Scene) -> None:
    scene.create(desired=2, LifecycleHookSpecificationList=hook("TERMINATING", "CONTINUE"))
    scene.wait(BOOT)
    scene.resize(0)
    assert scene.states() == ["Terminating:Wait"] * 2
    scene.groups.complete_lifecycle_action(
        AutoScalingGroupName="web",
        LifecycleHookName="h",
        LifecycleActionResult="CONTINUE",
        InstanceId=scene.ids()[0],
    )
    assert scene.states() == ["Terminating", "Terminating:Wait"]
    scene.wait(timedelta(seconds=300))
    assert scene.states() == ["Terminating"]
    scene.wait(TERMINATE)
    assert scene.ids() == []


def test_a_heartbeat_begins_the_wait_anew(scene: Scene) -> None:
    scene.create(desired=1, LifecycleHookSpecificationList=hook("TERMINATING", "CONTINUE"))
    scene.wait(BOOT)
    scene.resize(0)
    scene.wait(timedelta(seconds=200))
    scene.groups.record_lifecycle_action_heartbeat(
        AutoScalingGroupName="web", LifecycleHookName="h", InstanceId=scene.ids()[0]
    )
    scene.wait(timedelta(seconds=299))
    assert scene.states() == ["Terminating:Wait"]
    scene.wait(SECOND)
    assert scene.states() == ["Terminating"]


def terminated(scene: Scene, instance: str) -> None:
    scene.ec2.terminate_instances(InstanceIds=[instance])


def stopped(scene: Scene, instance: str) -> None:
    scene.ec2.stop_instances(InstanceIds=[instance])


def lost(scene: Scene, instance: str) -> None:
    scene.aws.control.knob("terminate-instance", id=instance)


def unhealthy(scene: Scene, instance: str) -> None:
    scene.groups.set_instance_health(InstanceId=instance, HealthStatus="Unhealthy")


def ended(scene: Scene, instance: str) -> None:
    scene.groups.terminate_instance_in_auto_scaling_group(
        InstanceId=instance, ShouldDecrementDesiredCapacity=False
    )


@pytest.mark.parametrize("harm", [terminated, stopped, lost, unhealthy, ended])
def test_an_instance_is_replaced_that_was(scene: Scene, harm: Any) -> None:
    scene.create(desired=2)
    scene.wait(BOOT)
    victim, other = scene.ids()
    harm(scene, victim)
    assert scene.states() == ["InService", "Pending", "Terminating"]
    scene.wait(BOOT)
    assert scene.states() == ["InService", "InService"]
    assert other in scene.ids()
    assert victim not in scene.ids()


@pytest.mark.parametrize(
    ("process", "harm"),
    [("HealthCheck", terminated), ("ReplaceUnhealthy", unhealthy), ("Terminate", unhealthy)],
    ids=lambda v: v if isinstance(v, str) else v.__name__,
)
def test_nothing_is_replaced_until_resumed(scene: Scene, process: str, harm: Any) -> None:
    scene.create(desired=1)
    scene.wait(BOOT)
    scene.groups.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=[process])
    harm(scene, scene.ids()[0])
    scene.wait(BOOT)
    assert scene.states() == ["InService"]
    scene.groups.resume_processes(AutoScalingGroupName="web", ScalingProcesses=[process])
    assert scene.states() == ["Pending", "Terminating"]


def test_a_suspended_launch_launches_nothing_until_resumed_and_gives_its_reason(scene: Scene) -> None:
    scene.create(desired=0)
    scene.groups.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["Launch"])
    scene.resize(2)
    scene.wait(BOOT)
    assert scene.states() == []
    (told,) = (scene.group() or {})["SuspendedProcesses"]
    assert told["ProcessName"] == "Launch"
    assert told["SuspensionReason"].startswith("User suspended at ")
    scene.groups.resume_processes(AutoScalingGroupName="web", ScalingProcesses=["Launch"])
    assert scene.states() == ["Pending", "Pending"]
    with pytest.raises(ClientError, match="not supported"):
        scene.groups.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["Sleep"])


def test_a_suspended_terminate_keeps_the_surplus(scene: Scene) -> None:
    scene.create(desired=2)
    scene.wait(BOOT)
    scene.groups.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["Terminate"])
    scene.resize(0)
    assert scene.states() == ["InService", "InService"]


def test_terminating_with_a_decrement_is_held_to_the_minimum(scene: Scene) -> None:
    scene.create(desired=2, MinSize=1)
    scene.wait(BOOT)
    first, second = scene.ids()
    end = scene.groups.terminate_instance_in_auto_scaling_group
    end(InstanceId=first, ShouldDecrementDesiredCapacity=True)
    assert (scene.group() or {})["DesiredCapacity"] == 1
    with pytest.raises(ClientError, match="desiredSize equals minSize"):
        end(InstanceId=second, ShouldDecrementDesiredCapacity=True)
    with pytest.raises(ClientError, match="No managed instance found"):
        end(InstanceId="i-00000000000000000", ShouldDecrementDesiredCapacity=True)


def test_failed_launches_are_told_and_tried_again(scene: Scene) -> None:
    message = (
        "We currently do not have sufficient t3.micro capacity in eu-west-1a. Launching EC2 instance failed."
    )
    scene.aws.control.knob("launch-failure", pattern="we*", message=message)
    scene.create(desired=2)
    (failed,) = scene.activities()
    assert (failed["StatusCode"], failed["StatusMessage"]) == ("Failed", message)
    scene.wait(timedelta(minutes=3))
    assert [a["StatusCode"] for a in scene.activities()] == ["Failed"] * 3
    assert scene.ids() == []
    scene.aws.control.knob("launch-failure", pattern="we*", on=False)
    scene.wait(timedelta(minutes=4))
    assert scene.states() == ["Pending", "Pending"]


def test_a_full_subnet_fails_the_launch_and_another_zone_helps(scene: Scene) -> None:
    cidrs = {"a": "10.0.100.0/28", "b": "10.0.101.0/28"}
    small = [
        scene.ec2.create_subnet(VpcId=scene.vpc, CidrBlock=c, AvailabilityZone=f"eu-west-1{z}")["Subnet"][
            "SubnetId"
        ]
        for z, c in cidrs.items()
    ]
    scene.create(desired=13, MaxSize=30, VPCZoneIdentifier=small[0])
    assert len(scene.ids()) == 11
    assert "not enough free addresses" in scene.activities()[0]["StatusMessage"]
    scene.create("both", desired=11, MaxSize=30, VPCZoneIdentifier=",".join(small))
    assert {i["AvailabilityZone"] for i in scene.instances("both")} == {"eu-west-1b"}


@pytest.mark.parametrize(("how", "zones"), [("balanced-best-effort", "bcbc"), ("balanced-only", "")])
def test_a_zone_without_capacity_is_passed_over_unless_the_group_must_be_balanced(
    scene: Scene, how: str, zones: str
) -> None:
    scene.aws.control.knob("zone-outage", zone="eu-west-1a")
    scene.create(desired=4, AvailabilityZoneDistribution={"CapacityDistributionStrategy": how})
    assert sorted(i["AvailabilityZone"][-1] for i in scene.instances()) == sorted(zones)
    if how == "balanced-only":
        assert "sufficient capacity" in scene.activities()[0]["StatusMessage"]
    scene.aws.control.knob("zone-outage", zone="eu-west-1a", on=False)
    scene.wait(timedelta(minutes=4))
    assert len(scene.ids()) == 4


def test_a_template_that_is_deleted_fails_later_launches(scene: Scene) -> None:
    scene.create(desired=1)
    scene.ec2.delete_launch_template(LaunchTemplateId=scene.template)
    scene.resize(2)
    assert "valid fully-formed launch template" in scene.activities()[0]["StatusMessage"]
    assert scene.states() == ["Pending"]


def test_activities_tell_what_was_done_and_why_newest_first(scene: Scene) -> None:
    scene.create(desired=1)
    scene.wait(BOOT)
    scene.resize(0)
    newest, oldest = scene.activities()
    assert newest["Description"] == f"Terminating EC2 instance: {scene.ids()[0]}"
    assert (newest["StatusCode"], oldest["StatusCode"]) == ("InProgress", "Successful")
    assert "from 1 to 0" in newest["Cause"]
    assert oldest["EndTime"] - oldest["StartTime"] == BOOT
    pages = scene.groups.get_paginator("describe_scaling_activities").paginate(
        AutoScalingGroupName="web", PaginationConfig={"PageSize": 1}
    )
    assert [[a["ActivityId"] for a in p["Activities"]] for p in pages] == [
        [newest["ActivityId"]],
        [oldest["ActivityId"]],
    ]


def test_a_group_that_asks_its_balancer_replaces_what_fails_after_the_grace(scene: Scene) -> None:
    arn = scene.target_group()
    scene.listener(scene.balancer(), arn)
    scene.create(desired=2, TargetGroupARNs=[arn], HealthCheckType="ELB", HealthCheckGracePeriod=120)
    scene.wait(BOOT + HEALTHY)
    scene.aws.control.knob("unhealthy", pattern=scene.ids()[0])
    assert scene.states() == ["InService", "InService"]
    scene.wait(timedelta(seconds=90))
    assert scene.states() == ["InService", "Pending", "Terminating"]
    assert "ELB system health check failure" in scene.activities()[1]["Cause"]


def test_time_that_passes_at_once_does_all_that_was_due_in_its_order(scene: Scene) -> None:
    scene.aws.control.knob("launch-failure", pattern="web")
    scene.create(desired=1, LifecycleHookSpecificationList=hook("LAUNCHING", "CONTINUE", 60))
    scene.aws.control.knob("launch-failure", pattern="web", on=False)
    scene.wait(timedelta(hours=1))
    assert scene.states() == ["InService"]
    launched, failed = scene.activities()
    assert launched["StartTime"] - failed["StartTime"] == timedelta(minutes=1)
    assert launched["EndTime"] - launched["StartTime"] == BOOT + timedelta(seconds=60)
