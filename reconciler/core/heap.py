"""The garbage collector, told what to expect."""

import atexit
import gc

NEW = 50_000  # containers that come to be between two looks; Python's own number is 700


def expect_many() -> None:
    """Let the collector look for cycles less often: commits and replies become many objects that stay.

    With Python's own numbers it would take a third of a pass over 500 fleets, for finding none; and at the
    end of the process it would look through all of them once more.
    """
    gc.set_threshold(NEW, 10, 10)
    atexit.register(gc.freeze)
