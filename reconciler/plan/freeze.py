"""Freeze windows: what a target holds back at a time, and until when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from reconciler.strategies.wanted import Allow, Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """One entry of a Target's `freeze`: from and to, or cron and a length."""

    holds: tuple[str, ...]  # start | retire | records
    reason: str
    since: datetime | None = None
    to: datetime | None = None
    cron: str = ""
    length: timedelta = timedelta()
    timezone: str = "UTC"

    def until(self, now: datetime) -> datetime | None:
        """Return when this freeze ends, if it holds now."""
        if self.since and self.to:
            return self.to if self.since <= now < self.to else None
        began = _last_start(self.cron, self.timezone, now, self.length)
        return began + self.length if began else None


def _last_start(cron: str, timezone: str, now: datetime, length: timedelta) -> datetime | None:
    """Return the newest start of a window that still holds, in the window's own timezone."""
    local = now.astimezone(ZoneInfo(timezone))
    found: datetime | None = None
    for start in CronSim(cron, local - length):
        if start > local:
            break
        found = start
        if start.astimezone(UTC) + length <= now.astimezone(UTC):
            found = None
    return found.astimezone(UTC) if found else None


def held(freezes: Iterable[Freeze], now: datetime) -> Allow:
    """Return what may not begin now. Where several windows hold, the one that ends last is named."""
    named: dict[str, tuple[datetime, Freeze]] = {}
    for freeze in freezes:
        until = freeze.until(now)
        if until is None:
            continue
        for what in freeze.holds:
            if what not in named or named[what][0] < until:
                named[what] = (until, freeze)
    holds = {
        what: Hold(code="freeze", why=f"frozen until {until:%Y-%m-%d %H:%M} UTC: {freeze.reason}")
        for what, (until, freeze) in named.items()
    }
    return Allow(start=holds.get("start"), retire=holds.get("retire"), records=holds.get("records"))
