"""The last log lines about each document, for a comment that has to say why a merge did not come about."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Final

from reconciler.report.event import Event, OfThing, values
from reconciler.report.log import Redaction
from reconciler.report.words import short

MOST: Final = 8  # lines of one document
SAID: Final = ("commit", "target", "kind", "name", "revision")
"""Fields of every line about a document: whoever reads the lines of one knows them."""


@dataclass(slots=True, kw_only=True)
class Recent:
    """Keeps lines that tell of rollouts or of trouble, without secrets, as the log does."""

    redaction: Redaction
    clock: Callable[[], datetime]
    _lines: dict[tuple[str, str, str], deque[str]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)  # passes tell events, and pull requests are tended beside them

    def see(self, event: Event) -> None:
        """Keep an event's line, if it is about a document and more than one step that was done."""
        if not isinstance(event, OfThing):
            return
        if event.level in ("warning", "error") or event.event.startswith("rollout."):
            key = (event.kind, event.name, event.target)
            line = self.redaction(None, "", {k: v for k, v in values(event).items() if k not in SAID and v})
            told = " ".join(f"{k}={short(str(v))}" for k, v in line.items())
            text = f"{self.clock():%H:%M:%S} {event.event} {told}".rstrip()
            with self._lock:
                self._lines.setdefault(key, deque(maxlen=MOST)).append(text)

    def of(self, kind: str, name: str, target: str) -> tuple[str, ...]:
        """Return the lines about one document, oldest first."""
        with self._lock:
            return tuple(self._lines.get((kind, name, target), ()))
