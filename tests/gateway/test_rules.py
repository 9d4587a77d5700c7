"""The allow-list: what may leave, with what, and all that never may."""

import re

import botocore.session
import pytest

from reconciler.gateway.allow import ALLOWED, OPERATIONS
from reconciler.gateway.rules import RULES, known, refusal

LOADED = botocore.session.get_session()


def operations_of(service):
    return LOADED.get_service_model(service).operation_names


# ARCHITECTURE, The gateway: "Forbidden by service"
FORBIDDEN = [
    *[("ec2", n) for n in operations_of("ec2") if n.startswith("Modify") and n != "ModifyImageAttribute"],
    *[
        ("ec2", n)
        for n in operations_of("ec2")
        if re.match("Stop|Start|Reboot|Attach|Detach|Associate|Replace|Monitor", n)
    ],
    *[
        ("autoscaling", n)
        for n in (
            "AttachInstances",
            "DetachInstances",
            "EnterStandby",
            "ExitStandby",
            "SetInstanceHealth",
            "StartInstanceRefresh",
        )
    ],
    *[("ssm", n) for n in operations_of("ssm") if n not in {"GetParameter", "GetParameters"}],
    # CONTRACT, Replace only: what only a build of an image may do is not there yet
    ("ec2", "CreateImage"),
    ("ec2", "TerminateInstances"),
    ("ec2", "RunInstances"),
    ("ec2", "ModifyImageAttribute"),
    ("ec2", "CreateLaunchTemplateVersion"),
    ("ec2-instance-connect", "SendSSHPublicKey"),
]


@pytest.mark.parametrize(("service", "name"), FORBIDDEN, ids=[f"{s}:{n}" for s, n in FORBIDDEN])
def test_no_forbidden_operation_is_on_the_list(service, name):
    assert refusal(service, name, {}, writes=True) == f"{service}:{name} is not on the allow-list"


def test_the_list_of_forbidden_operations_is_not_empty_by_mistake():
    assert len(FORBIDDEN) > 250


GROUP = {"AutoScalingGroupName": "web-1"}
PINNED = {"LaunchTemplateId": "lt-1", "Version": "1"}

