"""Pacing by a clock that the test moves."""

from datetime import timedelta

import pytest
from botocore.awsrequest import AWSRequest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.errors import DeadlineError
from reconciler.gateway.gate import Gate
from reconciler.gateway.pace import RATES, Pace, Paces, Rate
from reconciler.gateway.session import Place, open_aws

SLOW = Rate(per_second=2.0, burst=3)


class Clock:
    def __init__(self):
        self.at = 0.0

    def __call__(self):
        return self.at


def test_a_burst_is_free_and_then_each_waits_longer_than_the_one_before():
    pace = Pace(SLOW, now=Clock())
    assert [pace.take() for _ in range(6)] == [0.0, 0.0, 0.0, 0.5, 1.0, 1.5]


def test_tokens_come_back_with_time_but_never_more_than_the_burst():
    clock = Clock()
    pace = Pace(SLOW, now=clock)
    for _ in range(4):
        pace.take()
    clock.at = 1000.0
    assert [pace.take() for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


@given(st.lists(st.floats(min_value=0, max_value=3), min_size=1, max_size=60))
def test_no_second_ever_sees_more_than_burst_and_rate(gaps):
    clock = Clock()
    pace = Pace(SLOW, now=clock)
    sent = []
    for gap in gaps:
        clock.at += gap
        sent.append(clock.at + pace.take())
    for start in sent:
        within = [t for t in sent if start <= t < start + 1.0]
        assert len(within) <= SLOW.burst + SLOW.per_second


def test_an_account_has_one_bucket_for_each_service_however_many_connections():
    paces = Paces({"route53": SLOW})
    assert paces.of("1", "route53") is paces.of("1", "route53")
    assert paces.of("1", "route53") is not paces.of("2", "route53")
    assert paces.of("1", "ec2") is None


def test_route_53_is_paced_by_default():
    assert RATES["route53"].per_second == 5.0


def test_a_request_waits_for_its_token():
    clock = Clock()
    waits: list[float] = []
    pace = Pace(SLOW, now=clock)
    gate = Gate(writes=False, pace_of=lambda _: pace, before_write=lambda: None, now=clock, wait=waits.append)
    for _ in range(5):
        request = AWSRequest(method="GET", url="http://127.0.0.1/")
        request.context["reconciler_checked"] = ("route53", "GetChange")
        gate.on_request(request, "GetChange")
    assert waits == [0.5, 1.0]
    assert gate.counts == {"route53:GetChange": 5}


def test_a_token_that_comes_after_the_deadline_is_not_waited_for(aws_url):
    place = Place(target="prod", account="123456789012", region="eu-west-1")
    paces = Paces({"autoscaling": Rate(per_second=0.0001, burst=1)})
    with open_aws(place, writes=False, paces=paces) as aws:
        aws.begin(deadline=timedelta(minutes=5))
        api = aws.client("autoscaling")
        api.describe_policies()
        with pytest.raises(DeadlineError):
            api.describe_policies()
    assert len(aws_url.sent) == 1
