"""CloudWatch: alarms as AWS describes them, and metrics of the emulated load.

Alarms are not evaluated: SetAlarmState and the knob `alarm` say their states. Custom metrics are moto's.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from moto.cloudwatch.exceptions import ResourceNotFound, ValidationError
from moto.cloudwatch.models import cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.elbv2.responses import ELBV2Response
from moto.route53.responses import Route53

from emulator import clock, load
from emulator.knobs import knob
from emulator.patch import operations, patch
from emulator.region import Body, region_of
from emulator.wire import Refused, page

ACCOUNT: Final = "123456789012"
STATES: Final = ("OK", "ALARM", "INSUFFICIENT_DATA")
PAGE, LARGEST_PAGE, NAMES = 50, 100, 100  # of DescribeAlarms
QUERIES: Final = 500  # of GetMetricData
BALANCING: Final = ("AWS/ApplicationELB", "AWS/NetworkELB")

_KEEP: Final = "emulated"  # on moto's backend, so that its reset empties ours
_SELECT: Final = re.compile(
    r"""\s*SELECT\s+(\w+)\((\w+)\)\s+FROM\s+"?([\w/]+)"?(?:\s+WHERE\s+(.+))?\s*""",
    re.IGNORECASE,
)
_EQUAL: Final = re.compile(r"""\s*(\w+)\s*=\s*'([^']*)'\s*""")
_MIXED: Final[dict[str, Callable[[list[float]], float]]] = {
    "Sum": sum,
    "Maximum": max,
    "Minimum": min,
    "Average": lambda values: sum(values) / len(values),
}
_SAID: Final = {"SUM": "Sum", "MAX": "Maximum", "MIN": "Minimum", "AVG": "Average"}

_SHIFTING: Final = (
    *("create_listener", "modify_listener", "delete_listener", "delete_load_balancer"),
    *("create_rule", "modify_rule", "delete_rule"),
)
"""Operations of balancers after which traffic may go elsewhere."""


@knob("alarm")
def alarm(
    name: str, state: str = "ALARM", region: str = "eu-west-1", account: str = ACCOUNT, watches: str = ""
) -> None:
    """Put an alarm into a state, and make it if need be: {name, state, region, account, watches}."""
    if state not in STATES:
        raise ValueError(f"{state} is none of {', '.join(STATES)}")
    kept = _alarms(account, region)
    if name not in kept:
        dimensions = [{"Name": "LoadBalancer", "Value": watches}] if watches else []
        kept[name] = _made(account, region, {"AlarmName": name, "Dimensions": dimensions})
    _enter(kept[name], state, "a knob was turned")


def _alarms(account: str, region: str) -> dict[str, Body]:
    backend: Any = cloudwatch_backends[account][region]
    if not hasattr(backend, _KEEP):
        setattr(backend, _KEEP, {})
    found: dict[str, Body] = getattr(backend, _KEEP)
    return found


def _made(account: str, region: str, params: Body) -> Body:
    now = clock.now()
    return {
        "ActionsEnabled": True,
        **{k: v for k, v in params.items() if k != "Tags"},
        "AlarmArn": f"arn:aws:cloudwatch:{region}:{account}:alarm:{params['AlarmName']}",
        "AlarmConfigurationUpdatedTimestamp": now,
        "StateValue": "INSUFFICIENT_DATA",
        "StateReason": "Unchecked: Initial alarm creation",
        "StateUpdatedTimestamp": now,
        "StateTransitionedTimestamp": now,
    }


def _enter(one: Body, state: str, reason: str) -> None:
    now = clock.now()
    if one["StateValue"] != state:
        one["StateTransitionedTimestamp"] = now
    one.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=now)


def _of(response: Any) -> dict[str, Body]:
    return _alarms(response.current_account, response.region)


