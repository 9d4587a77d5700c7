"""What was observed of launches that failed."""

from dataclasses import dataclass
from datetime import datetime

from reconciler.core.ids import ResourceName


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchFailure:
    """Why launches of a group fail, since the last one that did not.

    Source: autoscaling:DescribeScalingActivities.
    """

    group: ResourceName
    code: str  # capacity | quota | profile | image | ..., see `words`
    why: str  # the first sentence of AWS's own words, bounded
    since: datetime  # the first failure of this code
    final: bool  # waiting does not mend it: somebody has to act
