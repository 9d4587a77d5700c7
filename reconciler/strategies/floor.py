"""The floor: no revision that may have to carry all traffic is smaller than what serves now."""

from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.core.facts import LEASE
from reconciler.kinds.group.steps import SetSizes, TagGroup
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.register import Step
from reconciler.strategies.slice import NOTHING, Lease, Live
from reconciler.strategies.traffic import settling
from reconciler.strategies.wanted import Wanted

SLACK = timedelta(hours=1)  # beyond the longest way of a rollout, so that a lease ends only when forgotten


def floor(want: Wanted, serving: Live | None) -> int | None:
    """Return the least size, in instances, of every revision in a rollout; None at the first birth.

    It is the larger of the wanted minimum and the live serving size (CONTRACT, Sizes). Where the
    strategy itself takes capacity from the serving one, its lease remembers what that size was.
    """
    group = serving.up if serving else None
    if serving is None or group is None:
        return None
    held = serving.lease.least if want.rollout.moves_capacity and serving.lease else 0
    return max(want.capacity.min, group.sizes.desired, held)


def lease_for(want: Wanted, serving: Live | None, as_of: datetime) -> Lease | None:
    """Return the lease that a revision is born with."""
    least = floor(want, serving)
    return None if least is None else _lease(want, least, as_of)


def _lease(want: Wanted, least: int, as_of: datetime) -> Lease:
    rollout = want.rollout
    holds = sum((x.hold + settling(want) for x in rollout.stages), timedelta())
    ready = rollout.ready_within * (len(rollout.stages) if rollout.moves_capacity else 1)
    return Lease(least=least, until=as_of + ready + holds + rollout.keep_old + SLACK)


def lease_write(
    want: Wanted, live: Live, serving: Live | None, as_of: datetime, drop: tuple[str, ...] = ()
) -> TagGroup | None:
    """Return the write of the lease that a group has to have; None: it has it."""
    least, held = floor(want, serving), live.lease
    if least is None or (held and held.least >= least and held.until > as_of):
        return None
    return TagGroup(
        name=live.name,
        put=((LEASE, _lease(want, least, as_of).text()),),
        drop=drop,
        because=f"holds at least {least} instances while revisions change",
    )


def raise_floor(want: Wanted, live: Live, serving: Live | None, as_of: datetime) -> Step | None:
    """Return the write that brings a group up to the floor: the lease first, then its effect."""
    group, least = live.up, floor(want, serving)
    if group is None or least is None:
        return None
    if write := lease_write(want, live, serving, as_of):
        return write
    least = max(live.lease.least if live.lease else 0, least)
    have = want.capacity if group.sizes == NOTHING else group.sizes  # it was at rest, or had to go first
    sizes = (have if have.max >= least else replace(have, max=least)).floor(least)
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
