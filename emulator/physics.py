"""How long things take in the emulated world. Settable while it runs; read it at each use."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Physics:
    """Delays of the world, by the emulator's clock. Draining takes what a target group says."""

    boot: timedelta = timedelta(seconds=90)  # Pending to InService
    healthy: timedelta = timedelta(seconds=30)  # InService to a healthy target
    terminate: timedelta = timedelta(seconds=60)  # Terminating to gone from the group
    delete: timedelta = timedelta(seconds=30)  # of a group, once it is empty
    insync: timedelta = timedelta(seconds=30)  # PENDING to INSYNC
    provision: timedelta = timedelta(seconds=120)  # a balancer to active


class _Current:
    value = Physics()


def current() -> Physics:
    """Return the delays that are in force."""
    return _Current.value


def change(seconds: Mapping[str, Any]) -> Physics:
    """Set some delays, in seconds by name, and return all.

    Raises: ValueError for a name that is none or a value that is no span.
    """
    names = {f.name for f in fields(Physics)}
    if unknown := sorted(set(seconds) - names):
        raise ValueError(f"{', '.join(unknown)}: no such delay; there are {', '.join(sorted(names))}")
    if wrong := sorted(k for k, v in seconds.items() if not isinstance(v, int | float) or v < 0):
        raise ValueError(f"{', '.join(wrong)}: a delay is a number of seconds, 0 or more")
    _Current.value = replace(_Current.value, **{k: timedelta(seconds=v) for k, v in seconds.items()})
    return _Current.value


def reset() -> None:
    """Put the usual delays back."""
    _Current.value = Physics()


def as_seconds(physics: Physics) -> dict[str, float]:
    """Return the delays in seconds, by name."""
    return {name: span.total_seconds() for name, span in asdict(physics).items()}
