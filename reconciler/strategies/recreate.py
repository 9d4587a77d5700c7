"""Recreate: the old revision goes first, for what may never run twice. Nothing serves in between."""

from typing import Final

from reconciler.core.facts import APPLIED
from reconciler.kinds.register import Move, Wait
from reconciler.strategies import retire
from reconciler.strategies.floor import lease_write
from reconciler.strategies.slice import Live, Slice
from reconciler.strategies.wanted import Stage, Wanted

NAME: Final = "recreate"


def stages() -> tuple[Stage, ...]:
    """Return the stages: all traffic in one."""
    return (Stage(weight=100),)


def stop(want: Wanted, s: Slice, serving: Live | None) -> Move:
    """Return the next move until nothing but the wanted revision runs; None: nothing does.

    The lease of the serving one remembers the size that it returns to, should the new one fail.
    """
    others = [r for r in s.revisions if r.revision != want.revision]
    balancer = next((r.balancer for r in s.revisions if r.revision == want.revision), None)
    if serving and balancer and balancer.state == "provisioning":
        return Wait(why=f"balancer {want.name} is provisioning, before {serving.name} goes")
    if serving and serving.up and (write := lease_write(want, serving, serving, s.as_of, drop=(APPLIED,))):
        return write
    because = f"{want.name} may not run beside it"
    running = (r.up for r in others if r.up)
    empties = next((move for group in running if (move := retire.emptied(group, because))), None)
    return empties or next((wait for r in others if (wait := retire.unseen(s, r))), None)
