"""How many examples property tests try: `N` lowers all of them (make test-fast), and raises none."""

import os
from typing import Final

SEARCH: Final = bool(os.environ.get("SEARCH"))  # other examples each time, instead of the same ones
MOST: Final = int(os.environ.get("N") or 1_000_000)


def tries(wanted: int) -> int:
    """Return how many examples a test tries that asks for so many."""
    return min(wanted, MOST)
