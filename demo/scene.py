"""What every act needs: the stage, the teller, AWS's own word, and what the daemon logged."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from demo.stage import Stage
from demo.telling import EXCERPT, Teller
from demo.truth import Truth

FLEETS = ("api", "batch", "checkout", "search", "worker")
TARGET = "prod-ireland"
KEPT = timedelta(minutes=30)  # `keepOld` of the company's fleets
LOGGED = ("event", "name", "op", "resource", "field", "want", "live", "at", "why", "seconds", "code")


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the acts play."""

    stage: Stage
    tell: Teller
    truth: Truth

    def events(self, event: str, since: int, **fields: str) -> list[dict[str, Any]]:
        """Return what the daemon logged of one kind."""
        found = (e for e in self.stage.events(since) if e.get("event") == event)
        return [e for e in found if all(e.get(k) == v for k, v in fields.items())]

    def wait_for(self, event: str, since: int, **fields: str) -> dict[str, Any]:
        """Wait until the daemon logs something, and return it."""
        self.stage.until(f"log event {event} {fields}", lambda: bool(self.events(event, since, **fields)))
        return self.events(event, since, **fields)[-1]

    def whole_pass(self) -> None:
        """Wait until a pass that began after this is done: the one under way may have looked before."""
        since = self.stage.logged()
        self.stage.until("a whole pass", lambda: len(self.events("pass.done", since, target=TARGET)) > 1)

    def quote_events(self, since: int, *names: str, of: str = "", most: int = 6) -> None:
        """Show real log lines, of one fleet alone if it is named."""
        lines = [
            json.dumps({k: e[k] for k in LOGGED if e.get(k) not in (None, "")})
            for e in self.stage.events(since)
            if e.get("event") in names and of in ("", e.get("name"))
        ]
        self.tell.quote("\n".join(lines), most)

    def run(self, *argv: str, most: int = EXCERPT) -> tuple[int, str]:
        """Type a command, show what it says, and return its exit code and that."""
        code, said = self.stage.run(*argv)
        typed = " ".join(a for a in argv if a != str(self.stage.repository))
        self.tell.quote(f"$ reconciler {typed}\n{said}", most)
        return code, said

    def converged(self, since: int) -> None:
        """Wait for a pass after `since` that had nothing to do."""

        def quiet() -> bool:
            last = self.events("pass.done", since, target=TARGET)[-1:]
            busy = ("create", "replace", "update", "retire", "unread", "applied", "failed")
            return bool(last) and not any(last[0][k] for k in busy)

        self.stage.until("a pass with nothing to do", quiet)

    def replaced(self, fleet: str, before: list[str]) -> bool:
        """Has a fleet one group, all in service, and another one than before."""
        names = self.truth.names(fleet)
        return len(names) == 1 and names != before and self.truth.ready(fleet)

    def skip_keep_old(self) -> None:
        """Let the time pass in which the old revision could be gone back to."""
        self.tell.say("All traffic has moved; the old groups are kept for 30 minutes. Half an hour later:")
        self.stage.aws.advance(KEPT)
