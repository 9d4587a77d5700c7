"""The groups' part of simulate: what a write changes at once. What time changes stands in plan/settle."""

from typing import assert_never

from reconciler.core.facts import retagged, to_tags
from reconciler.core.ids import Arn
from reconciler.core.quick import replace
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import (
    Attach,
    CreateGroup,
    DeleteGroup,
    DeletePolicy,
    DeleteSchedule,
    Detach,
    GroupStep,
    PutPolicy,
    PutSchedule,
    ReplaceInstance,
    ResumeProcesses,
    SetSizes,
    TagGroup,
    UpdateGroup,
)


def after(step: GroupStep, live: tuple[LiveGroup, ...], arns: dict[str, Arn]) -> tuple[LiveGroup, ...]:
    """Return the groups once `step` took effect. `arns` maps our target groups' names to ARNs."""
    if isinstance(step, CreateGroup):
        if any(g.name == step.name for g in live):
            return live
        return tuple(sorted((*live, _born(step, arns)), key=lambda g: g.name))
    if isinstance(step, DeleteGroup):
        return tuple(replace(g, deleting=True) if g.name == step.name else g for g in live)
    return tuple(_changed(g, step) if g.name == step.name and not g.deleting else g for g in live)


def _born(step: CreateGroup, arns: dict[str, Arn]) -> LiveGroup:
    want = step.group
    own = tuple(arns.get(n, Arn(n)) for n in want.target_groups)
    return LiveGroup(
        name=want.name,
        arn=Arn(f"arn:group/{want.name}"),
        tags=to_tags({**dict(want.extra_tags), **dict(step.tags)}),
        sizes=step.sizes,
        template=want.name,
        template_version="1",
        subnets=want.subnets,
        target_groups=own + (want.attach_target_groups if step.attached else ()),
        classic=want.attach_classic if step.attached else (),
        health=want.health,
        settings=want.settings,
        mixed=want.mixed,
        suspended=(),
        policies=(),
        schedules=(),
        instances=(),
        deleting=False,
        hooks=want.hooks,
    )


def _changed(group: LiveGroup, step: GroupStep) -> LiveGroup:
    match step:
        case SetSizes():
            return replace(group, sizes=step.sizes)
        case UpdateGroup():
            wanted = dict(step.members)
            return replace(
                group,
                health=tuple((k, wanted.get(k, v)) for k, v in group.health),
                settings=tuple(sorted({**dict(group.settings), **_settings(group, wanted)}.items())),
            )
        case TagGroup():
            return replace(group, tags=retagged(group.tags, dict(step.put), step.drop))
        case PutPolicy():
            others = tuple(p for p in group.policies if p.name != step.policy.name)
            return replace(group, policies=tuple(sorted((*others, step.policy), key=lambda p: p.name)))
        case DeletePolicy():
            return replace(group, policies=tuple(p for p in group.policies if p.name != step.policy))
        case PutSchedule():
            rest = tuple(s for s in group.schedules if s.name != step.schedule.name)
            return replace(group, schedules=tuple(sorted((*rest, step.schedule), key=lambda s: s.name)))
        case DeleteSchedule():
            return replace(group, schedules=tuple(s for s in group.schedules if s.name != step.schedule))
        case ResumeProcesses():
            return replace(group, suspended=tuple(s for s in group.suspended if s[0] not in step.processes))
        case Attach():
            return replace(
                group,
                target_groups=tuple(dict.fromkeys((*group.target_groups, *step.target_groups))),
                classic=tuple(dict.fromkeys((*group.classic, *step.classic))),
            )
        case Detach():
            return replace(
                group,
                target_groups=tuple(a for a in group.target_groups if a not in step.target_groups),
                classic=tuple(c for c in group.classic if c not in step.classic),
            )
        case ReplaceInstance():
            return replace(group, instances=tuple(i for i in group.instances if i.id != step.instance))
        case CreateGroup() | DeleteGroup():
            return group
        case _:
            assert_never(step)


def _settings(group: LiveGroup, wanted: dict[str, str]) -> dict[str, str]:
    health = dict(group.health)
    return {k: v for k, v in wanted.items() if k not in health}
