"""Whose turn it is to be looked at in full: what costs a call for each thing is spread over time. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, field
from math import ceil


@dataclass(slots=True, kw_only=True)
class Audit:
    """The turns of one target's fleets: all within `every`, about as many in each pass."""

    every: float  # seconds
    interval: float  # seconds between two passes
    _last: dict[str, float] = field(default_factory=dict)
    _at: float | None = None
    _credit: float = 0.0  # looks that time has paid for

    def due(self, names: Collection[str], now: float) -> frozenset[str]:
        """Return whose turn it is: the longest unseen first, no faster than time allows."""
        share = max(1, ceil(len(names) * self.interval / self.every))
        passed = self.interval if self._at is None else now - self._at
        self._at = now
        self._credit = min(2.0 * share, self._credit + len(names) * passed / self.every)
        self._last = {n: t for n, t in self._last.items() if n in names}
        return frozenset(
            sorted(names, key=lambda n: (self._last.get(n, float("-inf")), n))[: int(self._credit)]
        )

    def done(self, names: frozenset[str], now: float) -> None:
        """Remember that these were looked at."""
        self._credit = max(0.0, self._credit - len(names))
        self._last |= dict.fromkeys(names, now)
