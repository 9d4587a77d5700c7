"""A client of the control API: the hands of a test or a demo on the emulated world."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


class ControlError(Exception):
    """The control API refused a request; the message is its own."""


@dataclass(frozen=True, slots=True)
class Client:
    """The control API of one emulator. Every method raises ControlError for what is refused."""

    url: str  # as the server printed it

    def healthy(self) -> bool:
        """Tell whether it answers."""
        return bool(self._ask("GET", "healthy")["healthy"])

    def now(self) -> datetime:
        """Return the emulator's time."""
        return datetime.fromisoformat(self._ask("GET", "clock")["now"])

    def set_speed(self, speed: float) -> None:
        """Let time pass `speed` times as fast as it does; 0 stops it."""
        self._ask("POST", "clock", {"speed": speed})

    def advance(self, span: timedelta) -> datetime:
        """Move the time forward at once and return it."""
        answer = self._ask("POST", "clock", {"advance": span.total_seconds()})
        return datetime.fromisoformat(answer["now"])

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the AWS calls that arrived after the one numbered `since`, oldest first."""
        return list(self._ask("GET", f"calls?since={since}")["calls"])

    def clear_calls(self) -> None:
        """Forget the calls; their numbers go on."""
        self._ask("DELETE", "calls")

    def fault(self, kind: str, **fields: Any) -> int:
        """Add a fault (`emulator.faults.Rule` has the fields) and return its id."""
        return int(self._ask("POST", "faults", {"kind": kind, **fields})["id"])

    def faults(self) -> list[dict[str, Any]]:
        """Return the faults with how often each fired."""
        return list(self._ask("GET", "faults")["faults"])

    def clear_faults(self) -> None:
        """Drop all faults."""
        self._ask("DELETE", "faults")

    def physics(self, **seconds: float) -> dict[str, float]:
        """Set some delays of the world, in seconds by name, and return all."""
        return dict(self._ask("POST", "physics", seconds))

    def knob(self, name: str, /, **arguments: Any) -> Any:
        """Turn a knob and return what it says."""
        return self._ask("POST", "knobs", {"name": name, "with": arguments})["result"]

    def knobs(self) -> dict[str, str]:
        """Return the knobs that there are, with what each does."""
        return dict(self._ask("GET", "knobs")["knobs"])

    def seed_company(self) -> dict[str, Any]:
        """Build the AWS world of the sample company and return its ids."""
        return dict(self._ask("POST", "seed", {"company": True}))

    def reset(self) -> None:
        """Begin anew: no resources, faults, calls or changed delays; the clock goes on."""
        self._ask("POST", "reset")

    def _ask(self, method: str, path: str, fields: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/_emulator/{path}",
            method=method,
            data=None if fields is None else json.dumps(fields).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise ControlError(json.loads(error.read())["error"]) from None