class Alarms:
    """Operations on alarms."""

    def put_metric_alarm(self: Any) -> ActionResult:
        """Make or change a metric alarm."""
        params = self._get_params()
        _of(self)[params["AlarmName"]] = _made(self.current_account, self.region, params)
        return EmptyResult()

    def put_composite_alarm(self: Any) -> ActionResult:
        """Make or change an alarm over other alarms."""
        params = self._get_params()
        _of(self)[params["AlarmName"]] = _made(self.current_account, self.region, params)
        return EmptyResult()

    def set_alarm_state(self: Any) -> ActionResult:
        """Put an alarm into a state."""
        params = self._get_params()
        if params["AlarmName"] not in _of(self):
            raise ResourceNotFound
        _enter(_of(self)[params["AlarmName"]], params["StateValue"], params["StateReason"])
        return EmptyResult()

    def delete_alarms(self: Any) -> ActionResult:
        """Delete alarms; one that is not there is no error."""
        for name in self._get_params()["AlarmNames"]:
            _of(self).pop(name, None)
        return EmptyResult()

    def describe_alarms(self: Any) -> ActionResult:
        """Return a page of alarms: metric alarms alone where no types are named."""
        params = self._get_params()
        names, size = params.get("AlarmNames"), params.get("MaxRecords", PAGE)
        if names and len(names) > NAMES:
            raise ValidationError(f"AlarmNames has {len(names)} members; at most {NAMES} are taken")
        if not 1 <= size <= LARGEST_PAGE:
            raise ValidationError(f"MaxRecords is {size}; it is 1 to {LARGEST_PAGE}")
        prefix, state = params.get("AlarmNamePrefix", ""), params.get("StateValue")
        types = params.get("AlarmTypes") or ["MetricAlarm"]
        chosen = [
            (name, one)
            for name, one in _of(self).items()
            if (not names or name in names)
            and name.startswith(prefix)
            and state in (None, one["StateValue"])
            and _type(one) in types
        ]
        bad = Refused("InvalidNextToken", "The next token specified is invalid.")
        found, token = page(chosen, params.get("NextToken"), size, bad=bad)
        of_type = {kind: [a for a in found if _type(a) == kind] for kind in ("MetricAlarm", "CompositeAlarm")}
        return ActionResult({f"{kind}s": alarms for kind, alarms in of_type.items()} | {"NextToken": token})

    def get_metric_data(self: Any) -> ActionResult:
        """Return metrics, each binned by its period from the start on, newest first."""
        params = self._get_params()
        start, end, queries = (
            _time(params["StartTime"]),
            _time(params["EndTime"]),
            params["MetricDataQueries"],
        )
        if start >= end:
            raise ValidationError("The parameter StartTime must be less than the parameter EndTime.")
        if len(queries) > QUERIES:
            raise ValidationError(f"The collection MetricDataQueries must not have a size over {QUERIES}.")
        start = start.replace(second=0, microsecond=0)
        results = [_result(self, q, start, end) for q in queries]
        return ActionResult({"MetricDataResults": results, "Messages": []})


def _type(one: Body) -> str:
    return "CompositeAlarm" if "AlarmRule" in one else "MetricAlarm"


def _time(value: Any) -> datetime:
    read = datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else value
    found: datetime = read if read.tzinfo else read.replace(tzinfo=UTC)
    return found


def _result(response: Any, query: Body, start: datetime, end: datetime) -> Body:
    if "MetricStat" in query:
        stat = query["MetricStat"]
        metric, period, mix = stat["Metric"], stat["Period"], stat["Stat"]
        dimensions = {d["Name"]: d["Value"] for d in metric.get("Dimensions", [])}
        name, namespace = metric["MetricName"], metric["Namespace"]
    else:
        namespace, name, dimensions, mix = _selected(query.get("Expression", ""))
        period = query.get("Period", 0)
    if period % 60 or not period:
        raise ValidationError(f"The parameter Period of {query['Id']} must be a multiple of 60.")
    points: Iterable[load.Point]
    if namespace in BALANCING:
        region = region_of(response.current_account, response.region)
        region.at = clock.now()
        points = load.measured(region, name, dimensions, start, end)
    else:
        points = _custom(response, namespace, name, dimensions, start, end)
    bins: dict[datetime, list[float]] = defaultdict(list)
    for at, value in points:
        bins[start + (at - start) // timedelta(seconds=period) * timedelta(seconds=period)].append(value)
    combine = _MIXED.get(mix, max)  # a percentile of equal minutes is their largest
    found = sorted(((at, combine(values)) for at, values in bins.items()), reverse=True)
    return {
        "Id": query["Id"],
        "Label": query.get("Label", name),
        "Timestamps": [at for at, _ in found],
        "Values": [float(value) for _, value in found],
        "StatusCode": "Complete",
    }


def _selected(expression: str) -> tuple[str, str, dict[str, str], str]:
    """Read the one form of Metrics Insights that is served: SELECT F(Metric) FROM Namespace WHERE K = 'V'."""
    found = _SELECT.fullmatch(expression)
    if found is None or found[1].upper() not in _SAID:
        raise ValidationError(f"Error in expression '{expression}': it is not understood")
    said = (_EQUAL.fullmatch(part) for part in re.split(r"\s+AND\s+", found[4] or "") if part)
    pairs = {m[1]: m[2] for m in said if m}
    return found[3], found[2], pairs, _SAID[found[1].upper()]


def _custom(
    response: Any, namespace: str, name: str, dimensions: dict[str, str], start: datetime, end: datetime
) -> Iterable[load.Point]:
    for one in response.cloudwatch_backend.metric_data:
        at = _time(one.timestamp)
        mine = dimensions.items() <= {d.name: d.value for d in one.dimensions}.items()
        if (one.namespace, one.name) == (namespace, name) and mine and start <= at < end:
            yield at, float(one.value)


def _noting(owner: type, name: str) -> Callable[[Any], Any]:
    original = getattr(owner, name)

    def method(self: Any) -> Any:
        answer = original(self)
        load.note()
        return answer

    return method


def install() -> None:
    """Take the place of moto's alarms and metric data, and watch where traffic goes."""
    patch(CloudWatchResponse, **operations(Alarms))
    patch(ELBV2Response, **{name: _noting(ELBV2Response, name) for name in _SHIFTING})
    patch(Route53, change_resource_record_sets=_noting(Route53, "change_resource_record_sets"))


def tick(now: datetime) -> None:
    """Nothing: what balancers measured is worked out when it is asked for."""


def reset() -> None:
    """Forget the load."""
    load.reset()
