"""Git goes back to a revision that served before and is kept: all its traffic at once, and nothing gates it.

What rings now rings for the one that it takes over from. A newer one that is wanted again passes its stages.
"""

from reconciler.core.quick import replace
from reconciler.strategies import blue_green, recreate
from reconciler.strategies.serving import serving_of
from reconciler.strategies.slice import RETURNS, Live, Slice
from reconciler.strategies.wanted import NO_GATES, Wanted


def returning(want: Wanted, s: Slice) -> Wanted:
    """Return how a fleet is rolled now: as git says, or straight back to a revision that was kept."""
    new = s.live(want.revision)
    if new is None or not new.up or want.rollout.strategy == recreate.NAME:
        return want
    under_way = new.stage is not None and new.stage.stages == RETURNS
    if not under_way and not (new.idle and _kept(new, serving_of(want, s))):
        return want
    straight = replace(
        want.rollout,
        strategy=blue_green.NAME,
        stages=blue_green.stages(),
        pause_first=False,
        gates=NO_GATES,
        returns=True,
    )
    return replace(want, rollout=straight)


def _kept(new: Live, serving: Live | None) -> bool:
    """Is one at rest older than what serves."""
    return bool(serving and new.identity.born <= serving.identity.born and serving.revision != new.revision)
