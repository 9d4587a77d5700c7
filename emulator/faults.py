"""Faults: rules that make a request fail as AWS or the network makes it fail."""

import json
import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from emulator.calls import Call
from emulator.errors import AwsError, internal, throttled

_READS: Final = ("Describe", "Get", "List", "Assume")


class Kind(StrEnum):
    """What goes wrong."""

    THROTTLE = "throttle"  # the service's own throttling error; no effect
    SERVER_ERROR = "server-error"  # the service's own 5xx; no effect
    ERROR = "error"  # `code`, `message`, `status`; no effect
    RESET = "reset"  # the connection is cut before the effect
    LOST = "lost"  # the effect happens, then the connection is cut without a reply
    HANG = "hang"  # the effect happens, the reply is held until the faults are cleared, and never sent
    PARTIAL = (
        "partial"  # the effect happens, the body ends after `keep` of it (botocore reads cut JSON as {})
    )
    STALE = "stale"  # each like request is answered as the first of them was: reads lag behind writes
    LATENCY = "latency"  # `ms` pass before the request is looked at


@dataclass(slots=True, kw_only=True)
class Rule:
    """One fault: which requests it strikes, and how."""

    id: int
    kind: Kind
    service: str = ""  # as botocore names it; empty: any
    operation: str = ""  # empty: any
    writes: bool = False  # only operations that change something
    match: str = ""  # stands in the request's parameters, written as JSON; empty: any
    times: int | None = 1  # how often it strikes; None: always
    after: int = 0  # matching requests that it lets pass first
    code: str = ""
    message: str = ""
    status: int = 400
    ms: int = 0
    keep: float = 0.3  # of the body's bytes
    seen: int = 0
    fired: int = 0
    kept: dict[Hashable, Any] = field(default_factory=dict)  # of `stale`: the first reply, by request

    def strikes(self, call: Call) -> bool:
        """Tell whether this request is struck, and count it."""
        if self.service not in ("", call.service) or self.operation not in ("", call.operation):
            return False
        if self.writes and call.operation.startswith(_READS):
            return False
        if self.match and self.match not in json.dumps(call.params()):
            return False
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.fired >= self.times):
            return False
        self.fired += 1
        return True

    def error(self, service: str) -> AwsError | None:
        """Return what the service answers, or None where the fault is no answer."""
        match self.kind:
            case Kind.THROTTLE:
                return throttled(service)
            case Kind.SERVER_ERROR:
                return internal(service)
            case Kind.ERROR:
                return AwsError(self.code, self.message or self.code, self.status)
            case _:
                return None


_HELD: Final = 60.0  # seconds; clients give up before

_FIELDS: Final = {
    "kind": str,
    "service": str,
    "operation": str,
    "writes": bool,
    "match": str,
    "times": int | None,
    "after": int,
    "code": str,
    "message": str,
    "status": int,
    "ms": int,
    "keep": float | int,
}


class Faults:
    """The rules in force. Of several that fit a request, the oldest strikes; latency adds to any."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._count = 0
        self._lock = threading.Lock()
        self._cleared = threading.Event()

    def add(self, fields: Mapping[str, Any]) -> Rule:
        """Add a rule.

        Raises: ValueError for a field or a kind that is none, or an error without a code.
        """
        if unknown := sorted(set(fields) - set(_FIELDS)):
            raise ValueError(f"{', '.join(unknown)}: a fault has {', '.join(_FIELDS)}")
        if wrong := [k for k, v in fields.items() if not isinstance(v, _FIELDS[k])]:
            raise ValueError(f"{', '.join(wrong)}: not of the right type")
        kind = Kind(fields.get("kind", ""))
        if kind is Kind.ERROR and not fields.get("code"):
            raise ValueError("an error needs a code")
        with self._lock:
            self._count += 1
            rule = Rule(**{**fields, "id": self._count, "kind": kind})
            self._rules.append(rule)
        return rule

    def rules(self) -> list[Rule]:
        """Return the rules, oldest first, with how often each fired."""
        with self._lock:
            return list(self._rules)

    def clear(self) -> None:
        """Drop all rules, and let go of every reply that is held."""
        with self._lock:
            self._rules = []
            self._cleared.set()
            self._cleared = threading.Event()

    def hold(self) -> None:
        """Wait until the rules are cleared, or as long as no client waits."""
        self._cleared.wait(_HELD)

    def strike(self, call: Call) -> tuple[Rule | None, int]:
        """Return the fault that strikes a request, if any, and the latency (ms) before it."""
        with self._lock:
            wait = sum(r.ms for r in self._rules if r.kind is Kind.LATENCY and r.strikes(call))
            struck = next((r for r in self._rules if r.kind is not Kind.LATENCY and r.strikes(call)), None)
        return struck, wait
