"""Rolling: capacity moves from the old group to the new one in batches, where no weights can move traffic."""

from typing import Final

from reconciler.strategies.wanted import Stage

NAME: Final = "rolling"


def stages(surge: int) -> tuple[Stage, ...]:
    """Return one stage for each batch of `surge` percent; the last may be smaller."""
    return tuple(Stage(weight=min(100, w)) for w in range(surge, 100 + surge, surge))
