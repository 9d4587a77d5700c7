"""Preflight: what a plan foresees of a rollout that has launched nothing yet. Pure.

It is told and stops nothing, save that nothing is born from an AMI that git names and that is not there.

What blocks a start stands elsewhere: names that are taken (`barriers`), a source that gives no AMI
(`images`), selectors that choose nothing (`resolve`), alarms (`strategies.gates`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.facts import Read
from reconciler.kinds.image.live import Ami
from reconciler.kinds.network.live import Subnet
from reconciler.strategies import recreate, rolling
from reconciler.strategies.born import birth_sizes
from reconciler.strategies.floor import floor
from reconciler.strategies.slice import Live, Slice
from reconciler.strategies.wanted import Hold, Wanted

NEEDED: Final[Mapping[str, int]] = {"application": 8, "network": 1}
"""Free addresses in each subnet of a new balancer (ELB user guides, "Subnets for your load balancer")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a rollout is going to stand on, as it was read in this pass."""

    subnets: Read[Subnet]
    amis: Read[Ami]
    fixed: bool  # git names the AMI by its id, so that it was looked for
    architecture: str  # that the Image says


def findings(want: Wanted, s: Slice, serving: Live | None, ground: Ground) -> Iterator[str]:
    """Yield what may keep the wanted revision from being born; nothing once its group is there."""
    new = s.live(want.revision)
    if new is not None and new.group is not None:
        return
    yield from _image(want, ground)
    if isinstance(ground.subnets, tuple):
        free = {x.id: x.free for x in ground.subnets}
        takes = _of_balancer(want, new)
        yield from _balancer(want, free, takes)
        left = {i: max(0, free.get(i, 0) - takes.get(i, 0)) for i in want.group.subnets}
        yield from _placement(_at_once(want, serving), left)


def lacks(want: Wanted, new: Live | None, ground: Ground) -> Hold | None:
    """Return what holds the birth of a revision whose AMI git names and that is not there."""
    ami = want.template.image
    if not ground.fixed or not isinstance(ground.amis, tuple) or (new is not None and new.group is not None):
        return None
    if any(a.id == ami for a in ground.amis):
        return None
    why = f"{ami} is not there, or not shared with this account: nothing can be launched from it"
    return Hold(code="image", why=why)


def _image(want: Wanted, ground: Ground) -> Iterator[str]:
    if not isinstance(ground.amis, tuple):
        return
    ami = want.template.image
    found = next((a for a in ground.amis if a.id == ami), None)
    if found is None:
        return
    if found.state != "available":
        yield f"{ami} is {found.state}: nothing can be launched from it"
    if found.architecture and ground.architecture and found.architecture != ground.architecture:
        yield f"{ami} is {found.architecture}, and its Image says {ground.architecture}"


def _of_balancer(want: Wanted, new: Live | None) -> dict[str, int]:
    """Return how many addresses the revision's balancer takes, by subnet; nothing once it is there."""
    if want.balancer is None or (new is not None and new.balancer is not None):
        return {}
    return dict.fromkeys(want.balancer.subnets, NEEDED.get(want.balancer.type, 0))


def _balancer(want: Wanted, free: Mapping[str, int], takes: Mapping[str, int]) -> Iterator[str]:
    short = [f"{i} has {free[i]}" for i, needed in sorted(takes.items()) if i in free and free[i] < needed]
    if short and want.balancer:
        kind = want.balancer.type
        yield f"the {kind} balancer needs {NEEDED[kind]} free addresses in each subnet: {_some(short)}"


def _at_once(want: Wanted, serving: Live | None) -> int:
    """Return how many instances run beside what runs now, at the most."""
    old = serving.up.sizes.desired if serving and serving.up else 0
    births = max(birth_sizes(want, serving).desired, floor(want, serving) or 0)
    if serving is None or want.rollout.strategy not in (rolling.NAME, recreate.NAME):
        return births
    if want.rollout.strategy == recreate.NAME:
        return max(0, births - old)
    batch = -(-births * want.rollout.surge // 100)
    return max(batch, births - old)


def _placement(births: int, left: Mapping[str, int]) -> Iterator[str]:
    total, share = sum(left.values()), max(1, births // max(1, len(left)))
    if not births:
        return
    if total < births:
        where = _some([f"{i} has {n}" for i, n in sorted(left.items())])
        yield f"{births} instances are to be born, and {total} addresses are free for them: {where}"
        return
    tight = [f"{i} has {n}" for i, n in sorted(left.items()) if n < share and births >= len(left)]
    if tight:
        yield (
            f"of {births} instances {share} fall to each subnet, and {_some(tight)} free addresses:"
            " the others get more"
        )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
