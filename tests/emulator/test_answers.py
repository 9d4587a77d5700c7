"""What is asked again is answered from what was answered, and never once it could be another answer."""

from datetime import timedelta
from typing import Any

import pytest

from tests.emulated import Emulated
from tests.emulator.scene import BOOT, Scene, build

pytestmark = pytest.mark.wire


@pytest.fixture
def here(aws: Emulated) -> Scene:
    return build(aws)


def request_of(answer: dict[str, Any]) -> str:
    return str(answer["ResponseMetadata"]["RequestId"])


def test_of_a_world_that_rests_the_same_answer_is_given_again(here: Scene) -> None:
    here.create()
    first, again = (here.groups.describe_auto_scaling_groups() for _ in range(2))
    assert request_of(first) == request_of(again)
    assert [c["operation"] for c in here.aws.control.calls()[-2:]] == ["DescribeAutoScalingGroups"] * 2


def test_a_write_an_event_and_a_hand_are_seen_by_the_next_read(here: Scene) -> None:
    here.create(desired=1)
    (born,) = here.instances()
    assert born["LifecycleState"] == "Pending"
    here.resize(2)
    assert len(here.instances()) == 2
    here.wait(BOOT)
    assert {i["LifecycleState"] for i in here.instances()} == {"InService"}
    here.aws.control.knob("add_ami", region="eu-west-1", id="ami-00000000000000aa", name="late")
    assert len(here.ec2.describe_images(ImageIds=["ami-00000000000000aa"])["Images"]) == 1
    here.aws.control.reset()
    assert here.group() is None


def test_what_time_alone_changes_is_read_anew_at_every_instant(aws: Emulated) -> None:
    client = aws.client("route53")
    zone = client.create_hosted_zone(Name="example.com", CallerReference="1")
    change = zone["ChangeInfo"]["Id"]
    assert client.get_change(Id=change)["ChangeInfo"]["Status"] == "PENDING"
    aws.control.advance(timedelta(seconds=30))
    assert client.get_change(Id=change)["ChangeInfo"]["Status"] == "INSYNC"


def test_a_write_to_another_service_leaves_the_answers_about_records(here: Scene) -> None:
    client = here.aws.client("route53")
    zone = client.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    first = client.list_resource_record_sets(HostedZoneId=zone)
    here.create()
    here.wait(BOOT)
    assert request_of(client.list_resource_record_sets(HostedZoneId=zone)) == request_of(first)
    client.create_hosted_zone(Name="example.org", CallerReference="2")
    assert request_of(client.list_resource_record_sets(HostedZoneId=zone)) != request_of(first)


def test_a_region_is_never_given_the_answer_of_another(here: Scene) -> None:
    here.create()
    assert here.groups.describe_auto_scaling_groups()["AutoScalingGroups"]
    elsewhere = here.aws.client("autoscaling", "eu-central-1")
    assert elsewhere.describe_auto_scaling_groups()["AutoScalingGroups"] == []
