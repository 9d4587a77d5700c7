"""What every event is: a type, whose name is API. Fields are values, never prose, save `why`."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, TypeAlias

import structlog

Level: TypeAlias = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, for whoever reads logs: people, and programs that rely on the names."""

    event: ClassVar[str]
    level: ClassVar[Level] = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfCommit(Event):
    """Something about one commit of the desired state."""

    commit: str  # 40 hex digits; empty: none is in force


@dataclass(frozen=True, slots=True, kw_only=True)
class OfTarget(OfCommit):
    """Something in one target, while this commit was in force."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfThing(OfTarget):
    """Something about one document in one target."""

    kind: str  # Fleet | Image | Zone
    name: str
    revision: str = ""  # v1. and 40 hex digits; empty where there is none


def values(event: Event) -> dict[str, Any]:
    """Return an event's fields as a log line carries them: spans in seconds, times as ISO 8601."""
    return {f.name: _value(getattr(event, f.name)) for f in fields(event)}


def _value(value: object) -> object:
    if isinstance(value, timedelta):
        return round(value.total_seconds(), 3)
    if isinstance(value, datetime):
        return value.isoformat()
    return round(value, 3) if isinstance(value, float) else value


def emit(event: Event) -> None:
    """Tell an event to the log."""
    log = structlog.get_logger("reconciler")
    getattr(log, event.level)(event.event, **values(event))
