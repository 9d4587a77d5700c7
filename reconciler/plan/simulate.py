"""`simulate(world, move) -> World`: previews whole rollouts, drives the property tests, is the fake writer.

It only dispatches: each kind's `after` says what a write changes, `settle` what time changes.
"""

from typing import assert_never

from reconciler.core.facts import STAGE, Read, T
from reconciler.core.ids import Arn, ChangeId
from reconciler.core.quick import replace
from reconciler.kinds.balancer import after as balancer
from reconciler.kinds.balancer.steps import BalancerStep, CreateRule, DeleteRule, SetRule
from reconciler.kinds.group import after as group
from reconciler.kinds.group.steps import GroupStep, TagGroup
from reconciler.kinds.record import after as record
from reconciler.kinds.record.live import PENDING, LiveChange, LiveZone
from reconciler.kinds.record.steps import ChangeRecords, RecordStep
from reconciler.kinds.register import Blocked, Move, Step, Wait, World
from reconciler.kinds.template import after as template
from reconciler.kinds.template.steps import TemplateStep
from reconciler.plan.settle import Physics, settle


def simulate(world: World, move: Move, physics: Physics) -> World:
    """Return the world after one move: a step takes effect at once, a wait lets time pass.

    Raises: BatchRefusedError where Route 53 would refuse a batch.
    """
    match move:
        case None | Blocked():
            return world
        case Wait():
            return settle(world, physics, move.until)
        case _:
            done, change = do(world, move)
            follow = follow_up(move, change, int(world.as_of.timestamp()))
            return do(done, follow)[0] if follow else done


def do(world: World, step: Step) -> tuple[World, str]:
    """Return the world once a step took effect, and the id of the change batch if it made one."""
    if isinstance(step, TemplateStep):
        return replace(world, templates=template.after(step, _read(world.templates))), ""
    if isinstance(step, GroupStep):
        arns: dict[str, Arn] = {t.name: t.arn for t in _read(world.target_groups)}
        return replace(world, groups=group.after(step, _read(world.groups), arns)), ""
    if isinstance(step, BalancerStep):
        live = balancer.Balancing(
            balancers=_read(world.balancers),
            target_groups=_read(world.target_groups),
            rules=_read(world.rules),
        )
        done = balancer.after(step, live)
        return replace(
            world, balancers=done.balancers, target_groups=done.target_groups, rules=done.rules
        ), ""
    if isinstance(step, RecordStep):
        return _records(world, step)
    assert_never(step)


def _records(world: World, step: RecordStep) -> tuple[World, str]:
    zones = tuple(
        record.after(step, z) if isinstance(z, LiveZone) and z.zone == step.zone else z for z in world.zones
    )
    if not isinstance(step, ChangeRecords):
        return replace(world, zones=zones), ""
    changes = _read(world.changes)
    change = ChangeId(f"C{len(changes) + 1:04d}")
    return replace(world, zones=zones, changes=(*changes, LiveChange(id=change, status=PENDING))), change


def follow_up(step: Step, change: str, epoch: int) -> TagGroup | None:
    """Return the write that remembers a stage: the effect comes first, then its tag."""
    if isinstance(step, ChangeRecords | CreateRule | SetRule | DeleteRule) and step.mark is not None:
        return TagGroup(
            name=step.mark,
            put=((STAGE, f"{step.stage};{change or '-'};{epoch}"),),
            because="remembers the stage",
        )
    return None


def _read(facts: Read[T]) -> tuple[T, ...]:
    return facts if isinstance(facts, tuple) else ()
