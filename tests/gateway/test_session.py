"""What the gateway does on the wire, seen by a stand-in for AWS."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.parsers import ResponseParserError
from botocore.utils import parse_timestamp

from reconciler.core.errors import DeadlineError, ForbiddenCallError, WrongAccountError
from reconciler.gateway.errors import Failure, classify, say
from reconciler.gateway.session import Line, Place, for_commit, open_aws, to_timestamp
from tests.gateway.stand_in import error

PLACE = Place(target="prod", account="123456789012", region="eu-west-1")
LINE = Line(connect_timeout=1, read_timeout=0.3)
POLICIES = (200, "<DescribePoliciesResponse><DescribePoliciesResult/></DescribePoliciesResponse>")
DELETE = {"AutoScalingGroupName": "web-1"}


@pytest.fixture
def calls():
    return []


@pytest.fixture
def writer(aws_url, calls):
    with open_aws(PLACE, writes=True, line=LINE, record=calls.append) as aws:
        yield aws


@pytest.fixture
def reader(aws_url, calls):
    with open_aws(PLACE, writes=False, line=LINE, record=calls.append) as aws:
        yield aws


@pytest.mark.parametrize(
    "answer",
    [
        error(500, "InternalFailure"),
        error(503, "ServiceUnavailable"),
        error(400, "Throttling"),
        (502, "<html>"),
    ],
    ids=["500", "503", "throttled", "a proxy's page"],
)
def test_a_write_is_sent_once_whatever_comes_back(writer, aws_url, answer):
    aws_url.answers["DeleteAutoScalingGroup"] = [answer]
    with pytest.raises((ClientError, ResponseParserError)):
        writer.client("autoscaling").delete_auto_scaling_group(**DELETE)
    assert len(aws_url.of("DeleteAutoScalingGroup")) == 1


def test_a_write_whose_reply_never_comes_is_sent_once(writer, aws_url):
    aws_url.hang.add("DeleteAutoScalingGroup")
    with pytest.raises(ReadTimeoutError):
        writer.client("autoscaling").delete_auto_scaling_group(**DELETE)
    assert len(aws_url.of("DeleteAutoScalingGroup")) == 1


def test_a_read_is_tried_again_until_it_is_answered(reader, aws_url):
    aws_url.answers["DescribePolicies"] = [
        error(500, "InternalFailure"),
        error(400, "Throttling"),
        POLICIES,
    ]
    reader.client("autoscaling").describe_policies()
    assert len(aws_url.of("DescribePolicies")) == 3
    assert reader.counts == {"autoscaling:DescribePolicies": 3}


def test_a_read_gives_up_after_four_attempts(reader, aws_url):
    aws_url.answers["DescribePolicies"] = [error(500, "InternalFailure")]
    with pytest.raises(ClientError):
        reader.client("autoscaling").describe_policies()
    assert len(aws_url.of("DescribePolicies")) == 4


def test_a_reader_cannot_write(reader, aws_url, calls):
    with pytest.raises(ForbiddenCallError, match="this connection only reads"):
        reader.client("autoscaling").delete_auto_scaling_group(**DELETE)
    assert (aws_url.sent, calls, reader.writes) == ([], [], False)


def test_a_reader_cannot_sign_the_url_of_a_write_either(reader):
    with pytest.raises(ForbiddenCallError):
        reader.client("autoscaling").generate_presigned_url("delete_auto_scaling_group", Params=DELETE)


@pytest.mark.parametrize(
    ("service", "method", "params"),
    [
        ("ec2", "terminate_instances", {"InstanceIds": ["i-1"]}),
        ("ec2", "modify_instance_attribute", {"InstanceId": "i-1"}),
        ("autoscaling", "delete_auto_scaling_group", {**DELETE, "ForceDelete": True}),
        ("ec2", "create_tags", {"Resources": ["i-1"], "Tags": [{"Key": "a", "Value": "b"}]}),
    ],
)
def test_what_is_forbidden_never_leaves(writer, aws_url, service, method, params):
    with pytest.raises(ForbiddenCallError, match="the call was not sent"):
        getattr(writer.client(service), method)(**params)
    assert aws_url.sent == []


def test_parameters_put_in_by_another_event_are_checked_too(writer, aws_url):
    client = writer.client("autoscaling")

    def sneak(params, **_):
        params["ForceDelete"] = True

    client.meta.events.register_last("before-parameter-build.auto-scaling", sneak)
    client.meta.events.register_last("provide-client-params.auto-scaling", sneak)
    with pytest.raises(ForbiddenCallError, match="ForceDelete"):
        client.delete_auto_scaling_group(**DELETE)
    assert aws_url.sent == []


def test_no_client_of_another_service_exists(writer):
    with pytest.raises(ForbiddenCallError, match="'s3' is not on the allow-list"):
        writer.client("s3")


def test_clients_are_made_once(writer):
    made = writer.each(lambda _: writer.client("autoscaling"), range(16))
    assert len({id(c) for c in made}) == 1


def test_every_request_carries_version_and_commit(reader, aws_url):
    api = reader.client("autoscaling")
    with for_commit("0a1b2c3"):
        reader.each(lambda _: api.describe_policies(), range(3))
    api.describe_policies()
    agents = [s.agent for s in aws_url.sent]
    assert [a.split()[:2] for a in agents[:3]] == [[agents[0].split()[0], "commit/0a1b2c3"]] * 3
    assert agents[0].startswith("reconciler/")
    assert "Boto3/" in agents[0]
    assert "commit/" not in agents[3]


def test_retries_carry_the_commit_once(reader, aws_url):
    aws_url.answers["DescribePolicies"] = [error(500, "InternalFailure"), POLICIES]
    with for_commit("0a1b2c3"):
        reader.client("autoscaling").describe_policies()
    assert [s.agent.count("commit/") for s in aws_url.sent] == [1, 1]


def test_the_clock_is_the_earliest_date_since_begin_and_the_latest_is_known(reader, aws_url):
    api = reader.client("autoscaling")
    assert (reader.as_of(), reader.newest()) == (None, None)
    aws_url.dates = [
        "Mon, 01 Jun 2026 12:00:05 GMT",
        "Mon, 01 Jun 2026 12:00:02 GMT",
        "yesterday",
        "Mon, 01 Jun 2026 12:00:09 GMT",
    ]
    for _ in range(4):
        api.describe_policies()
    assert reader.as_of() == datetime(2026, 6, 1, 12, 0, 2, tzinfo=UTC)
    assert reader.newest() == datetime(2026, 6, 1, 12, 0, 9, tzinfo=UTC)
    reader.begin()
    assert (reader.as_of(), reader.newest(), reader.counts) == (None, None, {})
    api.describe_policies()
    assert reader.as_of() == datetime(2026, 6, 1, 12, 0, 9, tzinfo=UTC)


def test_an_error_tells_the_time_too(reader, aws_url):
    aws_url.dates = ["Mon, 01 Jun 2026 12:00:05 GMT"]
    aws_url.answers["DescribePolicies"] = [error(403, "AccessDenied")]
    with pytest.raises(ClientError):
        reader.client("autoscaling").describe_policies()
    assert reader.as_of() == datetime(2026, 6, 1, 12, 0, 5, tzinfo=UTC)


def test_past_the_deadline_nothing_is_sent(writer, aws_url):
    writer.begin(deadline=timedelta(0))
    with pytest.raises(DeadlineError, match="DescribePolicies was not sent"):
        writer.client("autoscaling").describe_policies()
    assert aws_url.sent == []
    writer.begin(deadline=timedelta(minutes=5))
    writer.client("autoscaling").describe_policies()
    assert len(aws_url.sent) == 1


def test_once_stopped_nothing_is_sent_whatever_begins(writer, aws_url):
    writer.stop()
    writer.begin(deadline=timedelta(minutes=5))
    with pytest.raises(DeadlineError, match="DescribePolicies was not sent: the program is stopping"):
        writer.client("autoscaling").describe_policies()
    assert aws_url.sent == []


def test_the_first_write_asks_whose_account_it_is(writer, aws_url):
    api = writer.client("autoscaling")
    api.delete_auto_scaling_group(**DELETE)
    api.delete_auto_scaling_group(**DELETE)
    said = [s.operation for s in aws_url.sent]
    assert said == ["GetCallerIdentity", "DeleteAutoScalingGroup", "DeleteAutoScalingGroup"]


def test_nothing_is_written_to_another_account(writer, aws_url):
    aws_url.account = "999999999999"
    for _ in range(2):
        with pytest.raises(WrongAccountError, match=r"123456789012.*999999999999"):
            writer.client("autoscaling").delete_auto_scaling_group(**DELETE)
    assert [s.operation for s in aws_url.sent] == ["GetCallerIdentity"]


def test_a_role_is_assumed_with_its_external_id_and_used(aws_url):
    place = Place(
        target="prod",
        account="123456789012",
        region="eu-west-1",
        assume_role="arn:aws:iam::123456789012:role/reconciler",
        external_id="ours",
    )
    with open_aws(place, writes=False, line=LINE) as aws:
        aws.client("autoscaling").describe_policies()
        aws.client("ec2").describe_subnets()
    (asked,) = aws_url.of("AssumeRole")
    assert asked.form["RoleArn"] == [place.assume_role]
    assert asked.form["ExternalId"] == ["ours"]
    assert asked.form["RoleSessionName"] == ["reconciler-prod"]
    assert "AKIABASE" in asked.authorization
    assert "ASIAROLE" in aws_url.of("DescribePolicies")[0].authorization
    assert "ASIAROLE" in aws_url.of("DescribeSubnets")[0].authorization


def test_the_record_holds_what_was_let_through(writer, calls):
    writer.client("autoscaling").delete_auto_scaling_group(**DELETE)
    assert [(c.service, c.operation, c.writes, c.params) for c in calls] == [
        ("sts", "GetCallerIdentity", False, {}),
        ("autoscaling", "DeleteAutoScalingGroup", True, DELETE),
    ]


def test_a_role_that_may_not_be_assumed_is_a_matter_of_credentials(aws_url):
    aws_url.answers["AssumeRole"] = [error(403, "AccessDenied", "not authorized to perform sts:AssumeRole")]
    place = replace(PLACE, assume_role="arn:aws:iam::123456789012:role/reconciler")
    with open_aws(place, writes=False, line=LINE) as aws, pytest.raises(ClientError) as failed:
        aws.client("autoscaling").describe_policies()
    assert classify(failed.value) is Failure.CREDENTIALS
    assert say(failed.value) == "AssumeRole: AccessDenied: not authorized to perform sts:AssumeRole"


def test_nobody_listening_is_an_unknown_outcome(aws_url, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with (
        open_aws(PLACE, writes=False, line=replace(LINE, attempts=1)) as aws,
        pytest.raises(EndpointConnectionError) as failed,
    ):
        aws.client("autoscaling").describe_policies()
    assert classify(failed.value) is Failure.UNKNOWN


@pytest.mark.parametrize("module", ["session", "policy", "allow", "rules"])
def test_the_gateway_loads_without_boto3(module):
    """`validate` and `--help` must not pay for it."""
    asks = (
        f"import sys, reconciler.gateway.{module}; sys.exit(bool({{'boto3', 'botocore'}} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", asks], check=False).returncode == 0


@pytest.mark.parametrize(
    "value",
    [
        "2026-06-01T08:00:00Z",
        "2026-06-01T08:00:00.123Z",
        "2026-06-01T08:00:00.123456+02:00",
        "2026-06-01T08:00:00",
        "2026-06-01Tnoon",
        "Mon, 01 Jun 2026 08:00:00 GMT",
        "1780300800",
        1780300800.5,
    ],
)
def test_times_in_replies_are_what_botocore_reads(value):
    def read(reader):
        try:
            return reader(value)
        except ValueError as wrong:
            return str(wrong)

    assert read(to_timestamp) == read(parse_timestamp)


def test_a_connection_beside_another_one_begins_stops_and_closes_with_it(reader, aws_url):
    aws_url.answers["DescribePolicies"] = [POLICIES]
    reader.begin(timedelta(minutes=5))
    other = reader.open_beside(replace(PLACE, account="210987654321", target="away"))
    assert reader.open_beside(other.place) is other
    assert (other.writes, reader.beside) == (False, (other,))
    other.client("autoscaling").describe_policies()
    assert reader.counts == other.counts == {"autoscaling:DescribePolicies": 1}
    reader.begin(timedelta(minutes=5))
    assert other.counts == {}
    reader.stop()
    with pytest.raises(DeadlineError):
        other.client("autoscaling").describe_policies()
    with pytest.raises(DeadlineError):
        reader.open_beside(replace(PLACE, account="999999999999")).client("autoscaling").describe_policies()
