"""Auto Scaling groups as the overlay makes, describes, changes, refuses and deletes them."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulated import Emulated
from tests.emulator.scene import BOOT, DELETE, TERMINATE, Scene, build, code

pytestmark = pytest.mark.wire


@pytest.fixture
def scene(aws: Emulated) -> Scene:
    return build(aws)


def tags(name: str, count: int, *, propagate: bool = False) -> list[dict[str, Any]]:
    common = {"ResourceId": name, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": propagate}
    return [{**common, "Key": f"k{n}", "Value": f"v{n}"} for n in range(count)]


KEPT: dict[str, Any] = {
    "DefaultInstanceWarmup": 60,
    "MaxInstanceLifetime": 86400,
    "InstanceMaintenancePolicy": {"MinHealthyPercentage": 90, "MaxHealthyPercentage": 120},
    "CapacityRebalance": True,
    "DefaultCooldown": 10,
    "TerminationPolicies": ["OldestInstance", "Default"],
    "DesiredCapacityType": "units",
    "AvailabilityZoneDistribution": {"CapacityDistributionStrategy": "balanced-only"},
    "DeletionProtection": "prevent-force-deletion",
    "HealthCheckType": "ELB",
    "HealthCheckGracePeriod": 30,
    "NewInstancesProtectedFromScaleIn": True,
}


def test_every_member_given_at_birth_is_described(scene: Scene) -> None:
    scene.create(**KEPT)
    group = scene.group() or {}
    assert {k: group[k] for k in KEPT} == KEPT


def test_every_member_can_be_changed_and_the_others_stay(scene: Scene) -> None:
    scene.create()
    before = scene.group() or {}
    for member, value in KEPT.items():
        scene.groups.update_auto_scaling_group(AutoScalingGroupName="web", **{member: value})
    after = scene.group() or {}
    assert {k: after[k] for k in KEPT} == KEPT
    assert {k: v for k, v in after.items() if k not in KEPT} == {
        k: v for k, v in before.items() if k not in KEPT
    }


def test_an_update_without_the_mixed_policy_keeps_it(scene: Scene) -> None:
    spec = {"LaunchTemplateId": scene.template, "Version": "1"}
    policy = {"LaunchTemplate": {"LaunchTemplateSpecification": spec, "Overrides": []}}
    scene.create(LaunchTemplate=None, MixedInstancesPolicy=policy)
    before = (scene.group() or {})["MixedInstancesPolicy"]
    scene.groups.update_auto_scaling_group(AutoScalingGroupName="web", MaxSize=9)
    assert (scene.group() or {})["MixedInstancesPolicy"] == before
    assert before["LaunchTemplate"]["LaunchTemplateSpecification"]["LaunchTemplateName"] == "web"


REFUSED = [
    ("its name is taken", {}, "AlreadyExists", "A group with the name web already exists"),
    ("min above max", {"MinSize": 11}, "ValidationError", "must be greater than or equal to min bound"),
    ("desired above max", {"DesiredCapacity": 11}, "ValidationError", "must be between the specified"),
    ("no subnet", {"VPCZoneIdentifier": None}, "ValidationError", "At least one Availability Zone"),
    ("a subnet that is none", {"VPCZoneIdentifier": "subnet-1"}, "ValidationError", "does not exist"),
    ("no template", {"LaunchTemplate": None}, "ValidationError", "must contain either LaunchTemplate"),
    (
        "a template that is none",
        {"LaunchTemplate": {"LaunchTemplateId": "lt-00000000000000000", "Version": "1"}},
        "ValidationError",
        "must use a valid fully-formed launch template",
    ),
    (
        "a version that is none",
        {"LaunchTemplate": {"LaunchTemplateName": "web", "Version": "7"}},
        "ValidationError",
        "Could not find the specified version 7",
    ),
    (
        "a target group that is none",
        {"TargetGroupARNs": ["arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/x/1"]},
        "ValidationError",
        "Provided Target Groups may not be valid",
    ),
    ("a classic balancer that is none", {"LoadBalancerNames": ["x"]}, "ValidationError", "Load Balancers"),
    ("51 tags", {"Tags": tags("other", 51)}, "ValidationError", "50 tags"),
    ("a colon in its name", {"AutoScalingGroupName": "a:b"}, "ValidationError", "no colon"),
    ("a lifetime of an hour", {"MaxInstanceLifetime": 3600}, "ValidationError", "86400"),
]


@pytest.mark.parametrize(
    ("request_", "error", "message"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_a_group_is_refused_with(scene: Scene, request_: dict[str, Any], error: str, message: str) -> None:
    scene.create(desired=0)
    name = {} if error == "AlreadyExists" else {"AutoScalingGroupName": "other"}
    with pytest.raises(ClientError, match=message) as raised:
        scene.create(**{**name, **request_})
    assert code(raised.value) == error
    assert len(scene.groups.describe_auto_scaling_groups()["AutoScalingGroups"]) == 1


NAMED: list[tuple[str, dict[str, Any]]] = [
    ("update_auto_scaling_group", {}),
    ("set_desired_capacity", {"DesiredCapacity": 1}),
    ("delete_auto_scaling_group", {}),
    ("describe_scaling_activities", {}),
    ("describe_policies", {}),
    ("describe_scheduled_actions", {}),
    ("describe_lifecycle_hooks", {}),
    ("describe_load_balancer_target_groups", {}),
    ("suspend_processes", {}),
    ("resume_processes", {}),
    ("attach_load_balancer_target_groups", {"TargetGroupARNs": ["arn"]}),
    ("detach_load_balancers", {"LoadBalancerNames": ["x"]}),
    ("delete_policy", {"PolicyName": "x"}),
    ("delete_scheduled_action", {"ScheduledActionName": "x"}),
    ("put_scheduled_update_group_action", {"ScheduledActionName": "x", "MinSize": 1}),
    ("delete_lifecycle_hook", {"LifecycleHookName": "x"}),
]


@pytest.mark.parametrize(("operation", "params"), NAMED, ids=[o for o, _ in NAMED])
def test_an_unknown_group_is_refused_by(scene: Scene, operation: str, params: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="AutoScalingGroup 'none' not found") as raised:
        getattr(scene.groups, operation)(AutoScalingGroupName="none", **params)
    assert code(raised.value) == "ValidationError"


@pytest.mark.parametrize("operation", ["create_or_update_tags", "delete_tags"])
def test_tags_of_an_unknown_group_are_refused(scene: Scene, operation: str) -> None:
    with pytest.raises(ClientError, match="not found"):
        getattr(scene.groups, operation)(Tags=tags("none", 1))


def test_a_desired_size_moves_into_changed_bounds_and_no_further(scene: Scene) -> None:
    scene.create(desired=2)
    change = scene.groups.update_auto_scaling_group
    change(AutoScalingGroupName="web", MinSize=4)
    assert (scene.group() or {})["DesiredCapacity"] == 4
    change(AutoScalingGroupName="web", MinSize=0, MaxSize=1)
    assert (scene.group() or {})["DesiredCapacity"] == 1
    with pytest.raises(ClientError, match="above max value 1"):
        scene.resize(2)
    change(AutoScalingGroupName="web", MinSize=1)
    with pytest.raises(ClientError, match="below min value 1"):
        scene.resize(0)


def test_groups_are_found_by_tags_and_paged(scene: Scene) -> None:
    for n in range(5):
        name = f"g{n}"
        scene.create(name, 0, Tags=tags(name, n))
    describe = scene.groups.describe_auto_scaling_groups

    def names(*filters: tuple[str, list[str]]) -> list[str]:
        asked = [{"Name": k, "Values": v} for k, v in filters]
        return [g["AutoScalingGroupName"] for g in describe(Filters=asked)["AutoScalingGroups"]]

    assert names(("tag:k2", ["v2"])) == ["g3", "g4"]
    assert names(("tag-key", ["k3", "k9"])) == ["g4"]
    assert names(("tag-value", ["v0"]), ("tag-key", ["k1"])) == ["g2", "g3", "g4"]
    with pytest.raises(ClientError, match="Filter type name is not correct"):
        names(("name", ["g1"]))
    pages = scene.groups.get_paginator("describe_auto_scaling_groups").paginate(
        PaginationConfig={"PageSize": 2}
    )
    assert [[g["AutoScalingGroupName"] for g in p["AutoScalingGroups"]] for p in pages] == [
        ["g0", "g1"],
        ["g2", "g3"],
        ["g4"],
    ]
    for params, error in (({"NextToken": "x"}, "InvalidNextToken"), ({"MaxRecords": 101}, "ValidationError")):
        with pytest.raises(ClientError) as raised:
            describe(**params)
        assert code(raised.value) == error


def test_instances_can_be_left_out_of_a_description(scene: Scene) -> None:
    scene.create()
    raws = scene.groups.describe_auto_scaling_groups(IncludeInstances=False)["AutoScalingGroups"]
    assert raws[0]["Instances"] == []


def test_tags_are_put_replaced_and_dropped(scene: Scene) -> None:
    scene.create(Tags=tags("web", 2))
    scene.groups.create_or_update_tags(
        Tags=[{**tags("web", 1)[0], "Value": "new"}, {**tags("web", 1)[0], "Key": "more"}]
    )
    scene.groups.delete_tags(Tags=[{"ResourceId": "web", "ResourceType": "auto-scaling-group", "Key": "k1"}])
    assert {t["Key"]: t["Value"] for t in (scene.group() or {})["Tags"]} == {"k0": "new", "more": "v0"}
    with pytest.raises(ClientError, match="50 tags"):
        scene.groups.create_or_update_tags(Tags=[{**t, "Key": f"x{t['Key']}"} for t in tags("web", 49)])


def test_a_group_is_deleted_only_when_empty_and_only_after_a_while(scene: Scene) -> None:
    scene.create()
    delete = scene.groups.delete_auto_scaling_group

    def refused() -> str:
        with pytest.raises(ClientError, match="You cannot delete an AutoScalingGroup while") as raised:
            delete(AutoScalingGroupName="web")
        return code(raised.value)

    assert refused() == "ResourceInUse"
    scene.resize(0)
    assert refused() == "ScalingActivityInProgress"
    scene.wait(TERMINATE)
    delete(AutoScalingGroupName="web")
    assert (scene.group() or {})["Status"] == "Delete in progress"
    with pytest.raises(ClientError, match="may not be modified while it is pending delete"):
        scene.resize(0)
    with pytest.raises(ClientError, match="already exists and is pending delete") as raised:
        scene.create()
    assert code(raised.value) == "AlreadyExists"
    scene.wait(DELETE)
    assert scene.group() is None
    assert scene.activities(IncludeDeletedGroups=True)
    scene.create()
    assert scene.states() == ["Pending", "Pending"]


def test_a_forced_deletion_ends_the_instances_first(scene: Scene) -> None:
    scene.create(NewInstancesProtectedFromScaleIn=True)
    scene.wait(BOOT)
    ids = scene.ids()
    scene.groups.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    assert scene.states() == ["Terminating", "Terminating"]
    scene.wait(TERMINATE + DELETE)
    assert scene.group() is None
    raws = scene.ec2.describe_instances(InstanceIds=ids)["Reservations"]
    assert {i["State"]["Name"] for r in raws for i in r["Instances"]} == {"terminated"}


def test_a_protected_group_is_not_deleted(scene: Scene) -> None:
    scene.create(desired=0, DeletionProtection="prevent-all-deletion")
    with pytest.raises(ClientError, match="deletion protection"):
        scene.groups.delete_auto_scaling_group(AutoScalingGroupName="web")
    scene.groups.update_auto_scaling_group(AutoScalingGroupName="web", DeletionProtection="none")
    scene.groups.delete_auto_scaling_group(AutoScalingGroupName="web")
    scene.wait(timedelta(minutes=1))
    assert scene.group() is None


def test_an_operation_that_is_not_emulated_is_an_error_of_aws_form(scene: Scene) -> None:
    with pytest.raises(ClientError) as raised:
        scene.groups.describe_warm_pool(AutoScalingGroupName="web")
    assert code(raised.value) == "EmulatorNotImplemented"
