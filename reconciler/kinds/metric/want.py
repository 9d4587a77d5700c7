"""What is to be measured."""

from dataclasses import dataclass
from datetime import timedelta

from reconciler.core.ids import ResourceName


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Measure:
    """One measure of one revision. The names are CloudWatch's dimension values; "" where it has none."""

    name: ResourceName  # of the revision
    metric: str  # target5xxPercent | latencyP99 | unhealthyHosts, or "" for `query`
    query: str  # as written, with its placeholders
    over: timedelta
    balancer: str  # app/<name>/<id> or net/<name>/<id>
    target_group: str  # targetgroup/<name>/<id>
