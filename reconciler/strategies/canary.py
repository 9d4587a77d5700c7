"""Canary: a share of traffic first, then more of it, each held for a while or until somebody says go on."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from reconciler.strategies.wanted import Stage

NAME: Final = "canary"


def stages(steps: Iterable[Stage | None]) -> tuple[bool, tuple[Stage, ...]]:
    """Return whether it pauses before any traffic, and the stages of these steps; None is a pause.

    All traffic is the last stage, whether it is named or not. A pause belongs to the stage before it.
    """
    first, found = False, list[Stage]()
    for step in steps:
        if step is not None:
            found.append(step)
        elif found:
            found[-1] = replace(found[-1], pause=True)
        else:
            first = True
    if not found or found[-1].weight < 100:
        found.append(Stage(weight=100))
    return first, tuple(found)