REFUSED = [
    *[
        (f"a group's {member} never changes", "autoscaling", "UpdateAutoScalingGroup", {**GROUP, member: "x"}, member)
        for member in (
            "LaunchTemplate",
            "MixedInstancesPolicy",
            "VPCZoneIdentifier",
            "AvailabilityZones",
            "AvailabilityZoneIds",
            "PlacementGroup",
            "LaunchConfigurationName",
        )
    ],
    ("never by force", "autoscaling", "DeleteAutoScalingGroup", {**GROUP, "ForceDelete": True}, "ForceDelete"),
    ("not even unforced by name", "autoscaling", "DeleteAutoScalingGroup", {**GROUP, "ForceDelete": False}, "ForceDelete"),
    ("no launch configuration", "autoscaling", "CreateAutoScalingGroup", {**GROUP, "LaunchConfigurationName": "x"}, "LaunchConfigurationName"),
    ("no group from an instance", "autoscaling", "CreateAutoScalingGroup", {**GROUP, "InstanceId": "i-1"}, "InstanceId"),
    ("a group has a template", "autoscaling", "CreateAutoScalingGroup", GROUP, "launch template"),
    ("a version is a number", "autoscaling", "CreateAutoScalingGroup", {**GROUP, "LaunchTemplate": {**PINNED, "Version": "$Latest"}}, "by number"),
    ("a version is named", "autoscaling", "CreateAutoScalingGroup", {**GROUP, "LaunchTemplate": {"LaunchTemplateId": "lt-1"}}, "by number"),
    (
        "a mixed policy's version is a number",
        "autoscaling",
        "CreateAutoScalingGroup",
        {**GROUP, "MixedInstancesPolicy": {"LaunchTemplate": {"LaunchTemplateSpecification": {**PINNED, "Version": "$Default"}}}},
        "by number",
    ),
    (
        "so is each override's",
        "autoscaling",
        "CreateAutoScalingGroup",
        {
            **GROUP,
            "MixedInstancesPolicy": {
                "LaunchTemplate": {
                    "LaunchTemplateSpecification": PINNED,
                    "Overrides": [{"LaunchTemplateSpecification": {**PINNED, "Version": "$Latest"}}],
                }
            },
        },
        "by number",
    ),
    ("processes are named", "autoscaling", "ResumeProcesses", GROUP, "must name its processes"),
    ("an empty list names none", "autoscaling", "ResumeProcesses", {**GROUP, "ScalingProcesses": []}, "must name its processes"),
    ("a replacement keeps the size", "autoscaling", "TerminateInstanceInAutoScalingGroup", {"InstanceId": "i-1", "ShouldDecrementDesiredCapacity": True}, "must keep the size"),
    ("and says so", "autoscaling", "TerminateInstanceInAutoScalingGroup", {"InstanceId": "i-1"}, "must keep the size"),
    ("no instance is tagged", "ec2", "CreateTags", {"Resources": ["lt-1", "i-1"], "Tags": [{"Key": "a"}]}, "launch templates alone"),
    ("nor untagged", "ec2", "DeleteTags", {"Resources": ["i-1"], "Tags": [{"Key": "a"}]}, "launch templates alone"),
    ("nothing is no template", "ec2", "CreateTags", {"Resources": [], "Tags": [{"Key": "a"}]}, "launch templates alone"),
    ("not all tags at once", "ec2", "DeleteTags", {"Resources": ["lt-1"]}, "must name its keys"),
    ("only groups are tagged", "autoscaling", "CreateOrUpdateTags", {"Tags": [{"ResourceType": "instance", "Key": "a"}]}, "Auto Scaling groups"),
    ("each tag by its key", "autoscaling", "DeleteTags", {"Tags": []}, "each by its key"),
    ("a listener's actions stay", "elbv2", "ModifyListener", {"ListenerArn": "a", "DefaultActions": []}, "DefaultActions"),
    ("a listener's port stays", "elbv2", "ModifyListener", {"ListenerArn": "a", "Port": 1, "Protocol": "TCP"}, "Port, Protocol"),
    ("only zones are tagged", "route53", "ChangeTagsForResource", {"ResourceType": "healthcheck"}, "hosted zones alone"),
    ("a batch holds a change", "route53", "ChangeResourceRecordSets", {"ChangeBatch": {"Changes": []}}, "must hold a change"),
    (
        "the SOA stays",
        "route53",
        "ChangeResourceRecordSets",
        {"ChangeBatch": {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {"Name": "x.", "Type": "SOA"}}]}},
        "SOA",
    ),
    ("no secret is read", "ssm", "GetParameter", {"Name": "/a", "WithDecryption": True}, "WithDecryption"),
    ("no tags ride on a session", "sts", "AssumeRole", {"RoleArn": "a", "RoleSessionName": "b", "Tags": []}, "Tags"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("service", "name", "params", "why"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_refused_before_the_call(service, name, params, why):
    said = refusal(service, name, params, writes=True)
    assert said is not None
    assert said.startswith(f"{service}:{name} ")
    assert why in said


PASSED = [
    ("autoscaling", "CreateAutoScalingGroup", {**GROUP, "LaunchTemplate": PINNED}),
    ("autoscaling", "CreateAutoScalingGroup", {**GROUP, "MixedInstancesPolicy": {"LaunchTemplate": {"LaunchTemplateSpecification": PINNED, "Overrides": [{"InstanceType": "m7g.large"}]}}}),
    ("autoscaling", "UpdateAutoScalingGroup", {**GROUP, "MinSize": 1, "MaxSize": 2, "DesiredCapacity": 1, "CapacityRebalance": True}),
    ("autoscaling", "DeleteAutoScalingGroup", GROUP),
    ("autoscaling", "ResumeProcesses", {**GROUP, "ScalingProcesses": ["Launch"]}),
    ("autoscaling", "TerminateInstanceInAutoScalingGroup", {"InstanceId": "i-1", "ShouldDecrementDesiredCapacity": False}),
    ("autoscaling", "CreateOrUpdateTags", {"Tags": [{"ResourceId": "web-1", "ResourceType": "auto-scaling-group", "Key": "a"}]}),
    ("ec2", "CreateTags", {"Resources": ["lt-1"], "Tags": [{"Key": "a", "Value": "b"}]}),
    ("ec2", "DeleteTags", {"Resources": ["lt-1"], "Tags": [{"Key": "a"}]}),
    ("elbv2", "ModifyListener", {"ListenerArn": "a", "Certificates": [], "SslPolicy": "p"}),
    ("route53", "ChangeTagsForResource", {"ResourceType": "hostedzone", "ResourceId": "Z1"}),
    ("route53", "ChangeResourceRecordSets", {"HostedZoneId": "Z1", "ChangeBatch": {"Changes": [{"ResourceRecordSet": {"Type": "A"}}]}}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("service", "name", "params"), PASSED, ids=[f"{n}-{i}" for i, (_, n, _) in enumerate(PASSED)]
)
def test_what_the_product_needs_may_leave(service, name, params):
    assert refusal(service, name, params, writes=True) is None


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.service}:{o.name}")
def test_each_line_of_the_list_is_an_operation_of_aws_with_its_members(operation):
    model = LOADED.get_service_model(operation.service).operation_model(operation.name)
    members = set(model.input_shape.members) if model.input_shape else set()
    assert operation.params <= members
    assert set(model.input_shape.required_members if model.input_shape else ()) <= operation.params


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.service}:{o.name}")
def test_an_operation_that_only_reads_is_named_like_one_and_a_reader_gets_no_other(operation):
    reads = re.match("Describe|List|Get", operation.name) is not None or operation.name == "AssumeRole"
    assert operation.writes is not reads
    refused = refusal(operation.service, operation.name, {}, writes=False) or ""
    assert ("this connection only reads" in refused) is operation.writes


def test_the_list_names_nothing_twice():
    assert len(ALLOWED) == len(OPERATIONS)


def test_each_rule_is_for_an_operation_of_the_list():
    assert set(RULES) <= set(ALLOWED)


def test_a_service_is_known_or_not():
    assert known("ec2") is None
    assert known("ssm") is None
    assert known("iam") is not None
