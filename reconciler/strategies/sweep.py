"""The sweeper: ends a floor whose lease has expired, where nobody else does."""

from typing import Final

from reconciler.core.facts import LEASE
from reconciler.kinds.group.steps import SetSizes, TagGroup
from reconciler.kinds.register import Blocked, Move, Step
from reconciler.strategies.floor import without_floor
from reconciler.strategies.slice import Slice
from reconciler.strategies.wanted import Wanted

IN_FLIGHT: Final = ("pause", "suspended")
"""Codes of what stands still with a rollout under way, or is not to be written: its floor stays."""


def sweeps(move: Move) -> bool:
    """Is this the answer of a fleet that nobody moves: it has come to rest, failed, is held or blocked."""
    return move is None or (isinstance(move, Blocked) and move.code not in IN_FLIGHT)


def expired(want: Wanted | None, s: Slice) -> Step | None:
    """Return the write that ends the next expired lease of a fleet: first the sizes, then the tag.

    It runs where the machine has no step to do and waits for nothing (`sweeps`): a rollout in flight
    writes its lease anew before it uses it (`floor.raise_floor`), and ends it at its end. Not under
    suspension: nothing is written then, and `status` tells of the floor that stays.

    A fleet that git no longer has goes to size 0 by itself, so without `want` only the tag goes.
    """
    for live in s.revisions:
        group, lease = live.up, live.lease
        if group is None or lease is None or s.as_of < lease.until:
            continue
        because = f"its floor of {lease.least} ended at {lease.until:%Y-%m-%dT%H:%M:%SZ}"
        sizes = without_floor(want, group.sizes, lease.least) if want else group.sizes
        if sizes != group.sizes:
            return SetSizes(name=group.name, expect=group.sizes, sizes=sizes, because=because)
        return TagGroup(name=group.name, drop=(LEASE,), because=because)
    return None
