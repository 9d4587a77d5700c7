"""The frame of the emulator: one clock, one Date, a call log, faults, AWS-shaped errors, an orderly end."""

import http.client
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.parsers import ResponseParserError

from emulator.client import ControlError
from tests.emulated import ROOT, Emulated, client, emulator

pytestmark = pytest.mark.wire

READS: dict[str, tuple[str, dict[str, Any]]] = {
    "ec2": ("describe_vpcs", {}),
    "autoscaling": ("describe_auto_scaling_groups", {}),
    "elbv2": ("describe_load_balancers", {}),
    "elb": ("describe_load_balancers", {}),
    "route53": ("list_hosted_zones", {}),
    "ssm": ("get_parameters", {"Names": ["/a"]}),
    "sts": ("get_caller_identity", {}),
    "wafv2": ("list_web_acls", {"Scope": "REGIONAL"}),
}
THROTTLED = {"ec2": "RequestLimitExceeded", "ssm": "ThrottlingException", "wafv2": "ThrottlingException"}


def call(aws: Emulated, service: str) -> Any:
    name, fields = READS[service]
    return getattr(aws.client(service), name)(**fields)


def code_of(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("service", READS)
def test_every_service_answers_with_one_date_of_the_emulators_clock(aws: Emulated, service: str) -> None:
    now = aws.control.advance(timedelta(hours=1))
    date = call(aws, service)["ResponseMetadata"]["HTTPHeaders"]["date"]
    assert abs(parsedate_to_datetime(date) - now) <= timedelta(seconds=1)


def test_a_connection_serves_many_requests_and_each_answer_has_one_date(aws: Emulated) -> None:
    place = urlsplit(aws.url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port)
    for _ in range(3):
        connection.request("GET", "/_emulator/healthy")
        answer = connection.getresponse()
        assert answer.headers.get_all("Date") is not None
        assert len(answer.headers.get_all("Date") or ()) == 1
        answer.read()
        assert not answer.will_close
    connection.close()


def test_the_clock_stands_runs_faster_and_never_goes_back(aws: Emulated) -> None:
    assert aws.control.now() == aws.control.now()
    later = aws.control.advance(timedelta(minutes=5))
    assert aws.control.now() == later
    aws.control.set_speed(100_000)
    assert aws.control.now() > later
    assert {aws.control.now().microsecond % 1000 for _ in range(5)} == {0}, "AWS tells milliseconds"
    aws.control.set_speed(0)
    assert aws.control.now().microsecond == 0, "it stops at a whole second"
    for refused in ({"speed": -1}, {"advance": -1}, {"backwards": 1}):
        with pytest.raises(ControlError):
            aws.control._ask("POST", "clock", refused)


@pytest.mark.parametrize("service", READS)
def test_a_throttled_service_says_so_once_in_its_own_words(aws: Emulated, service: str) -> None:
    aws.control.fault("throttle", service=service)
    with pytest.raises(ClientError) as error:
        call(aws, service)
    assert code_of(error)[0] == THROTTLED.get(service, "Throttling")
    call(aws, service)


@pytest.mark.parametrize("service", READS)
def test_a_failing_service_answers_500_and_an_error_is_the_one_that_was_asked_for(
    aws: Emulated, service: str
) -> None:
    aws.control.fault("server-error", service=service)
    with pytest.raises(ClientError) as error:
        call(aws, service)
    assert code_of(error)[1] == 500
    aws.control.fault("error", service=service, code="Odd", message="so <it> is", status=409)
    with pytest.raises(ClientError) as error:
        call(aws, service)
    assert code_of(error) == ("Odd", 409)
    assert error.value.response["Error"]["Message"] == "so <it> is"


@pytest.mark.parametrize("service", READS)
def test_a_cut_connection_and_a_cut_page_give_no_answer(aws: Emulated, service: str) -> None:
    for kind in ("reset", "lost"):
        aws.control.fault(kind, service=service)
        with pytest.raises(ConnectionClosedError):
            call(aws, service)
    aws.control.fault("partial", service=service)
    if service in ("ssm", "wafv2"):  # botocore takes JSON that it can't parse for an empty answer
        assert set(call(aws, service)) == {"ResponseMetadata"}
    else:
        with pytest.raises(ResponseParserError):
            call(aws, service)
    seen = [(c["fault"], c["status"], c["lost"]) for c in aws.control.calls()]
    assert seen == [("reset", 0, False), ("lost", 200, True), ("partial", 200, False)]


def test_a_lost_reply_leaves_the_effect_and_a_reset_does_not(aws: Emulated) -> None:
    ec2 = aws.client("ec2")
    body = {"ImageId": "ami-0a1"}
    for kind, name in (("reset", "web-1"), ("lost", "web-2")):
        aws.control.fault(kind, operation="CreateLaunchTemplate")
        with pytest.raises(ConnectionClosedError):
            ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=body)
    shown = ec2.describe_launch_templates()["LaunchTemplates"]
    assert [t["LaunchTemplateName"] for t in shown] == ["web-2"]


