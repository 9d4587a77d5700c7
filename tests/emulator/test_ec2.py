"""EC2 as the overlay answers it: launch templates, tags, instances, images and networks in whole pages."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import ControlError
from tests.emulated import REGION, Emulated

pytestmark = pytest.mark.wire

BODY: dict[str, Any] = {
    "ImageId": "ami-0a1",
    "InstanceType": "m7g.large",
    "UserData": base64.b64encode(b"#!/bin/sh\necho 1\n").decode(),
    "SecurityGroupIds": ["sg-1"],
    "IamInstanceProfile": {"Name": "shop-web"},
    "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
    "Monitoring": {"Enabled": True},
    "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20, "VolumeType": "gp3"}}],
    "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "service", "Value": "web"}]}],
    "CpuOptions": {"CoreCount": 1, "ThreadsPerCore": 1},
}


def own(**tags: str) -> list[dict[str, Any]]:
    pairs = [{"Key": k, "Value": v} for k, v in tags.items()]
    return [{"ResourceType": "launch-template", "Tags": pairs}]


def create(aws: Emulated, name: str, **more: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"LaunchTemplateName": name, "LaunchTemplateData": BODY} | more
    return dict(aws.client("ec2").create_launch_template(**fields)["LaunchTemplate"])


def pages(call: Callable[..., dict[str, Any]], key: str, **fields: Any) -> list[list[Any]]:
    found, token = [], None
    while True:
        page = call(**fields, **({"NextToken": token} if token else {}))
        found.append(page[key])
        token = page.get("NextToken")
        if not token:
            return found


def test_a_template_keeps_its_body_as_it_was_sent_and_its_own_tags_apart(aws: Emulated) -> None:
    made = create(aws, "web-1", TagSpecifications=own(owner="shop"))
    ec2 = aws.client("ec2")
    page = ec2.describe_launch_template_versions(LaunchTemplateId=made["LaunchTemplateId"])
    assert [v["LaunchTemplateData"] for v in page["LaunchTemplateVersions"]] == [BODY]
    ec2.create_tags(Resources=[made["LaunchTemplateId"]], Tags=[{"Key": "stage", "Value": "live"}])
    shown = ec2.describe_launch_templates(Filters=[{"Name": "tag:stage", "Values": ["live"]}])
    tags = {t["Key"]: t["Value"] for t in shown["LaunchTemplates"][0]["Tags"]}
    assert tags == {"owner": "shop", "stage": "live"}


def test_every_template_and_every_default_body_is_listed_once(aws: Emulated) -> None:
    ec2 = aws.client("ec2")
    for n in range(205):
        create(aws, f"web-{n:03}", TagSpecifications=own(owner="shop" if n % 2 else "other"))
    ours = [{"Name": "tag:owner", "Values": ["shop"]}]
    found = pages(ec2.describe_launch_templates, "LaunchTemplates", Filters=ours, MaxResults=50)
    assert [len(p) for p in found] == [50, 50, 2]
    assert len({t["LaunchTemplateName"] for p in found for t in p}) == 102
    found = pages(
        ec2.describe_launch_template_versions,
        "LaunchTemplateVersions",
        Versions=["$Default"],
        MaxResults=200,
    )
    assert [len(p) for p in found] == [200, 5]
    assert len({v["LaunchTemplateId"] for p in found for v in p}) == 205
    assert len(ec2.describe_launch_templates()["LaunchTemplates"]) == 200


def test_a_client_token_counts_once(aws: Emulated) -> None:
    first = create(aws, "web-1", ClientToken="t")
    assert create(aws, "web-1", ClientToken="t") == first
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        create(aws, "web-2", ClientToken="t")
    with pytest.raises(ClientError, match=r"InvalidLaunchTemplateName\.AlreadyExistsException"):
        create(aws, "web-1", ClientToken="u")


Call = Callable[[Any], Any]
REFUSED: list[tuple[str, Call]] = [
    (
        "InvalidLaunchTemplateName.MalformedException",
        lambda e: e.create_launch_template(LaunchTemplateName="web 1", LaunchTemplateData=BODY),
    ),
    (
        "InvalidParameterValue",
        lambda e: e.create_launch_template(
            LaunchTemplateName="web-2",
            LaunchTemplateData=BODY,
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}],
        ),
    ),
    (
        "InvalidLaunchTemplateName.NotFoundException",
        lambda e: e.describe_launch_templates(LaunchTemplateNames=["none"]),
    ),
    (
        "InvalidLaunchTemplateId.NotFound",
        lambda e: e.describe_launch_templates(LaunchTemplateIds=["lt-0123456789abcdef0"]),
    ),
    (
        "InvalidLaunchTemplateId.Malformed",
        lambda e: e.describe_launch_templates(LaunchTemplateIds=["web"]),
    ),
    (
        "InvalidLaunchTemplateId.NotFound",
        lambda e: e.delete_launch_template(LaunchTemplateId="lt-0123456789abcdef0"),
    ),
    (
        "InvalidLaunchTemplateName.NotFoundException",
        lambda e: e.delete_launch_template(LaunchTemplateName="none"),
    ),
    ("MissingParameter", lambda e: e.describe_launch_template_versions()),
    ("InvalidParameterValue", lambda e: e.describe_launch_template_versions(Versions=["1"])),
    ("InvalidParameterValue", lambda e: e.describe_launch_templates(MaxResults=201)),
    ("InvalidNextToken", lambda e: e.describe_launch_templates(NextToken="x")),
    ("InvalidInstanceID.NotFound", lambda e: e.describe_instances(InstanceIds=["i-0123456789abcdef0"])),
    ("InvalidAMIID.NotFound", lambda e: e.describe_images(ImageIds=["ami-0123456789abcdef0"])),
    ("InvalidAMIID.Malformed", lambda e: e.describe_images(ImageIds=["web"])),
    (
        "InvalidLaunchTemplateId.NotFound",
        lambda e: e.create_tags(Resources=["lt-0123456789abcdef0"], Tags=[{"Key": "a", "Value": "b"}]),
    ),
    ("EmulatorNotImplemented", lambda e: e.describe_fast_launch_images()),
]


@pytest.mark.parametrize(("code", "call"), REFUSED, ids=[f"{n}-{r[0]}" for n, r in enumerate(REFUSED)])
def test_what_aws_refuses_is_refused_with_its_code(aws: Emulated, code: str, call: Call) -> None:
    with pytest.raises(ClientError) as error:
        call(aws.client("ec2"))
    assert error.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({f"k{n}": "v" for n in range(51)}, "TagLimitExceeded"),
        ({"k": "v" * 257}, "InvalidParameterValue"),
        ({"k" * 129: "v"}, "InvalidParameterValue"),
        ({"aws:mine": "v"}, "InvalidParameterValue"),
    ],
    ids=["51", "257 characters", "129 characters", "aws:"],
)
def test_tags_beyond_the_bounds_are_refused_on_creation_and_later(
    aws: Emulated, tags: dict[str, str], code: str
) -> None:
    there = create(aws, "web-1", TagSpecifications=own(owner="shop"))["LaunchTemplateId"]
    with pytest.raises(ClientError, match=code):
        create(aws, "web-2", TagSpecifications=own(**tags))
    with pytest.raises(ClientError, match=code):
        aws.client("ec2").create_tags(Resources=[there], Tags=own(**tags)[0]["Tags"])


def test_fifty_tags_may_be_put_again_and_a_deleted_template_leaves_none(aws: Emulated) -> None:
    tags = {f"k{n}": "v" for n in range(50)}
    ec2, there = aws.client("ec2"), create(aws, "web-1", TagSpecifications=own(**tags))["LaunchTemplateId"]
    ec2.create_tags(Resources=[there], Tags=[{"Key": "k1", "Value": "new"}])
    ec2.delete_tags(Resources=[there], Tags=[{"Key": "k2"}])
    assert len(ec2.describe_launch_templates(LaunchTemplateIds=[there])["LaunchTemplates"][0]["Tags"]) == 49
    ec2.delete_launch_template(LaunchTemplateId=there)
    assert ec2.describe_launch_templates()["LaunchTemplates"] == []
    assert ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [there]}])["Tags"] == []


def test_a_version_rests_on_its_source_and_can_be_made_the_default(aws: Emulated) -> None:
    ec2, there = aws.client("ec2"), create(aws, "web-1")["LaunchTemplateId"]
    ec2.create_launch_template_version(
        LaunchTemplateId=there, SourceVersion="1", LaunchTemplateData={"InstanceType": "c7g.large"}
    )
    ec2.modify_launch_template(LaunchTemplateId=there, DefaultVersion="2")
    shown = ec2.describe_launch_template_versions(LaunchTemplateId=there)["LaunchTemplateVersions"]
    assert [(v["VersionNumber"], v["DefaultVersion"]) for v in shown] == [(2, True), (1, False)]
    assert shown[0]["LaunchTemplateData"] == BODY | {"InstanceType": "c7g.large"}


def test_instances_are_paged_one_by_one_whatever_reservation_they_came_in(aws: Emulated) -> None:
    ec2 = aws.client("ec2")
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "fleet", "Value": "web"}]}]
    for _ in range(3):
        ec2.run_instances(
            ImageId="ami-0a1", InstanceType="t3.micro", MinCount=4, MaxCount=4, TagSpecifications=tags
        )
    by_tag = [{"Name": "tag:fleet", "Values": ["web"]}]
    found = pages(ec2.describe_instances, "Reservations", MaxResults=5, Filters=by_tag)
    sizes = [sum(len(r["Instances"]) for r in p) for p in found]
    seen = [i["InstanceId"] for p in found for r in p for i in r["Instances"]]
    assert sizes == [5, 5, 2]
    assert len(set(seen)) == len(seen) == 12
    by_id = ec2.describe_instances(InstanceIds=seen[:3])["Reservations"]
    assert {i["InstanceId"] for r in by_id for i in r["Instances"]} == set(seen[:3])


def test_launch_times_show_the_emulators_clock(aws: Emulated) -> None:
    ec2, now = aws.client("ec2"), aws.control.advance(timedelta(days=3))
    made = ec2.run_instances(ImageId="ami-0a1", InstanceType="t3.micro", MinCount=1, MaxCount=1)
    assert abs(made["Instances"][0]["LaunchTime"] - now) < timedelta(seconds=1)
    assert abs(create(aws, "web-1")["CreateTime"] - now) < timedelta(seconds=1)


def test_networks_are_paged_and_filtered(aws: Emulated) -> None:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    mine = [{"Name": "vpc-id", "Values": [vpc]}]
    for n in range(6):
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{n}.0/24", AvailabilityZone="eu-west-1a")
        ec2.create_security_group(GroupName=f"g{n}", Description="d", VpcId=vpc)
    subnets = pages(ec2.describe_subnets, "Subnets", Filters=mine, MaxResults=5)
    groups = pages(ec2.describe_security_groups, "SecurityGroups", Filters=mine, MaxResults=5)
    assert [len(p) for p in subnets] == [5, 1]
    assert [len(p) for p in groups] == [5, 2]


def test_a_published_image_is_found_by_owner_name_and_architecture_once_it_is_available(
    aws: Emulated,
) -> None:
    owner = "137112412989"
    for day, arch in ((1, "arm64"), (2, "arm64"), (3, "x86_64")):
        aws.control.knob(
            "add_ami",
            region=REGION,
            id=f"ami-0c{day}",
            name=f"al2023-ami-2023.{day}-{arch}",
            owner=owner,
            architecture=arch,
            created=f"2026-05-0{day}T00:00:00+00:00",
            pending=60 if day == 2 else 0,
        )
    asked = {
        "Owners": [owner],
        "Filters": [
            {"Name": "name", "Values": ["al2023-ami-2023.*-arm64"]},
            {"Name": "architecture", "Values": ["arm64"]},
            {"Name": "state", "Values": ["available"]},
        ],
    }
    ec2 = aws.client("ec2")
    assert [i["ImageId"] for i in ec2.describe_images(**asked)["Images"]] == ["ami-0c1"]
    aws.control.advance(timedelta(seconds=60))
    found = ec2.describe_images(**asked)["Images"]
    assert [(i["ImageId"], i["CreationDate"]) for i in found] == [
        ("ami-0c1", "2026-05-01T00:00:00.000Z"),
        ("ami-0c2", "2026-05-02T00:00:00.000Z"),
    ]
    assert [len(p) for p in pages(ec2.describe_images, "Images", MaxResults=2)] == [2, 1]
    with pytest.raises(ControlError, match="is there already"):
        aws.control.knob("add_ami", region=REGION, id="ami-0c1", name="again")


def test_deprecated_images_of_others_hide_and_removed_ones_are_gone(aws: Emulated) -> None:
    ec2, old = aws.client("ec2"), "2026-05-01T00:00:00+00:00"
    aws.control.knob(
        "add_ami", region=REGION, id="ami-0d1", name="theirs", owner="210987654321", deprecated=old
    )
    aws.control.knob("add_ami", region=REGION, id="ami-0d2", name="ours", deprecated=old)
    ids = [{"Name": "image-id", "Values": ["ami-0d1", "ami-0d2", "ami-0d3"]}]
    assert [i["ImageId"] for i in ec2.describe_images(Filters=ids)["Images"]] == ["ami-0d2"]
    all_of_them = ec2.describe_images(Filters=ids, IncludeDeprecated=True)["Images"]
    assert {i["ImageId"]: i["DeprecationTime"][:10] for i in all_of_them} == {
        "ami-0d1": "2026-05-01",
        "ami-0d2": "2026-05-01",
    }
    aws.control.knob("remove_ami", region=REGION, id="ami-0d2")
    assert [i["ImageId"] for i in ec2.describe_images(IncludeDeprecated=True)["Images"]] == ["ami-0d1"]


def test_an_image_is_registered_with_what_it_is_made_of(aws: Emulated) -> None:
    ec2 = aws.client("ec2")
    made = ec2.register_image(Name="web", Architecture="arm64", RootDeviceName="/dev/xvda")["ImageId"]
    shown = ec2.describe_images(ImageIds=[made])["Images"][0]
    assert (shown["Architecture"], shown["RootDeviceName"]) == ("arm64", "/dev/xvda")
    with pytest.raises(ClientError, match=r"InvalidAMIName\.Duplicate"):
        ec2.register_image(Name="web", Architecture="arm64", RootDeviceName="/dev/xvda")
