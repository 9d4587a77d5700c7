"""Policies, scheduled actions and hooks: kept per group, paged for the account, gone with their group."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulated import Emulated
from tests.emulator.scene import BOOT, DELETE, Scene, build

pytestmark = pytest.mark.wire

CPU = {
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingConfiguration": {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        "TargetValue": 50.0,
    },
}


@pytest.fixture
def scene(aws: Emulated) -> Scene:
    return build(aws)


def put_policy(scene: Scene, group: str, name: str = "cpu", **more: Any) -> dict[str, Any]:
    answer = scene.groups.put_scaling_policy(AutoScalingGroupName=group, PolicyName=name, **{**CPU, **more})
    return {k: v for k, v in answer.items() if k != "ResponseMetadata"}


def schedule(scene: Scene, group: str = "web", name: str = "night", **more: Any) -> None:
    scene.groups.put_scheduled_update_group_action(
        AutoScalingGroupName=group, ScheduledActionName=name, **more
    )


def sizes(scene: Scene) -> tuple[int, int, int]:
    group = scene.group() or {}
    return group["MinSize"], group["MaxSize"], group["DesiredCapacity"]


def test_a_policy_of_the_same_name_in_another_group_is_another_policy(scene: Scene) -> None:
    scene.create("a", 0)
    scene.create("b", 0)
    first, second = put_policy(scene, "a"), put_policy(scene, "b")
    assert first["PolicyARN"] != second["PolicyARN"]
    assert {a["AlarmName"].split("-")[2] for a in first["Alarms"]} == {"AlarmHigh", "AlarmLow"}
    scene.groups.delete_policy(AutoScalingGroupName="a", PolicyName="cpu")
    (left,) = scene.groups.describe_policies()["ScalingPolicies"]
    assert (left["AutoScalingGroupName"], left["PolicyARN"]) == ("b", second["PolicyARN"])


def test_putting_a_policy_again_changes_it_and_keeps_its_arn(scene: Scene) -> None:
    scene.create(desired=0)
    first = put_policy(scene, "web")
    tracking = {**CPU["TargetTrackingConfiguration"], "TargetValue": 70.0, "DisableScaleIn": True}  # type: ignore[dict-item]
    assert put_policy(scene, "web", TargetTrackingConfiguration=tracking)["PolicyARN"] == first["PolicyARN"]
    (policy,) = scene.groups.describe_policies(AutoScalingGroupName="web")["ScalingPolicies"]
    assert policy["TargetTrackingConfiguration"] == tracking
    assert policy["Enabled"] is True


def test_policies_and_schedules_are_paged_over_all_groups_and_go_with_theirs(scene: Scene) -> None:
    for group in ("a", "b"):
        scene.create(group, 0)
        for n in range(2):
            put_policy(scene, group, f"p{n}")
            schedule(scene, group, f"s{n}", Recurrence="0 20 * * *", MinSize=0)

    def found(operation: str, key: str, name: str) -> list[tuple[str, str]]:
        pages = scene.groups.get_paginator(operation).paginate(PaginationConfig={"PageSize": 3})
        return [(x["AutoScalingGroupName"], x[name]) for p in pages for x in p[key]]

    everywhere = [(g, n) for g in "ab" for n in "01"]
    asked = (
        ("describe_policies", "ScalingPolicies", "PolicyName", "p"),
        ("describe_scheduled_actions", "ScheduledUpdateGroupActions", "ScheduledActionName", "s"),
    )
    for operation, key, name, letter in asked:
        assert found(operation, key, name) == [(g, f"{letter}{n}") for g, n in everywhere]
    scene.groups.delete_auto_scaling_group(AutoScalingGroupName="a")
    scene.wait(DELETE)
    for operation, key, name, letter in asked:
        assert found(operation, key, name) == [("b", f"{letter}0"), ("b", f"{letter}1")]


def test_a_schedule_changes_sizes_at_its_time_in_its_zone_again_and_again(scene: Scene) -> None:
    scene.create(desired=2)
    scene.aws.control.set_speed(0)
    now = scene.aws.control.now()
    at = now.replace(hour=20, minute=0, second=0, microsecond=0)
    at += timedelta(days=at <= now)
    local = at.astimezone(datetime.fromisoformat("2026-07-01T00:00:00+09:00").tzinfo)
    schedule(
        scene,
        Recurrence=f"{local.minute} {local.hour} * * *",
        TimeZone="Asia/Tokyo",
        MinSize=3,
        MaxSize=8,
        DesiredCapacity=4,
    )
    (told,) = scene.groups.describe_scheduled_actions()["ScheduledUpdateGroupActions"]
    assert told["StartTime"].astimezone(UTC) == at
    scene.wait(at - now - timedelta(seconds=1))
    assert sizes(scene) == (0, 10, 2)
    scene.wait(timedelta(seconds=1))
    assert sizes(scene) == (3, 8, 4)
    scene.resize(3)
    scene.wait(timedelta(days=1))
    assert sizes(scene) == (3, 8, 4)


def test_a_schedule_that_runs_once_is_gone_afterwards(scene: Scene) -> None:
    scene.create(desired=0)
    start = scene.aws.control.now() + timedelta(hours=1)
    schedule(scene, StartTime=start, DesiredCapacity=1)
    scene.wait(timedelta(hours=1, seconds=1))
    assert sizes(scene) == (0, 10, 1)
    assert scene.groups.describe_scheduled_actions()["ScheduledUpdateGroupActions"] == []


def test_a_schedule_that_does_not_fit_the_sizes_of_its_day_fails_and_says_so(scene: Scene) -> None:
    scene.create(desired=0, MaxSize=4)
    schedule(scene, Recurrence="0 * * * *", DesiredCapacity=5)
    scene.wait(timedelta(hours=1))
    assert sizes(scene) == (0, 4, 0)
    assert scene.activities()[0]["StatusCode"] == "Failed"


def test_requests_per_target_are_tracked_only_behind_a_balancer(scene: Scene) -> None:
    arn = scene.target_group()
    scene.create(desired=0, TargetGroupARNs=[arn])
    balancer = scene.balancer()
    label = f"{balancer.partition('loadbalancer/')[2]}/{arn.rpartition(':')[2]}"
    spec = {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label}
    tracking = {"PredefinedMetricSpecification": spec, "TargetValue": 100.0}
    with pytest.raises(ClientError, match="does not route traffic"):
        put_policy(scene, "web", TargetTrackingConfiguration=tracking)
    scene.listener(balancer, arn)
    assert put_policy(scene, "web", TargetTrackingConfiguration=tracking)["PolicyARN"]
    spec["ResourceLabel"] = f"{label}x"
    with pytest.raises(ClientError, match="no target group of this"):
        put_policy(scene, "web", TargetTrackingConfiguration=tracking)


def test_a_suspended_schedule_changes_nothing(scene: Scene) -> None:
    scene.create(desired=0)
    schedule(scene, Recurrence="0 * * * *", DesiredCapacity=5)
    scene.groups.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["ScheduledActions"])
    scene.wait(timedelta(hours=2))
    assert sizes(scene) == (0, 10, 0)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"Recurrence": "every day", "MinSize": 1}, "recurrence string: every day is invalid"),
        ({"Recurrence": "0 1 * * *", "TimeZone": "Mars/Base", "MinSize": 1}, "time zone"),
        ({"Recurrence": "0 1 * * *"}, "At least one of MinSize"),
        ({"MinSize": 1}, "start time or a recurrence"),
        ({"StartTime": datetime(2020, 1, 1, tzinfo=UTC), "MinSize": 1}, "in the past"),
        ({"Recurrence": "0 1 * * *", "MinSize": 2, "MaxSize": 1}, "in order"),
    ],
)
def test_a_schedule_is_refused_that_has(scene: Scene, request_: dict[str, Any], message: str) -> None:
    scene.create(desired=0)
    with pytest.raises(ClientError, match=message):
        schedule(scene, **request_)


def test_hooks_are_put_described_and_dropped(scene: Scene) -> None:
    scene.create(desired=0)
    name = {"AutoScalingGroupName": "web", "LifecycleHookName": "h"}
    transition = "autoscaling:EC2_INSTANCE_TERMINATING"
    scene.groups.put_lifecycle_hook(**name, LifecycleTransition=transition, HeartbeatTimeout=60)
    assert scene.groups.describe_lifecycle_hooks(AutoScalingGroupName="web")["LifecycleHooks"] == [
        {
            **name,
            "LifecycleTransition": transition,
            "HeartbeatTimeout": 60,
            "GlobalTimeout": 6000,
            "DefaultResult": "ABANDON",
        }
    ]
    with pytest.raises(ClientError, match="between 30 and 7200"):
        scene.groups.put_lifecycle_hook(**name, HeartbeatTimeout=10)
    scene.groups.delete_lifecycle_hook(**name)
    with pytest.raises(ClientError, match="No Lifecycle Hook found"):
        scene.groups.delete_lifecycle_hook(**name)
    scene.resize(1)
    scene.wait(BOOT)
    scene.resize(0)
    assert scene.states() == ["Terminating"]