def test_a_stale_read_shows_what_the_first_one_like_it_showed(aws: Emulated) -> None:
    ec2 = aws.client("ec2")

    def names(**more: object) -> list[str]:
        return [t["LaunchTemplateName"] for t in ec2.describe_launch_templates(**more)["LaunchTemplates"]]

    aws.control.fault("stale", operation="DescribeLaunchTemplates", times=4)
    assert names() == []
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": "ami-0a1"})
    assert names() == []
    assert names(Filters=[{"Name": "launch-template-name", "Values": ["web"]}]) == ["web"], "another question"
    assert names() == []
    assert names() == ["web"]


def test_a_fault_strikes_by_parameters_after_some_and_a_number_of_times(aws: Emulated) -> None:
    ssm = aws.client("ssm")
    aws.control.fault("throttle", operation="GetParameters", match="/mine", after=1, times=2)
    outcomes = []
    for name in ("/mine", "/other", "/mine", "/mine", "/mine"):
        try:
            ssm.get_parameters(Names=[name])
            outcomes.append("ok")
        except ClientError:
            outcomes.append("throttled")
    assert outcomes == ["ok", "ok", "throttled", "throttled", "ok"]
    assert [(f["seen"], f["fired"]) for f in aws.control.faults()] == [(4, 2)]
    aws.control.clear_faults()
    assert aws.control.faults() == []


def test_latency_delays_and_then_the_answer_comes(aws: Emulated) -> None:
    aws.control.set_speed(1)
    before = aws.control.now()
    aws.control.fault("latency", service="ec2", ms=50, times=None)
    call(aws, "ec2")
    call(aws, "ec2")
    assert aws.control.now() - before >= timedelta(milliseconds=100)


def test_a_held_reply_leaves_the_effect_and_ends_when_the_faults_are_cleared(aws: Emulated) -> None:
    aws.control.fault("hang", writes=True)
    ec2 = aws.client("ec2")
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(
            ec2.create_launch_template, LaunchTemplateName="web", LaunchTemplateData={"ImageId": "ami-1"}
        )
        while not aws.control.faults()[0]["fired"]:
            call(aws, "ec2")  # reads pass
        assert [t["LaunchTemplateName"] for t in ec2.describe_launch_templates()["LaunchTemplates"]] == [
            "web"
        ]
        assert not held.done()
        aws.control.clear_faults()
        with pytest.raises(ConnectionClosedError):
            held.result(timeout=10)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "flood"},
        {"kind": "throttle", "oops": 1},
        {"kind": "error"},
        {"kind": "throttle", "times": "1"},
    ],
)
def test_a_fault_that_is_none_is_refused_with_a_reason(aws: Emulated, fields: dict[str, Any]) -> None:
    with pytest.raises(ControlError, match=r"\w+ \w+"):
        aws.control._ask("POST", "faults", fields)


def test_the_log_tells_every_call_with_its_parameters_and_its_end(aws: Emulated) -> None:
    zone = aws.client("route53").create_hosted_zone(Name="example.com", CallerReference="x")["HostedZone"]
    change = {"Action": "DELETE", "ResourceRecordSet": {"Name": "a.example.com", "Type": "A", "TTL": 60}}
    change["ResourceRecordSet"] |= {"ResourceRecords": [{"Value": "192.0.2.1"}]}  # type: ignore[operator]
    with pytest.raises(ClientError):
        aws.client("route53").change_resource_record_sets(
            HostedZoneId=zone["Id"], ChangeBatch={"Changes": [change]}
        )
    aws.client("ec2", "us-east-1").describe_subnets(
        Filters=[{"Name": "tag:tier", "Values": ["app"]}], MaxResults=5
    )
    aws.client("elb").describe_load_balancers()
    told = [
        (c["service"], c["operation"], c["region"], c["status"], c["code"], c["params"])
        for c in aws.control.calls()
    ]
    zone_id = zone["Id"].rpartition("/")[2]
    assert told == [
        (
            *("route53", "CreateHostedZone", "eu-west-1", 201, ""),
            {"Name": "example.com", "CallerReference": "x"},
        ),
        (
            *("route53", "ChangeResourceRecordSets", "eu-west-1", 400, "InvalidChangeBatch"),
            {"HostedZoneId": zone_id, "ChangeBatch": {"Changes": [change]}},
        ),
        (
            *("ec2", "DescribeSubnets", "us-east-1", 200, ""),
            {"Filters": [{"Name": "tag:tier", "Values": ["app"]}], "MaxResults": 5},
        ),
        ("elb", "DescribeLoadBalancers", "eu-west-1", 200, "", {}),
    ]
    last = aws.control.calls()[-1]
    assert last["account"] == "123456789012"
    assert "Boto3" in last["user_agent"]
    assert aws.control.calls(since=last["n"]) == []
    aws.control.clear_calls()
    assert aws.control.calls() == []


