"""What was observed of CloudWatch alarms."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

ABSENT: Final = ""
"""State of an alarm that was asked for and does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveAlarm:
    """An alarm, metric or composite. Source: cloudwatch:DescribeAlarms."""

    name: str
    state: str  # OK | ALARM | INSUFFICIENT_DATA, or ABSENT
    since: datetime | None = None  # when it came into this state
    watches: tuple[str, ...] = ()  # values of its dimensions, and its expressions
