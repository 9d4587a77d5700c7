"""What follows at each stage of a rollout if it fails there: told in the plan, before it starts. Pure."""

from collections.abc import Iterator
from typing import Final

from reconciler.core.duration import format_duration
from reconciler.strategies import recreate, rolling
from reconciler.strategies.floor import floor
from reconciler.strategies.slice import Live
from reconciler.strategies.wanted import ALIAS_TTL, WEIGHTED, TrafficKind, Wanted

RECREATED: Final = "recreate:"


def meanwhile(want: Wanted, serving: Live) -> Iterator[str]:
    """Say of what strategy it is that nothing serves for a while."""
    if want.rollout.strategy == recreate.NAME:
        yield f"{RECREATED} {serving.name} goes before {want.name} starts, and nothing serves in between"


def goes_back(want: Wanted, serving: Live) -> Iterator[str]:
    """Yield, from stage to stage, what a failure there leads to."""
    if want.rollout.on_failure == "hold":
        yield "Whatever fails, it stands where it is until `reconciler retry` or `reconciler abort`"
    yield from (f"Going back {line}" for line in _ways(want, serving))


def _ways(want: Wanted, serving: Live) -> Iterator[str]:
    old, new, size = serving.name, want.name, floor(want, serving) or 0
    many = f"{size} instance{'' if size == 1 else 's'}"
    if want.rollout.strategy == recreate.NAME:
        yield f"at any time: {new} goes, then {old} starts again with {many}; nothing serves in between"
        return
    if want.rollout.strategy == rolling.NAME:
        count = len(want.rollout.stages)
        yield f"before batch 1 of {count} is done: {new} ends, and {old} has lost nothing"
        yield f"later: {old} grows back to {many} and is waited for, then {new} ends"
        return
    yield f"before it has traffic: {new} ends, and nobody noticed"
    if want.kind in WEIGHTED:
        shares = [f"{x.weight}%" for x in want.rollout.stages]
        seen = f"clients follow within {format_duration(ALIAS_TTL)} of the spread by Route 53"
        follow = seen if want.kind is TrafficKind.DNS else "clients follow at once"
        yield f"at {_or(shares)}: one change gives all traffic back to {old}, which has {many}; {follow}"
        yield f"with `reconciler abort`, until {old} is retired: the same, without a launch"
        return
    if want.kind is TrafficKind.ATTACH:
        yield f"with all traffic: {old} is attached again before {new} is detached"
    again = f"{old} launches {many} again and takes over, then {new} ends"
    yield f"with `reconciler abort`, for {format_duration(want.rollout.keep_old)} more: {again}"


def _or(shares: list[str]) -> str:
    return shares[0] if len(shares) == 1 else f"{', '.join(shares[:-1])} or {shares[-1]}"
