"""Answers that are given again: what was asked before, of a world that nothing has changed since.

The product looks at all that it has, again and again, and most of it rests. To work an answer out
takes a millisecond or more, to find it none. An answer is given again only where it can't be another one:

- any read: at the same instant, if nothing was written and nothing fell due since;
- a read of `_BY_EVENT`: also later, for no time is in its answer but that of events;
- a read of `_BY_WRITE`: also after events, and after writes to other services.
"""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from emulator.calls import Call
from emulator.errors import Reply
from emulator.region import regions

_READS: Final = ("Describe", "List", "Get")

_BY_EVENT: Final = frozenset(
    {
        ("autoscaling", "DescribeAutoScalingGroups"),
        ("autoscaling", "DescribeLifecycleHooks"),
        ("autoscaling", "DescribePolicies"),
        ("autoscaling", "DescribeScalingActivities"),
        ("autoscaling", "DescribeScheduledActions"),
        ("ec2", "DescribeInstances"),
        ("ec2", "DescribeSubnets"),
        ("elbv2", "DescribeLoadBalancers"),
    }
)
_BY_WRITE: Final = frozenset(
    {
        ("ec2", "DescribeLaunchTemplateVersions"),
        ("ec2", "DescribeLaunchTemplates"),
        ("ec2", "DescribeSecurityGroups"),
        ("elbv2", "DescribeListeners"),
        ("elbv2", "DescribeLoadBalancerAttributes"),
        ("elbv2", "DescribeRules"),
        ("elbv2", "DescribeTags"),
        ("elbv2", "DescribeTargetGroupAttributes"),
        ("elbv2", "DescribeTargetGroups"),
        ("route53", "ListHostedZones"),
        ("route53", "ListResourceRecordSets"),
        ("route53", "ListTagsForResources"),
    }
)
_ALONE: Final = ("route53", "sts")  # nothing of another service rests on these
_MOST: Final = 2000  # answers that are kept


@dataclass(slots=True)
class Answers:
    """What was answered, with the state of the world that it rests on. Used with the server's lock held."""

    _writes: Counter[str] = field(default_factory=Counter)
    _kept: dict[Hashable, tuple[Hashable, Reply]] = field(default_factory=dict)

    def find(self, call: Call, at: datetime) -> Reply | None:
        """Return the answer to a read that is still true. A write makes others untrue."""
        if not call.operation.startswith(_READS):
            self._writes[call.service] += 1
            return None
        state, reply = self._kept.get(_asked(call), (None, None))
        return reply if state == self._state(call, at) else None

    def keep(self, call: Call, at: datetime, reply: Reply) -> None:
        """Keep the answer to a read that succeeded."""
        if reply.status == 200 and call.operation.startswith(_READS):
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[_asked(call)] = (self._state(call, at), reply)

    def forget(self) -> None:
        """Forget all: somebody changed the world by hand."""
        self._kept.clear()

    def _state(self, call: Call, at: datetime) -> Hashable:
        own = self._writes[call.service]
        if (call.service, call.operation) in _BY_WRITE:
            return own
        others = self._writes.total() - sum(self._writes[s] for s in _ALONE)
        state = (own, others, sum(r.passed for r in regions()))
        return state if (call.service, call.operation) in _BY_EVENT else (*state, at)


def _asked(call: Call) -> Hashable:
    return call.service, call.account, call.region, call.method, call.path, call.query, call.body
