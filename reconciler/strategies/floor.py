"""The floor: no revision that may have to carry all traffic is smaller than what serves now."""

from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.core.facts import LEASE
from reconciler.kinds.group.steps import SetSizes, TagGroup
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.register import Step
from reconciler.strategies.slice import Lease, Live
from reconciler.strategies.traffic import settling
from reconciler.strategies.wanted import Wanted

SLACK = timedelta(hours=1)  # beyond the longest way of a rollout, so that a lease ends only when forgotten


def floor(want: Wanted, serving: Live | None) -> int | None:
    """Return the least size, in instances, of every revision in a rollout; None at the first birth.

    It is the larger of the wanted minimum and the live serving size (CONTRACT, Sizes).
    """
    group = serving.up if serving else None
    return None if group is None else max(want.capacity.min, group.sizes.desired)


def lease_for(want: Wanted, serving: Live | None, as_of: datetime) -> Lease | None:
    """Return the lease that a revision is born with."""
    least = floor(want, serving)
    if least is None:
        return None
    until = as_of + want.rollout.ready_within + want.rollout.keep_old + settling(want) + SLACK
    return Lease(least=least, until=until)


def raise_floor(want: Wanted, live: Live, serving: Live | None, as_of: datetime) -> Step | None:
    """Return the write that brings a group up to the floor: the lease first, then its effect."""
    group, lease = live.up, lease_for(want, serving, as_of)
    if group is None or lease is None:
        return None
    held = live.lease
    if held is None or held.least < lease.least or held.until <= as_of:
        return TagGroup(
            name=group.name,
            put=((LEASE, lease.text()),),
            because=f"holds at least {lease.least} instances while revisions change",
        )
    least = max(held.least, lease.least)
    sizes = (group.sizes if group.sizes.max >= least else replace(group.sizes, max=least)).floor(least)
    if sizes == group.sizes:
        return None
    return SetSizes(
        name=group.name, expect=group.sizes, sizes=sizes, because=f"floor of {least} while revisions change"
    )


def without_floor(want: Wanted, have: Sizes, least: int) -> Sizes:
    """Return the sizes of a group once its lease ends: what the floor raised goes back to `capacity`.

    A size that is not at the floor was set by something else since, and stays. The autoscaler's
    desired size is its own.
    """
    capacity = want.capacity

    def own(now: int, wanted: int) -> int:
        return wanted if now == least > wanted else now

    low, high = own(have.min, capacity.min), own(have.max, capacity.max)
    desired = have.desired if want.group.autoscaled else own(have.desired, capacity.desired)
    return Sizes(min=low, max=high, desired=min(max(desired, low), high))
