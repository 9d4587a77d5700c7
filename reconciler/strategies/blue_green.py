"""Blue-green: the whole new revision comes up beside the old one, then takes all traffic at once."""

from typing import Final

from reconciler.strategies.wanted import Stage

NAME: Final = "blue-green"


def stages() -> tuple[Stage, ...]:
    """Return the stages: all traffic in one."""
    return (Stage(weight=100),)
