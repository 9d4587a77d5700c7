"""What was answered."""

from dataclasses import dataclass

from reconciler.kinds.probe.want import Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """How a balancer answered. Source: HTTP."""

    probe: Probe
    passes: int  # answers in a row with the wanted status; fewer than `times`: the next one was another
    answer: str = ""  # that other one: a status, or why there was none
