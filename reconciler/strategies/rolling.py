"""Rolling: capacity moves from the old group to the new one in batches, where no weights can move traffic."""

from dataclasses import replace
from math import ceil
from typing import Final

from reconciler.kinds.group.steps import SetSizes
from reconciler.strategies.floor import floor
from reconciler.strategies.slice import Live
from reconciler.strategies.wanted import Stage, Wanted

NAME: Final = "rolling"


def stages(surge: int) -> tuple[Stage, ...]:
    """Return one stage for each batch of `surge` percent; the last may be smaller."""
    return tuple(Stage(weight=min(100, w)) for w in range(surge, 100 + surge, surge))


def batch(want: Wanted, serving: Live, n: int) -> int:
    """Return how many instances the new group has once stage n, from 1 on, is moved."""
    return ceil(want.rollout.stages[n - 1].weight * (floor(want, serving) or 0) / 100)


def grow(want: Wanted, new: Live, serving: Live, n: int) -> SetSizes | None:
    """Return the write that launches a batch beside what serves; None: it was launched."""
    group, least = new.up, batch(want, serving, n)
    if group is None or (group.sizes.min >= least and group.sizes.desired >= least):
        return None
    room = max(group.sizes.max, floor(want, serving) or 0)
    sizes = replace(group.sizes, max=room).floor(least)
    because = f"batch {n} of {len(want.rollout.stages)}"
    return SetSizes(name=group.name, expect=group.sizes, sizes=sizes, because=because)


def shrink(want: Wanted, serving: Live, n: int) -> SetSizes | None:
    """Return the write that takes from the serving group what the new one carries by now."""
    group, left = serving.up, (floor(want, serving) or 0) - batch(want, serving, n)
    if group is None or group.sizes.desired <= left:
        return None
    sizes = replace(group.sizes, min=min(group.sizes.min, left), desired=left)
    because = f"batch {n} of {len(want.rollout.stages)} has taken over"
    return SetSizes(name=group.name, expect=group.sizes, sizes=sizes, because=because)
