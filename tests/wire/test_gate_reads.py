"""What gates rest on, read over the wire: alarms, metrics of a revision's own things, and no more calls than that."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from reconciler.core.facts import Unread
from reconciler.core.ids import ResourceName, TargetName
from reconciler.daemon.observe import look
from reconciler.gateway.session import Aws, Place, open_aws
from reconciler.kinds.alarm import aws as alarms
from reconciler.kinds.metric import aws as metrics
from reconciler.kinds.metric.live import Measured
from reconciler.kinds.metric.want import Measure
from reconciler.kinds.register import Needs, World
from tests.emulated import ACCOUNT, REGION, Emulated
from tests.emulator.scene import BOOT, HEALTHY, Scene, build
from tests.emulator.test_cloudwatch import put_alarm, served
from tests.product import environment

pytestmark = pytest.mark.wire

OVER = timedelta(minutes=5)


@pytest.fixture
def scene(server: Emulated) -> Scene:
    server.control.reset()
    server.control.set_speed(0)
    return build(server)


@pytest.fixture
def product(scene: Scene) -> Iterator[Aws]:
    """A connection that can't write, as plans have it."""
    place = Place(target="prod", account=ACCOUNT, region=REGION)
    with environment({**scene.aws.env(), "AWS_SDK_UA_APP_ID": "plan"}), open_aws(place, writes=False) as aws:
        aws.begin()
        yield aws


def put_over(scene: Scene, name: str, rule: str) -> None:
    scene.aws.client("cloudwatch").put_composite_alarm(AlarmName=name, AlarmRule=rule)


def test_each_alarm_is_read_by_name_a_hundred_a_call_and_the_absent_ones_are_told(
    scene: Scene, product: Aws
) -> None:
    scene.aws.control.knob("alarm", name="alarm-007", state="OK")
    put_alarm(scene, "alarm-119")
    found = alarms.read(product, frozenset(f"alarm-{n:03}" for n in range(120)))
    states = {a.name: a.state for a in found if a.state}
    assert states == {"alarm-007": "OK", "alarm-119": "INSUFFICIENT_DATA"}
    assert len(found) == 120
    assert next(a for a in found if a.state == "OK").since == _millis(scene.aws.control.now())
    assert product.counts == Counter({"cloudwatch:DescribeAlarms": 2})


def test_a_composite_alarm_watches_what_its_parts_watch(scene: Scene, product: Aws) -> None:
    scene.aws.control.knob("alarm", name="leaf", watches="app/web-0000000002/1")
    arn = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:middle"
    put_over(scene, "middle", 'ALARM("leaf") OR OK(gone)')
    put_over(scene, "top", f"NOT ALARM('{arn}') AND ALARM(top)")
    (top,) = alarms.read(product, frozenset({"top"}))
    assert top.watches == ("app/web-0000000002/1",)
    assert top.state == "INSUFFICIENT_DATA"


