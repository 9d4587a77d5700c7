"""Where a serving group is registered beside its own target group: what git names, and nothing else."""

from reconciler.core.ids import Arn
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import Attach, Detach
from reconciler.kinds.register import Step
from reconciler.plan.part import Part, Row
from reconciler.strategies.slice import Live, Slice
from reconciler.strategies.wanted import Wanted


def attach_part(want: Wanted, s: Slice, live: Live) -> Part:
    """Return the part of `traffic.attach`: attached first, and healthy there before another place is left."""
    group = live.up
    stated = (want.group.attach_target_groups, want.group.attach_classic)
    if group is None:
        return Part(name="attach", want=stated, rows=(), step=None)
    wanted = (*want.group.attach_target_groups, *want.group.attach_classic)
    own = live.target_group.arn if live.target_group else None
    have = tuple(p for p in (*group.target_groups, *group.classic) if p != own)
    resource = f"group/{group.name}"
    missing = [p for p in wanted if p not in have]
    surplus = [p for p in have if p not in wanted]
    rows = [
        *(Row(resource=resource, field=f"attach.{p}", want="attached", live="not attached") for p in missing),
        *(Row(resource=resource, field=f"attach.{p}", want="not attached", live="attached") for p in surplus),
    ]
    left = tuple(r for r in rows if not r.ignored(want.ignore))
    places = [r.field.removeprefix("attach.") for r in left]
    pending = _pending(s, group, wanted) if left and left[0].want == "not attached" else ""

    def step(_part: Part) -> Step:
        if left[0].want == "attached":
            now = [p for p in places if p in missing]
            return Attach(name=group.name, target_groups=_arns(now), classic=_names(now))
        return Detach(
            name=group.name, target_groups=_arns(places), classic=_names(places), because="not in git"
        )

    return Part(
        name="attach",
        want=stated,
        rows=left,
        step=step,
        wait=pending,
    )


def _arns(places: list[str]) -> tuple[Arn, ...]:
    return tuple(Arn(p) for p in places if p.startswith("arn:"))


def _names(places: list[str]) -> tuple[str, ...]:
    return tuple(p for p in places if not p.startswith("arn:"))


def _pending(s: Slice, group: LiveGroup, wanted: tuple[str, ...]) -> str:
    """Say where the group's instances are not known to be healthy yet."""
    own = frozenset(i.id for i in group.instances if i.in_service)
    for place in wanted:
        if s.healthy(place, own) < min(len(own), max(1, group.sizes.min)):
            return f"{group.name} is not healthy in {place.rpartition('targetgroup/')[2] or place} yet"
    return ""
