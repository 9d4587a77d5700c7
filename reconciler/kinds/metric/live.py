"""What was measured."""

from dataclasses import dataclass

from reconciler.kinds.metric.want import Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One measure, over its window up to the time of the observation. Source: cloudwatch:GetMetricData."""

    measure: Measure
    value: float | None  # None: there is no data
    why: str = ""  # why there is none, where CloudWatch said so