def test_an_alarm_on_metric_math_watches_its_dimensions_and_expressions(scene: Scene, product: Aws) -> None:
    metric = {
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "RequestCount",
        "Dimensions": [{"Name": "TargetGroup", "Value": "targetgroup/web-0000000002/1"}],
    }
    scene.aws.client("cloudwatch").put_metric_alarm(
        AlarmName="math",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        Threshold=1,
        Metrics=[
            {"Id": "a", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
            {"Id": "b", "Expression": "a / 60"},
        ],
    )
    (math,) = alarms.read(product, frozenset({"math"}))
    assert math.watches == ("a / 60", "targetgroup/web-0000000002/1")


def of(name: str, dimensions: tuple[str, str], metric: str = "", query: str = "") -> Measure:
    return Measure(
        name=ResourceName(name),
        metric=metric,
        query=query,
        over=OVER,
        balancer=dimensions[0],
        target_group=dimensions[1],
    )


def measured(scene: Scene, product: Aws, *asked: Measure) -> dict[tuple[str, str], float | None]:
    found = metrics.read(product, frozenset(asked), scene.aws.control.now())
    return {(m.measure.name, m.measure.metric or m.measure.query): m.value for m in found}


def test_a_revision_is_measured_by_its_own_balancer_and_group(scene: Scene, product: Aws) -> None:
    old, new = served(scene, "old", 90), served(scene, "new", 10)
    scene.aws.control.knob("errors", pattern="new", percent=5)
    scene.aws.control.knob("latency", pattern="new", seconds=1.5)
    scene.wait(BOOT + HEALTHY + OVER)
    scene.aws.control.knob("unhealthy", pattern="new")
    known = ("target5xxPercent", "latencyP99", "unhealthyHosts")
    asked = [of(name, own, m) for name, own in (("old", old), ("new", new)) for m in known]
    assert measured(scene, product, *asked) == {
        ("old", "target5xxPercent"): 0,
        ("old", "latencyP99"): 0.05,
        ("old", "unhealthyHosts"): 0,
        ("new", "target5xxPercent"): 5,
        ("new", "latencyP99"): 1.5,
        ("new", "unhealthyHosts"): 2,
    }
    assert product.counts == Counter({"cloudwatch:GetMetricData": 1})


def test_without_a_request_there_is_no_share_of_errors_and_no_latency(scene: Scene, product: Aws) -> None:
    idle = served(scene, "idle", 0)
    served(scene, "busy", 100)
    scene.wait(BOOT + HEALTHY + OVER)
    asked = [of("idle", idle, m) for m in ("target5xxPercent", "latencyP99", "unhealthyHosts")]
    found = measured(scene, product, *asked)
    assert found == {
        ("idle", "target5xxPercent"): None,
        ("idle", "latencyP99"): None,
        ("idle", "unhealthyHosts"): 0,
    }


def test_more_measures_than_a_call_takes_are_split(scene: Scene, product: Aws) -> None:
    none = ("app/none/1", "targetgroup/none/1")
    asked = [of(f"web-{n}", none, "target5xxPercent") for n in range(251)]
    found = measured(scene, product, *asked)
    assert len(found) == 251
    assert set(found.values()) == {None}
    assert product.counts == Counter({"cloudwatch:GetMetricData": 2})


def put_errors(scene: Scene, group: str, value: float) -> None:
    datum = {"MetricName": "Errors", "Dimensions": [{"Name": "Group", "Value": group}], "Value": value}
    scene.aws.client("cloudwatch").put_metric_data(Namespace="App", MetricData=[datum])


def test_a_query_has_the_revision_s_own_names_and_a_mistake_in_it_is_its_own(
    scene: Scene, product: Aws
) -> None:
    own = ("app/web-2/1", "targetgroup/web-2/1")
    put_errors(scene, "web-1", 9)
    put_errors(scene, "web-2", 4)
    scene.wait(timedelta(minutes=1))
    good, bad = "SELECT MAX(Errors) FROM App WHERE Group = '{group}'", "SELECT {balancer} {targetGroup}"
    asked = frozenset(
        {of("web-2", own, query=good), of("web-2", own, query=bad), of("web-2", own, "latencyP99")}
    )
    found = {m.measure.query: m for m in metrics.read(product, asked, scene.aws.control.now())}
    assert found[good].value == 4
    assert found[bad].value is None
    assert found[bad].why.startswith("GetMetricData: Validation")
    assert "SELECT app/web-2/1 targetgroup/web-2/1" in found[bad].why
    assert (found[""].value, found[""].why) == (None, "")


def test_what_cloudwatch_could_not_give_in_full_is_no_value() -> None:
    pages = [
        {"Id": "requests0", "Values": [600.0], "StatusCode": "PartialData"},
        {"Id": "errors0", "Values": [6.0], "StatusCode": "Complete"},
        {"Id": "requests0", "Values": [600.0], "StatusCode": "Complete"},
        {"Id": "value1", "Values": [], "StatusCode": "InternalError", "Messages": [{"Value": "try again"}]},
    ]
    series = metrics.to_series(pages)
    errors, slow = (of("web", ("app/web/1", "t"), m) for m in ("target5xxPercent", "latencyP99"))
    assert metrics.to_measured(errors, 0, series) == Measured(measure=errors, value=0.5)
    lost = metrics.to_measured(slow, 1, series)
    assert (lost.value, lost.why) == (None, "CloudWatch says InternalError: try again")


def test_a_network_balancer_is_measured_in_its_own_namespace() -> None:
    (query,) = metrics.queries_of(of("web", ("net/web/1", "targetgroup/web/1"), "unhealthyHosts"), 0)
    stat: dict[str, Any] = query["MetricStat"]
    assert (stat["Metric"]["Namespace"], stat["Stat"]) == ("AWS/NetworkELB", "Maximum")


@pytest.mark.parametrize(
    ("operation", "lost", "query"),
    [
        ("DescribeAlarms", "alarms", ""),
        ("GetMetricData", "metrics", ""),
        ("GetMetricData", "metrics", "SELECT {group}"),
    ],
    ids=["alarms", "metrics", "a query"],
)
def test_what_may_not_be_read_is_unread_and_the_rest_is_there(
    scene: Scene, product: Aws, operation: str, lost: str, query: str
) -> None:
    fault = {"code": "AccessDenied", "message": "no", "status": 403, "times": None}
    scene.aws.control.fault("error", service="cloudwatch", operation=operation, **fault)
    asked = Needs(
        alarms=frozenset({"web-5xx"}),
        metrics=frozenset(
            {of("web", ("app/web/1", "targetgroup/web/1"), query=query, metric="" if query else "latencyP99")}
        ),
    )
    world = look(product, World(target=TargetName("prod"), as_of=scene.aws.control.now()), asked)
    read = {"alarms": world.alarms, "metrics": world.metrics}
    assert read.pop(lost) == Unread(what=lost, why=f"{operation}: AccessDenied: no")
    (other,) = read.values()
    assert isinstance(other, tuple)
    assert len(other) == 1


def _millis(at: datetime) -> datetime:
    """CloudWatch tells times to the millisecond."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
