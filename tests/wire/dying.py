"""Lives that end after each of their writes, until one has nothing left to do."""

from typing import Final

from reconciler.gateway.allow import ALLOWED
from reconciler.plan.standing import Standing
from tests.lives import Lives
from tests.wire.watch import Watch

READ: Final = ALLOWED["ec2", "DescribeImages"]  # stands for a call of the test's own that is on no list
MOST: Final = 80  # mutating calls of any of these stories


def live_and_die(
    mother: Lives, watch: Watch | None, *, spare: int = 0, ends: Standing = Standing.CONVERGED
) -> int:
    """Kill the product after each of its writes until it ends by itself; return how often.

    `spare` lets so many writes go by between two kills. A write that only repeats the one that the last
    life died of (the same records again, whose change id was lost with it) is let by once: the kill
    comes after the write that remembers it.
    """
    control, last, repeated, told = mother.aws.control, "", 0, list[str]()
    for kills in range(MOST):
        control.clear_faults()
        control.clear_calls()
        fault = control.fault("hang", writes=True, times=1, after=spare + repeated)
        said = mother.live(fault)
        control.clear_faults()
        if watch:
            watch.look()
        if said is not None:
            assert said == ends, said
            return kills
        wrote = [c for c in control.calls() if ALLOWED.get((c["service"], c["operation"]), READ).writes]
        now = f"{wrote[-1]['operation']} {wrote[-1]['params']}"
        repeated, last = int(now == last), now
        told.append(now)
    last_ones = "\n".join(told[-12:])
    raise AssertionError(f"not at its end after {MOST} kills; the last of them:\n{last_ones}")
