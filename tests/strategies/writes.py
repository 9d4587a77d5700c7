"""How a write lands: as the real writers and AWS do it, and what is looked at once more before it."""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.core.facts import BORN, tag
from reconciler.kinds.balancer.steps import CreateRule, DeleteTargetGroup, SetRule
from reconciler.kinds.group.steps import CreateGroup, DeleteGroup, GroupStep, SetSizes
from reconciler.kinds.record.after import BatchRefusedError
from reconciler.kinds.register import Step, World
from reconciler.kinds.template.steps import CreateTemplate, DeleteTemplate
from reconciler.plan.again import Ground, looks, with_template
from reconciler.plan.simulate import do
from reconciler.strategies.slice import NOTHING


class RefusedError(Exception):
    """AWS refuses this write, or the writer finds another world than the plan rested on."""


class MovedError(Exception):
    """Somebody has moved what this write rests on."""


def written(world: World, step: Step) -> tuple[World, str]:
    """Do a write as the real writers and AWS do it. Return the world and the change id.

    Raises: RefusedError where nothing was written.
    """
    if isinstance(step, CreateRule) and any(r.listener == step.rule.listener for r in world.rules):
        return world, ""
    if why := _group_refused(world, step) if isinstance(step, GroupStep) else _refused(world, step):
        raise RefusedError(why)
    try:
        return do(world, step)
    except BatchRefusedError as error:
        raise RefusedError(str(error)) from error


def _group_refused(world: World, step: GroupStep) -> str:
    there = next((g for g in world.groups if g.name == str(step.name)), None)
    gone = there is None or there.deleting
    match step:
        case CreateGroup():
            made = next((t for t in world.templates if t.name == step.name), None)
            if made and made.failed:
                return "it has failed since this was planned"
            taken = bool(there and there.deleting) or made is None
            return "the name is taken, or there is no template" if taken else ""
        case DeleteGroup():
            used = not gone and (there.instances or there.sizes != NOTHING)
            return "it still has instances" if used else ""
        case SetSizes() if gone or there.sizes not in (step.expect, step.sizes):
            return "the sizes are not what was planned on"
        case _:
            return "there is no such group" if gone else ""


def _refused(world: World, step: Step) -> str:
    match step:
        case CreateTemplate():
            failed = any(t.failed for t in world.templates if t.name == step.name)
            return "it has failed since this was planned" if failed else ""
        case DeleteTemplate():
            made = next((t for t in world.templates if t.id == step.id), None)
            return "it was taken up again" if made and tag(made.tags, BORN) != step.born else ""
        case SetRule():
            have = {r.arn: tuple(sorted(r.weights)) for r in world.rules}.get(step.arn)
            same = have in (tuple(sorted(step.expect)), tuple(sorted(step.weights)))
            return "" if same else "the weights are not what was planned on"
        case DeleteTargetGroup():
            used = {a for r in world.rules for a, _ in r.weights}
            used |= {a for b in world.balancers for x in b.listeners or () for a in x.forwards}
            return "the target group is in use" if step.arn in used else ""
        case _:
            return ""


def moved(ground: Ground, step: Step, done: Sequence[Step], truth: World) -> str:
    """What is not as a write was planned on, of what is read again before it."""
    what, now = looks(step), replace(ground.after(done), as_of=truth.as_of)
    if what.template:
        now = with_template(now, step.name, next((t for t in truth.templates if t.name == step.name), None))
    if what.groups:
        now = replace(now, groups=truth.groups)
    if what.weights:
        now = replace(now, zones=truth.zones, rules=truth.rules)
    return ground.moved(done, now)
