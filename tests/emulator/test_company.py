"""The sample company's world holds all that its documents name, and behaves as theirs does on AWS."""

import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import ControlError
from tests.emulated import ROOT, Emulated

pytestmark = pytest.mark.wire

DOCUMENTS = "\n".join(p.read_text() for p in sorted(Path(ROOT, "desired-state").rglob("*.yaml")))


@pytest.fixture
def made(aws: Emulated) -> dict[str, Any]:
    return aws.control.seed_company()


def test_the_world_is_the_same_each_time_and_built_once(aws: Emulated, made: dict[str, Any]) -> None:
    with pytest.raises(ControlError, match="there already"):
        aws.control.seed_company()
    aws.control.reset()
    assert aws.control.seed_company() == made


def test_every_arn_in_the_documents_is_there(aws: Emulated, made: dict[str, Any]) -> None:
    arns = set(re.findall(r"arn:aws:elasticloadbalancing:\S+", DOCUMENTS))
    elb = aws.client("elbv2")
    listeners = elb.describe_listeners(LoadBalancerArn=made["load_balancer"])["Listeners"]
    groups = elb.describe_target_groups()["TargetGroups"]
    assert arns == {x["ListenerArn"] for x in listeners} | {g["TargetGroupArn"] for g in groups}
    assert [g["LoadBalancerArns"] for g in groups] == [[made["load_balancer"]]]
    rules = elb.describe_rules(ListenerArn=made["listener"])["Rules"]
    assert [(r["Priority"], r["IsDefault"]) for r in rules] == [("50", False), ("default", True)]
    balancer = elb.describe_load_balancers(Names=["shared"])["LoadBalancers"][0]
    assert balancer["State"]["Code"] == "active"
    assert elb.describe_tags(ResourceArns=[balancer["LoadBalancerArn"]])["TagDescriptions"]


def test_every_image_in_the_documents_resolves_in_its_region(aws: Emulated, made: dict[str, Any]) -> None:
    named = sorted(set(re.findall(r"ami-0[0-9a-f]+", DOCUMENTS)))
    found = []
    for region in ("eu-west-1", "us-east-1"):
        ec2 = aws.client("ec2", region)
        ids = [{"Name": "image-id", "Values": named}]
        found += [i["ImageId"] for i in ec2.describe_images(Filters=ids)["Images"]]
        pattern = re.findall(r'owner: "(\d+)", name: "([^"]+)"', DOCUMENTS)[0]
        newest = ec2.describe_images(Owners=[pattern[0]], Filters=[{"Name": "name", "Values": [pattern[1]]}])[
            "Images"
        ]
        assert len(newest) == len({i["CreationDate"] for i in newest}) == 3
        assert {i["Architecture"] for i in newest} == {"arm64"}
    assert sorted(found) == named
    value = aws.client("ssm").get_parameters(Names=["/shop/images/batch"])["Parameters"][0]["Value"]
    assert aws.client("ec2").describe_images(ImageIds=[value])["Images"][0]["Architecture"] == "x86_64"


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
def test_every_network_name_in_the_documents_is_there_once(
    aws: Emulated, made: dict[str, Any], region: str
) -> None:
    ec2 = aws.client("ec2", region)
    tier = [{"Name": "tag:tier", "Values": ["app"]}]
    subnets = ec2.describe_subnets(Filters=tier)["Subnets"]
    assert [s["AvailabilityZone"][-1] for s in sorted(subnets, key=lambda s: s["CidrBlock"])] == [
        "a",
        "b",
        "c",
    ]
    assert {s["VpcId"] for s in subnets} == {made[region]["vpc"]}
    vpc = [{"Name": "vpc-id", "Values": [made[region]["vpc"]]}]
    groups = {g["GroupName"] for g in ec2.describe_security_groups(Filters=vpc)["SecurityGroups"]}
    assert set(re.findall(r"securityGroups: \[\{name: (\w+)\}\]", DOCUMENTS)) <= groups


def test_every_alarm_in_the_documents_is_there_and_watches_what_outlives_a_revision(
    aws: Emulated, made: dict[str, Any]
) -> None:
    named = re.findall(r"alarms: \[([\w-]+)\]", DOCUMENTS)
    (alarm,) = aws.client("cloudwatch").describe_alarms(AlarmNames=named)["MetricAlarms"]
    assert alarm["StateValue"] == "OK"
    assert [d["Value"] for d in alarm["Dimensions"]] == [made["load_balancer"].partition(":loadbalancer/")[2]]


def test_the_zone_of_the_documents_takes_their_records(aws: Emulated, made: dict[str, Any]) -> None:
    zones = aws.client("route53").list_hosted_zones()["HostedZones"]
    assert [(z["Name"], z["Id"], z["ResourceRecordSetCount"]) for z in zones] == [
        ("example.com.", f"/hostedzone/{made['zone']}", 2)
    ]
    assert made["zone"].startswith("Z")


def test_a_web_acl_is_put_on_the_balancer_and_taken_off(aws: Emulated, made: dict[str, Any]) -> None:
    waf, arn = aws.client("wafv2"), made["load_balancer"]
    assert "WebACL" not in waf.get_web_acl_for_resource(ResourceArn=arn)
    seen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
    acl = waf.create_web_acl(
        Name="shop", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=seen
    )["Summary"]["ARN"]
    waf.associate_web_acl(WebACLArn=acl, ResourceArn=arn)
    assert waf.get_web_acl_for_resource(ResourceArn=arn)["WebACL"]["ARN"] == acl
    waf.disassociate_web_acl(ResourceArn=arn)
    assert "WebACL" not in waf.get_web_acl_for_resource(ResourceArn=arn)
    with pytest.raises(ClientError, match="WAFNonexistentItemException"):
        waf.associate_web_acl(WebACLArn=acl + "x", ResourceArn=arn)
