"""CloudWatch as AWS answers it: alarms with their types and pages, metrics of the load by minute."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.client import ControlError
from tests.emulated import Emulated
from tests.emulator.scene import BOOT, HEALTHY, Scene, build, code, forward

pytestmark = pytest.mark.wire

HOUR = timedelta(hours=1)
MINUTES = [timedelta(minutes=n) for n in range(12)]


@pytest.fixture
def scene(aws: Emulated) -> Scene:
    """It begins with a minute, whenever the test before it ended: metrics come by the minute."""
    now = aws.control.now()
    made = build(aws)
    made.wait(MINUTES[1] - timedelta(seconds=now.second, microseconds=now.microsecond))
    return made


def watch(scene: Scene) -> Any:
    return scene.aws.client("cloudwatch")


def put_alarm(scene: Scene, name: str) -> None:
    watch(scene).put_metric_alarm(
        AlarmName=name,
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        MetricName="Errors",
        Namespace="App",
        Period=60,
        Threshold=1,
        Statistic="Sum",
        Dimensions=[{"Name": "Service", "Value": "checkout"}],
    )


def alarms(scene: Scene, *types: str, **more: Any) -> dict[str, str]:
    asked = {"AlarmTypes": list(types)} if types else {}
    page = watch(scene).describe_alarms(**asked, **more)
    return {
        a["AlarmName"]: a["StateValue"] for kind in ("Metric", "Composite") for a in page[f"{kind}Alarms"]
    }


def test_an_alarm_has_no_data_at_first_and_says_since_when_it_is_in_its_state(scene: Scene) -> None:
    put_alarm(scene, "errors")
    assert alarms(scene) == {"errors": "INSUFFICIENT_DATA"}
    scene.wait(HOUR)
    began = scene.aws.control.now()
    watch(scene).set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a test says so")
    scene.wait(HOUR)
    watch(scene).set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="and again")
    (one,) = watch(scene).describe_alarms(AlarmNames=["errors", "none"])["MetricAlarms"]
    assert (one["StateValue"], one["StateTransitionedTimestamp"]) == ("ALARM", began)
    assert one["StateUpdatedTimestamp"] == began + HOUR


def test_only_metric_alarms_are_told_where_no_type_is_asked_for(scene: Scene) -> None:
    put_alarm(scene, "errors")
    watch(scene).put_composite_alarm(AlarmName="any", AlarmRule='ALARM("errors")')
    assert set(alarms(scene)) == {"errors"}
    assert set(alarms(scene, "MetricAlarm", "CompositeAlarm")) == {"errors", "any"}


def test_alarms_come_in_pages_and_too_many_names_are_refused(scene: Scene) -> None:
    for n in range(7):
        scene.aws.control.knob("alarm", name=f"alarm-{n}", state="OK")
    pages = watch(scene).get_paginator("describe_alarms").paginate(PaginationConfig={"PageSize": 3})
    sizes = [len(p["MetricAlarms"]) for p in pages]
    assert sizes == [3, 3, 1]
    with pytest.raises(ClientError) as refused:
        watch(scene).describe_alarms(AlarmNames=[f"a{n}" for n in range(101)])
    assert code(refused.value) == "ValidationError"


def test_the_knob_makes_an_alarm_and_puts_it_into_a_state(scene: Scene) -> None:
    scene.aws.control.knob("alarm", name="errors", watches="app/web/1")
    assert alarms(scene) == {"errors": "ALARM"}
    scene.aws.control.knob("alarm", name="errors", state="OK")
    (one,) = watch(scene).describe_alarms()["MetricAlarms"]
    assert (one["StateValue"], one["Dimensions"][0]["Value"]) == ("OK", "app/web/1")
    with pytest.raises(ControlError, match="none of OK, ALARM"):
        scene.aws.control.knob("alarm", name="errors", state="RED")


def served(scene: Scene, name: str, weight: int | None = None) -> tuple[str, str]:
    """A balancer with a target group and instances, and a record that leads to it; their dimensions."""
    group = scene.target_group(name)
    balancer = scene.balancer(name)
    scene.listener(balancer, group)
    scene.create(name, TargetGroupARNs=[group])
    if weight is not None:
        record(scene, name, balancer, weight)
    return balancer.partition(":loadbalancer/")[2], group.rpartition(":")[2]


def record(scene: Scene, name: str, balancer: str, weight: int) -> None:
    route53 = scene.aws.client("route53")
    zones = route53.list_hosted_zones()["HostedZones"]
    if not zones:
        zones = [route53.create_hosted_zone(Name="example.com", CallerReference="one")["HostedZone"]]
    (live,) = scene.elb.describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"]
    alias = {
        "DNSName": live["DNSName"],
        "HostedZoneId": live["CanonicalHostedZoneId"],
        "EvaluateTargetHealth": True,
    }
    made = {"Name": "web.example.com.", "Type": "A", "SetIdentifier": name, "Weight": weight}
    change = {"Action": "UPSERT", "ResourceRecordSet": {**made, "AliasTarget": alias}}
    route53.change_resource_record_sets(HostedZoneId=zones[0]["Id"], ChangeBatch={"Changes": [change]})


def metric(
    scene: Scene, of: tuple[str, str], name: str, *, stat: str = "Sum", over: int = 5, period: int = 60
) -> list[float]:
    dimensions = dict(zip(("LoadBalancer", "TargetGroup"), of, strict=True))
    asked = {
        "Namespace": "AWS/ApplicationELB",
        "MetricName": name,
        "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
    }
    return values(scene, {"MetricStat": {"Metric": asked, "Period": period, "Stat": stat}}, over)


def values(scene: Scene, query: dict[str, Any], over: int = 5) -> list[float]:
    end = scene.aws.control.now()
    (result,) = watch(scene).get_metric_data(
        MetricDataQueries=[{"Id": "one", **query}], StartTime=end - MINUTES[over], EndTime=end
    )["MetricDataResults"]
    assert len(result["Timestamps"]) == len(result["Values"])
    return list(result["Values"])


def test_requests_go_where_the_weights_send_them_and_a_minute_is_shown_late(scene: Scene) -> None:
    old, new = served(scene, "old", 90), served(scene, "new", 10)
    assert metric(scene, new, "RequestCount") == []
    scene.wait(5 * MINUTES[1])
    assert metric(scene, new, "RequestCount") == [60.0] * 4
    assert metric(scene, old, "RequestCount") == [540.0] * 4
    assert metric(scene, new, "RequestCount", period=300) == [240.0]
    assert metric(scene, new, "HTTPCode_Target_5XX_Count") == []


def test_who_gets_no_request_has_no_data_and_shifts_count_from_when_they_were_made(scene: Scene) -> None:
    new, old = served(scene, "new", 0), served(scene, "old", 100)
    scene.wait(4 * MINUTES[1])
    assert metric(scene, new, "RequestCount") == metric(scene, new, "TargetResponseTime", stat="p99") == []
    (balancer,) = scene.elb.describe_load_balancers(Names=["new"])["LoadBalancers"]
    record(scene, "new", balancer["LoadBalancerArn"], 100)
    scene.wait(3 * MINUTES[1])
    assert metric(scene, new, "RequestCount") == [300.0, 300.0]
    assert metric(scene, old, "RequestCount", over=8)[-1] == 600.0


def test_a_rule_shares_its_requests_out_by_its_weights(scene: Scene) -> None:
    one, two = scene.target_group("one"), scene.target_group("two")
    balancer = scene.balancer("shared")
    listener = scene.listener(balancer, one)
    rule = scene.rule(listener, 1, one, two)
    scene.elb.modify_rule(RuleArn=rule, Actions=[*forward(one, two, weight=1)])
    scene.wait(3 * MINUTES[1])
    shared = balancer.partition(":loadbalancer/")[2]
    assert metric(scene, (shared, two.rpartition(":")[2]), "RequestCount") == [300.0, 300.0]


def test_knobs_make_targets_err_and_late_for_a_while(scene: Scene) -> None:
    web = served(scene, "web", 1)
    scene.wait(2 * MINUTES[1])
    scene.aws.control.knob("errors", pattern="web*", percent=5)
    scene.aws.control.knob("latency", pattern="web*", seconds=2)
    scene.wait(2 * MINUTES[1])
    scene.aws.control.knob("errors", pattern="web*", on=False)
    scene.wait(3 * MINUTES[1])
    assert metric(scene, web, "HTTPCode_Target_5XX_Count", over=8) == [30.0, 30.0]
    assert metric(scene, web, "TargetResponseTime", stat="p99", period=300) == [2.0]


def test_unhealthy_hosts_are_counted_with_and_without_traffic(scene: Scene) -> None:
    web = served(scene, "web")
    scene.wait(BOOT + HEALTHY + 3 * MINUTES[1])
    assert set(metric(scene, web, "UnHealthyHostCount", stat="Maximum")) == {0.0}
    scene.aws.control.knob("unhealthy", pattern="web*")
    assert set(metric(scene, web, "UnHealthyHostCount", stat="Maximum")) == {2.0}


def test_metrics_of_one_s_own_are_selected_and_what_is_not_understood_is_refused(scene: Scene) -> None:
    for group, value in (("web-1", 3.0), ("web-2", 9.0)):
        datum = {"MetricName": "Errors", "Dimensions": [{"Name": "Group", "Value": group}], "Value": value}
        watch(scene).put_metric_data(Namespace="App", MetricData=[datum])
    scene.wait(MINUTES[1])
    query = {"Expression": "SELECT MAX(Errors) FROM App WHERE Group = 'web-1'", "Period": 300}
    assert values(scene, query) == [3.0]
    assert values(scene, {**query, "Expression": "SELECT SUM(Errors) FROM App"}) == [12.0]
    with pytest.raises(ClientError) as refused:
        values(scene, {**query, "Expression": "errors / nothing"})
    assert code(refused.value) == "ValidationError"


def test_a_window_that_ends_before_it_starts_is_refused(scene: Scene) -> None:
    end = scene.aws.control.now()
    query = {"Id": "one", "Expression": "SELECT SUM(Errors) FROM App", "Period": 60}
    with pytest.raises(ClientError) as refused:
        watch(scene).get_metric_data(MetricDataQueries=[query], StartTime=end, EndTime=end - HOUR)
    assert code(refused.value) == "ValidationError"


def test_a_hand_gives_balancers_an_address_where_something_answers(scene: Scene) -> None:
    scene.aws.control.knob("address", pattern="web*", address="127.0.0.1")
    for name in ("web", "other"):
        scene.balancer(name)
    found = {
        b["LoadBalancerName"]: b["DNSName"] for b in scene.elb.describe_load_balancers()["LoadBalancers"]
    }
    assert found["web"] == "127.0.0.1"
    assert found["other"].endswith(".elb.amazonaws.com")
