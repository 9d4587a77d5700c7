"""What the daemon answers over HTTP: alive, ready, and its last passes. Every refusal says why."""

from dataclasses import dataclass
from typing import TypeAlias

from reconciler.daemon.lane import INTERVALS, Lane
from reconciler.daemon.loop import Daemon
from reconciler.report.event import values

Json: TypeAlias = dict[str, object]
MOST = 20  # problems and blocked documents that stand in an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Reads the daemon's state; changes nothing."""

    daemon: Daemon

    def health(self) -> tuple[bool, Json]:
        """Are process and schedule alive, and is nothing stuck."""
        why = [f"{what} has run for {seconds:.0f} s" for what, seconds in self.daemon.stuck().items()]
        if not self.daemon.alive:
            why.append("the schedule does not run")
        return not why, {"ok": not why, "why": why}

    def ready(self) -> tuple[bool, Json]:
        """Is a commit in force, and was each target completely passed over not long ago."""
        standing = self.daemon.standing
        why: list[str] = []
        if standing.adopted is None:
            why.append(self._none_adopted())
        why += [said for lane in self.daemon.lanes.values() if (said := self._not_ready(lane))]
        return not why, {"ok": not why, "why": why, "problems": self._problems(), **self._commits()}

    def passes(self) -> Json:
        """Return the last pass of each target."""
        lanes = sorted(self.daemon.lanes.values(), key=lambda lane: lane.target.name)
        return {
            "version": 1,
            **self._commits(),
            "problems": self._problems(),
            "passes": [self._pass(lane) for lane in lanes],
        }

    def _none_adopted(self) -> str:
        if self.daemon.poll_failure:
            return f"no commit is adopted: {self.daemon.poll_failure}"
        if self.daemon.standing.newest is None:
            return "no commit is adopted: the repository was not read yet"
        return "no commit is adopted: neither the newest nor any of its last 100 ancestors validates"

    def _not_ready(self, lane: Lane) -> str:
        name, now = lane.target.name, self.daemon.tools.now()
        reason = f": {lane.last_failure}" if lane.last_failure else ""
        if lane.complete is None:
            return f"target {name} had no complete pass yet{reason}"
        age = now - lane.complete
        if age > INTERVALS * self.daemon.tempo.interval.total_seconds():
            return f"target {name} had its last complete pass {age:.0f} s ago{reason}"
        return ""

    def _commits(self) -> Json:
        standing = self.daemon.standing
        return {"commit": standing.adopted.commit if standing.adopted else None, "newest": standing.newest}

    def _problems(self) -> list[str]:
        return [str(p) for p in self.daemon.standing.problems[:MOST]]

    def _pass(self, lane: Lane) -> Json:
        now = self.daemon.tools.now()
        ago = None if lane.ended is None else round(now - lane.ended, 1)
        running = None if lane.running_since is None else round(now - lane.running_since, 1)
        blocked = [{"kind": kind, "name": name, "why": why} for kind, name, why in lane.blocked[:MOST]]
        return {
            "target": lane.target.name,
            "commit": lane.adopted.commit,
            "running": running,  # seconds
            "ended": ago,  # seconds ago
            "failures": lane.failures,
            "why": lane.last_failure,
            "blocked": blocked,
            "last": values(lane.last) if lane.last else None,
        }
