"""What an operator reads: words of the documents, one value a line, and no secret."""

import base64
import json

import pytest

from reconciler.core.digest import canonical
from reconciler.core.ids import AmiId, FleetName, Revision, resource_name
from reconciler.core.redact import Redactor
from reconciler.kinds.template.live import LiveTemplate
from reconciler.plan.body import differences
from reconciler.plan.part import Part, Row
from reconciler.plan.reasons import Reasons
from reconciler.source.load import load
from reconciler.spec.desired import Desired, DesiredFleet
from tests.worlds import wanted

TEXT = """\
apiVersion: reconciler/v1
kind: Target
metadata: {name: prod}
spec: {account: "123456789012", region: eu-west-1, owner: shop}
---
apiVersion: reconciler/v1
kind: Image
metadata: {name: base}
spec: {targets: [prod], architecture: arm64, ami: ami-0001}
---
apiVersion: reconciler/v1
kind: Fleet
metadata: {name: web}
spec:
  targets: [prod]
  image: base
  launch:
    generation: "7"
    instanceTypes: [m7g.large]
    userData: {text: "#!/bin/sh"}
  placement: {subnets: [subnet-1]}
  capacity:
    min: 2
    max: 6
    desired: 3
"""
BALANCED = """\
  traffic:
    balancer:
      listeners: [{port: 80, protocol: HTTP}]
      targetGroup: {port: 8080, protocol: HTTP, drain: 60s}
    dns: {zone: example-com, name: web}
---
apiVersion: reconciler/v1
kind: Zone
metadata: {name: example-com}
spec: {target: prod, domain: example.com, records: []}
"""


def fleet(more: str = "") -> DesiredFleet:
    found = load({"web.yaml": (TEXT + more).encode()})
    assert isinstance(found, Desired), found
    return found.fleets[0]


REASONS = Reasons(Redactor(b"key"))
DIFFERENCES = [
    (
        "one option of the metadata service",
        "launch.metadata",
        {"MetadataOptions": {"HttpTokens": "optional", "HttpEndpoint": "enabled"}},
        {"MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled"}},
        [("launch.metadata.tokens", "optional", "required")],
    ),
    (
        "the metadata service switched off",
        "launch.metadata",
        {"MetadataOptions": {"HttpEndpoint": "enabled"}},
        {"MetadataOptions": {"HttpEndpoint": "disabled"}},
        [("launch.metadata.enabled", "true", "false")],
    ),
    (
        "a larger volume",
        "launch.volumes",
        {
            "BlockDeviceMappings": [
                {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20, "VolumeType": "gp3"}}
            ]
        },
        {
            "BlockDeviceMappings": [
                {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 30, "VolumeType": "gp3"}}
            ]
        },
        [("launch.volumes[/dev/xvda].sizeGiB", "20", "30")],
    ),
    (
        "a volume more",
        "launch.volumes",
        {},
        {"BlockDeviceMappings": [{"DeviceName": "/dev/xvdb", "Ebs": {"Encrypted": True}}]},
        [("launch.volumes[/dev/xvdb].encrypted", "", "true")],
    ),
    (
        "another profile",
        "launch.instanceProfile",
        {"IamInstanceProfile": {"Name": "old"}},
        {"IamInstanceProfile": {"Name": "new"}},
        [("launch.instanceProfile", "old", "new")],
    ),
    (
        "no key pair any more",
        "launch.keyPair",
        {"KeyName": "ops"},
        {},
        [("launch.keyPair", "ops", "")],
    ),
    (
        "security groups by id",
        "launch.securityGroups",
        {"SecurityGroupIds": ["sg-2", "sg-1"]},
        {"SecurityGroupIds": ["sg-1", "sg-3"]},
        [("launch.securityGroups", "sg-1, sg-2", "sg-1, sg-3")],
    ),
    (
        "tags by key alone",
        "launch.tags",
        {"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "secret"}]}]},
        {
            "TagSpecifications": [
                {
                    "ResourceType": "instance",
                    "Tags": [{"Key": "a", "Value": "other"}, {"Key": "b", "Value": "secret"}],
                }
            ]
        },
        [("launch.tags.a", "set", "other value"), ("launch.tags.b", "", "set")],
    ),
    (
        "extra members by key alone",
        "launch.extra",
        {"ImageId": "ami-1", "LicenseSpecifications": ["secret"]},
        {"ImageId": "ami-2", "CpuOptions": {"ThreadsPerCore": 1}},
        [("launch.extra.CpuOptions", "", "set"), ("launch.extra.LicenseSpecifications", "set", "")],
    ),
    ("what bodies do not show", "hooks", {}, {}, []),
]