@pytest.mark.parametrize(
    ("service", "operation", "fields"),
    [
        ("route53", "list_cidr_collections", {}),
        ("autoscaling", "describe_account_limits", {}),
        ("ec2", "describe_fast_launch_images", {}),
        ("ssm", "describe_ops_items", {}),
    ],
)
def test_what_is_not_emulated_is_an_aws_error_and_no_page_of_html(
    aws: Emulated, service: str, operation: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as error:
        getattr(aws.client(service), operation)(**fields)
    assert code_of(error) == ("EmulatorNotImplemented", 501)


def test_a_role_of_another_account_leads_to_a_world_of_its_own(aws: Emulated) -> None:
    keys = aws.client("sts").assume_role(
        RoleArn="arn:aws:iam::210987654321:role/reconciler", RoleSessionName="story", ExternalId="shop"
    )["Credentials"]
    assert keys["Expiration"] > datetime.fromtimestamp(os.times().elapsed, UTC)
    credentials = {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
    other = client(aws.url, "sts", **credentials)
    assert other.get_caller_identity()["Account"] == "210987654321"
    assert aws.client("sts").get_caller_identity()["Account"] == "123456789012"
    client(aws.url, "ec2", **credentials).create_launch_template(
        LaunchTemplateName="theirs", LaunchTemplateData={"ImageId": "ami-0a1"}
    )
    assert aws.client("ec2").describe_launch_templates()["LaunchTemplates"] == []
    assert aws.control.calls()[-2]["account"] == "210987654321"


def test_many_clients_at_once_get_one_template_for_one_token(aws: Emulated) -> None:
    ec2 = aws.client("ec2")

    def create(_: int) -> str:
        made = ec2.create_launch_template(
            LaunchTemplateName="web-1", LaunchTemplateData={"ImageId": "ami-0a1"}, ClientToken="t"
        )
        return str(made["LaunchTemplate"]["LaunchTemplateId"])

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(create, range(24)))) == 1
    assert [c["n"] for c in aws.control.calls()] == sorted(c["n"] for c in aws.control.calls())
    assert len(aws.control.calls()) == 24


def test_delays_are_set_by_name_and_a_reset_puts_everything_back(aws: Emulated) -> None:
    usual = aws.control.physics()
    assert aws.control.physics(boot=5, insync=0) == usual | {"boot": 5.0, "insync": 0.0}
    with pytest.raises(ControlError, match="no such delay"):
        aws.control.physics(flood=1)
    aws.client("route53").create_hosted_zone(Name="example.com", CallerReference="x")
    aws.control.fault("throttle")
    aws.control.reset()
    assert aws.control.physics() == usual
    assert aws.control.faults() == aws.control.calls() == []
    assert aws.client("route53").list_hosted_zones()["HostedZones"] == []


def test_knobs_are_listed_and_a_wrong_turn_says_what_there_is(aws: Emulated) -> None:
    assert aws.control.knobs()["add_ami"].startswith("Publish an AMI")
    with pytest.raises(ControlError, match=r"there is no knob volume; there are .*add_ami"):
        aws.control.knob("volume")
    with pytest.raises(ControlError, match="add_ami"):
        aws.control.knob("add_ami", colour="red")


def test_plain_moto_is_served_as_it_is_with_log_and_faults() -> None:
    with emulator(plain=True, company=True, product=False) as aws:
        ec2 = aws.client("ec2")
        assert aws.client("ssm").get_parameters(Names=["/shop/images/batch"])["Parameters"]
        for n in range(16):
            ec2.create_launch_template(LaunchTemplateName=f"web-{n}", LaunchTemplateData={"ImageId": "ami-1"})
        assert len(ec2.describe_launch_templates()["LaunchTemplates"]) == 15
        aws.control.fault("throttle", service="ec2")
        with pytest.raises(ClientError, match="RequestLimitExceeded"):
            ec2.describe_vpcs()
        assert len(aws.control.calls()) == 19


def start(tmp_path: Path, *options: str, **more: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "emulator", "--ready-file", str(tmp_path / "url"), *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, **more)


def test_it_says_where_it_is_and_ends_on_sigterm_even_with_a_client_connected(tmp_path: Path) -> None:
    with start(tmp_path) as server:
        assert server.stdout
        url = server.stdout.readline()
        assert (tmp_path / "url").read_text() == url
        connection = http.client.HTTPConnection(urlsplit(url.strip()).netloc)
        connection.request("GET", "/_emulator/healthy")
        connection.getresponse().read()
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=10) == 0
        connection.close()


def test_it_ends_when_its_parent_is_gone_or_its_input_closes(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with start(tmp_path, f"--parent={parent.pid}") as server:
        assert server.stdout
        assert server.stdout.readline().startswith("http://")
        parent.communicate()
        assert server.wait(timeout=10) == 0
    with start(tmp_path, "--until-stdin-closes", stdin=subprocess.PIPE) as server:
        assert server.stdout
        assert server.stdout.readline().startswith("http://")
        server.stdin.close()
        assert server.wait(timeout=10) == 0
