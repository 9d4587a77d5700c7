"""Metrics on CloudWatch: read only. Values of one window, in as few calls as CloudWatch takes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from reconciler.gateway.errors import Failure, classify, say
from reconciler.gateway.session import Aws
from reconciler.kinds.metric.live import Measured
from reconciler.kinds.metric.want import Measure

QUERIES: Final = 500  # of one call
MINUTE: Final = 60  # seconds; the finest that load balancers are measured in

IDS: Final = ("errors", "requests")
"""Each known measure needs at most so many series."""

Query = dict[str, Any]


def read(aws: Aws, measures: frozenset[Measure], end: datetime) -> tuple[Measured, ...]:
    """Return each measure over its window before `end`.

    Known measures share calls. A query that a person wrote has a call of its own, since a call takes one
    Metrics Insights query and a mistake in it fails the whole call. Source: cloudwatch:GetMetricData.
    """
    known = sorted(m for m in measures if not m.query)
    written = sorted(m for m in measures if m.query)
    by_window: dict[timedelta, list[Measure]] = {}
    for measure in known:
        by_window.setdefault(measure.over, []).append(measure)
    size = QUERIES // len(IDS)
    batches = [ms[n : n + size] for ms in by_window.values() for n in range(0, len(ms), size)]
    found = [one for ms in aws.each(lambda ms: _known(aws, ms, end), batches) for one in ms]
    found += aws.each(lambda m: _written(aws, m, end), written)
    return tuple(sorted(found, key=lambda f: f.measure))


def _known(aws: Aws, measures: Sequence[Measure], end: datetime) -> list[Measured]:
    queries = [q for n, m in enumerate(measures) for q in queries_of(m, n)]
    series = _series(aws, queries, measures[0].over, end)
    return [to_measured(m, n, series) for n, m in enumerate(measures)]


def queries_of(measure: Measure, n: int) -> list[Query]:
    """Return the queries of a known measure. `n` makes their ids its own within one call."""
    match measure.metric:
        case "target5xxPercent":
            return [
                _stat(f"errors{n}", measure, "HTTPCode_Target_5XX_Count", "Sum", MINUTE),
                _stat(f"requests{n}", measure, "RequestCount", "Sum", MINUTE),
            ]
        case "latencyP99":
            # percentiles of minutes can't be added up: one period, as long as the window
            return [_stat(f"value{n}", measure, "TargetResponseTime", "p99", _seconds(measure.over))]
        case _:
            return [_stat(f"value{n}", measure, "UnHealthyHostCount", "Maximum", MINUTE)]


def _stat(query: str, measure: Measure, metric: str, stat: str, period: int) -> Query:
    network = measure.balancer.startswith("net/")
    dimensions = {"LoadBalancer": measure.balancer, "TargetGroup": measure.target_group}
    return {
        "Id": query,
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/NetworkELB" if network else "AWS/ApplicationELB",
                "MetricName": metric,
                "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
            },
            "Period": period,
            "Stat": stat,
        },
    }


def to_measured(measure: Measure, n: int, series: dict[str, "Series"]) -> Measured:
    """Return what the series of a known measure say. Without a request there is no share of errors."""
    mine = [series[i] for i in (f"errors{n}", f"requests{n}", f"value{n}") if i in series]
    if why := next((s.why for s in mine if s.why), ""):
        return Measured(measure=measure, value=None, why=why)
    if measure.metric != "target5xxPercent":
        return Measured(measure=measure, value=max(mine[0].values, default=None) if mine else None)
    errors, requests = (sum(series[f"{i}{n}"].values) if f"{i}{n}" in series else 0.0 for i in IDS)
    return Measured(measure=measure, value=100 * errors / requests if requests else None)


def _written(aws: Aws, measure: Measure, end: datetime) -> Measured:
    """The largest value that a query gives in the window: it may give several series."""
    query = {"Id": "value", "Expression": expression(measure), "Period": _seconds(measure.over)}
    try:
        series = _series(aws, [query], measure.over, end)
    except ClientError as error:
        if classify(error) is not Failure.INVALID:
            raise
        return Measured(measure=measure, value=None, why=say(error))
    if why := next((s.why for s in series.values() if s.why), ""):
        return Measured(measure=measure, value=None, why=why)
    return Measured(measure=measure, value=max((v for s in series.values() for v in s.values), default=None))


def expression(measure: Measure) -> str:
    """Return a query with the revision's own names in it."""
    names = {
        "{balancer}": measure.balancer,
        "{targetGroup}": measure.target_group,
        "{group}": measure.name,
    }
    text = measure.query
    for placeholder, name in names.items():
        text = text.replace(placeholder, name)
    return text


@dataclass(slots=True)
class Series:
    """The values of one query in the window, and what kept CloudWatch from giving all of them."""

    values: list[float] = field(default_factory=list)
    why: str = ""


def _series(aws: Aws, queries: list[Query], over: timedelta, end: datetime) -> dict[str, Series]:
    paginator = aws.client("cloudwatch").get_paginator("get_metric_data")
    start = end - over
    pages = paginator.paginate(MetricDataQueries=queries, StartTime=start, EndTime=end)
    return to_series(raw for page in pages for raw in page["MetricDataResults"])


def to_series(raws: Iterable[dict[str, Any]]) -> dict[str, Series]:
    """Return the values by id. The pages of one query are one series; the last one says how it ended."""
    found: dict[str, Series] = {}
    for raw in raws:
        series = found.setdefault(raw["Id"], Series())
        series.values += raw.get("Values", ())
        status = raw.get("StatusCode", "Complete")
        said = "; ".join(m.get("Value", "") for m in raw.get("Messages", ()))
        series.why = "" if status == "Complete" else f"CloudWatch says {status}{f': {said}' if said else ''}"
    return found


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())
