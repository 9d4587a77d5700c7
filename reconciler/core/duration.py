"""Durations as people write them: `90s`, `5m`, `1h30m`."""

import re
from datetime import timedelta
from typing import Final

PATTERN: Final = r"^(?=.)([0-9]+h)?([0-9]+m)?([0-9]+s)?$"
_PARTS: Final = re.compile(r"^(?=.)(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,9})s)?$")


def parse_duration(text: str) -> timedelta:
    """Return the span that `text` says.

    Raises: ValueError where it is not hours, minutes and seconds in this order.
    """
    found = _PARTS.match(text)
    if found is None:
        raise ValueError(f"{text!r} is not a duration")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def format_duration(span: timedelta) -> str:
    """Return the shortest text that `parse_duration` reads as `span`; parts of a second are dropped."""
    total = int(span.total_seconds())
    hours, rest = divmod(total, 3600)
    minutes, seconds = divmod(rest, 60)
    text = "".join(f"{n}{unit}" for n, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if n)
    return text or "0s"
