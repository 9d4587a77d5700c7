"""Pacing: no more requests per second to a service than its account may send.

Route 53 counts requests per account, all tools together (50 at once, then 10 a second, since
2026-07-30), so that half of it is ours at most.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A token bucket: `burst` requests at once, then `per_second`."""

    per_second: float
    burst: int


RATES: Final[Mapping[str, Rate]] = {"route53": Rate(per_second=5.0, burst=25)}


@dataclass(slots=True)
class Pace:
    """One bucket. It may go into debt: each caller is told how long its own token takes."""

    rate: Rate
    now: Callable[[], float] = time.monotonic
    _tokens: float = field(init=False)
    _at: float = field(init=False)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._tokens = float(self.rate.burst)
        self._at = self.now()

    def take(self) -> float:
        """Take one token and return the seconds to wait before the request may be sent."""
        with self._lock:
            now = self.now()
            grown = self._tokens + (now - self._at) * self.rate.per_second
            self._tokens = min(float(self.rate.burst), grown) - 1.0
            self._at = now
            return max(0.0, -self._tokens / self.rate.per_second)


class Paces:
    """The buckets of all accounts: shared by every connection of this process."""

    def __init__(self, rates: Mapping[str, Rate] = RATES) -> None:
        self._rates = dict(rates)
        self._paces: dict[tuple[str, str], Pace] = {}
        self._lock = threading.Lock()

    def of(self, account: str, service: str) -> Pace | None:
        """Return the bucket of a service in an account, or None where nothing is paced."""
        rate = self._rates.get(service)
        if rate is None:
            return None
        with self._lock:
            return self._paces.setdefault((account, service), Pace(rate))
