"""The emulator's one clock: time-based transitions and the `Date` of every answer come from it."""

import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Final

_LOCK: Final = threading.Lock()
_REAL_TIME: Final = ("moto.sts",)
"""Credentials expire by the clients' own clock, so what hands them out keeps real time."""


class _Clock:
    """A point in time, when it was set, and how fast time has passed since."""

    base = datetime.fromtimestamp(time.time(), UTC)
    set_at = time.monotonic()
    speed = 1.0


def _now() -> datetime:
    """Return the time to the millisecond, as AWS tells it: what stands in a reply is what was."""
    now = _Clock.base + timedelta(seconds=(time.monotonic() - _Clock.set_at) * _Clock.speed)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def now() -> datetime:
    """Return the emulator's time, aware, in UTC. It never goes back unless `start` sets it."""
    with _LOCK:
        return _now()


def speed() -> float:
    """Return how many emulated seconds pass in a real one."""
    return _Clock.speed


def start(at: datetime | None, rate: float = 1.0) -> None:
    """Set the time (real time where `at` is None) and the speed."""
    with _LOCK:
        _Clock.base = at or datetime.fromtimestamp(time.time(), UTC)
        _Clock.set_at = time.monotonic()
        _Clock.speed = rate


def set_speed(rate: float) -> None:
    """Let time pass `rate` times as fast as it really does; 0 stops it, so that only `advance` moves it.

    It stops at the next whole second: tags hold seconds, and what was written is no earlier than what is.

    Raises: ValueError for a negative rate.
    """
    if rate < 0:
        raise ValueError(f"speed {rate} is negative; time only goes forward")
    with _LOCK:
        at = _now()
        if rate == 0 and at.microsecond:
            at = at.replace(microsecond=0) + timedelta(seconds=1)
        _Clock.base, _Clock.set_at, _Clock.speed = at, time.monotonic(), rate


def advance(span: timedelta) -> None:
    """Move the time forward at once.

    Raises: ValueError for a negative span.
    """
    if span < timedelta():
        raise ValueError(f"{span} is negative; time only goes forward")
    with _LOCK:
        _Clock.base += span


def naive() -> datetime:
    """Return the time as moto keeps it: UTC without saying so."""
    return now().replace(tzinfo=None)


def install() -> None:
    """Make moto's own timestamps (launch times, creation times) show this clock."""
    import moto.core.utils

    real = moto.core.utils.utcnow
    for name in _REAL_TIME:
        __import__(f"{name}.models")
    moto.core.utils.utcnow = naive
    for module in list(sys.modules.values()):
        if _is_ours(module) and getattr(module, "utcnow", None) is real:
            module.utcnow = naive  # type: ignore[attr-defined]


def _is_ours(module: ModuleType) -> bool:
    name = getattr(module, "__name__", "")
    return name.startswith("moto.") and not name.startswith(_REAL_TIME)
