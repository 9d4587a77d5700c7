"""Recreate: the old revision goes first, for what may never run twice. Nothing serves in between."""

from typing import Final

from reconciler.strategies.wanted import Stage

NAME: Final = "recreate"


def stages() -> tuple[Stage, ...]:
    """Return the stages: all traffic in one."""
    return (Stage(weight=100),)