@pytest.mark.parametrize(
    ("path", "before", "after", "told"), [c[1:] for c in DIFFERENCES], ids=[c[0] for c in DIFFERENCES]
)
def test_a_difference_is_told_in_the_words_of_the_documents(
    path: str, before: dict[str, object], after: dict[str, object], told: list[tuple[str, str, str]]
) -> None:
    assert differences(path, before, after) == told


def template(**body: object) -> LiveTemplate:
    return LiveTemplate(
        id="lt-1",
        name=resource_name(FleetName("web"), Revision(f"v1.{'a' * 40}")),
        default_version=1,
        latest_version=1,
        image=AmiId("ami-0"),
        body=canonical(body),
        tags=(),
    )


def test_a_replacement_names_every_part_with_its_line() -> None:
    secret = base64.b64encode(b"#!/bin/sh\nPASSWORD=hunter2\n").decode()
    old = template(UserData=secret, InstanceType="m6g.large")
    paths = ("image", "launch.generation", "launch.instanceTypes", "launch.userData", "hooks")
    found = {b.path: (b.old, b.new, b.at) for b in REASONS.replaced(fleet(), old, wanted(), paths)}
    assert found["spec.image"] == ("ami-0", "ami-1", "web.yaml:16")
    assert found["spec.launch.generation"] == ("another", "7", "web.yaml:18")
    assert found["spec.launch.instanceTypes"] == ("m6g.large", "m7g.large", "web.yaml:19")
    assert found["spec.launch.userData"][1:] == ("none", "web.yaml:20")
    assert found["spec.hooks"][:2] == ("", "changed in git")
    assert "hunter2" not in json.dumps(found)


def part(name: str, field: str) -> Part:
    row = Row(resource="group/web-1", field=field, want="new", live="old")
    return Part(name=name, want="", rows=(row,), step=None)


@pytest.mark.parametrize(
    ("name", "field", "path", "at"),
    [
        ("max", "max", "spec.capacity.max", "web.yaml:24"),
        ("health", "HealthCheckType", "spec.health.check", "web.yaml:14"),
        ("settings", "DefaultInstanceWarmup", "spec.group.warmup", "web.yaml:14"),
        ("settings", "Context", "spec.group.extra.Context", "web.yaml:14"),
        ("policies", "scaling.cpu", "spec.scaling[cpu]", "web.yaml:14"),
        ("tags", "tags.env", "Target.spec.tags.env", ""),
        ("rule", "conditions", "spec.traffic.listener[conditions]", "web.yaml:14"),
        (
            "target group",
            "attributes.deregistration_delay.timeout_seconds",
            "spec.traffic.targetGroup.drain",
            "web.yaml:14",
        ),
    ],
)
def test_a_change_in_place_stands_at_its_path(name: str, field: str, path: str, at: str) -> None:
    (found,) = REASONS.changed(fleet(), (part(name, field),))
    assert (found.path, found.old, found.new, found.at) == (path, "old", "new", at)


def test_a_change_that_live_already_has_is_told_as_one_of_git() -> None:
    parts = tuple(Part(name=n, want=w, rows=(), step=None) for n, w in (("max", 6), ("health", ())))
    size, health = REASONS.changed(fleet(), parts)
    assert (size.path, size.old, size.new) == ("spec.capacity.max", "", "6")
    assert (health.path, health.old, health.new) == ("spec.health", "", "changed in git")


def test_a_drain_is_a_duration_at_the_target_group_of_the_balancer() -> None:
    row = Row(
        resource="target-group/web-1",
        field="attributes.deregistration_delay.timeout_seconds",
        want="90",
        live="60",
    )
    part = Part(name="target group", want="", rows=(row,), step=None)
    (found,) = REASONS.changed(fleet(BALANCED), (part,))
    assert (found.path, found.old, found.new, found.at) == (
        "spec.traffic.balancer.targetGroup.drain",
        "1m",
        "1m30s",
        "web.yaml:29",
    )


def test_a_reason_that_stands_in_several_parts_is_told_once() -> None:
    parts = (
        Part(name="health", want="1", rows=(), step=None),
        Part(name="health", want="2", rows=(), step=None),
    )
    assert len(REASONS.changed(fleet(), parts)) == 1
