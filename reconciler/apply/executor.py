"""Does the moves of a plan that are safe now. An error ends that fleet's moves, and no other's."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.core.ids import FleetName, Revision, resource_name
from reconciler.kinds.balancer.steps import CreateRule, SetRule
from reconciler.kinds.group.steps import Attach, CreateGroup, DeleteGroup, Detach, SetSizes
from reconciler.kinds.receipt import Receipt
from reconciler.kinds.record.steps import ChangeRecords
from reconciler.kinds.register import Step
from reconciler.kinds.template.steps import CreateTemplate
from reconciler.plan.model import ActionKind, Item, TargetPlan
from reconciler.plan.simulate import follow_up

Write = Callable[[Step], Receipt]

Sure = Callable[[Item, Step, Sequence[Step]], None]
"""Asks, right before a step and after those done in this pass, whether it still rests on what is there.

Raises: ChangedError where it does not.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One step that took effect, or was in effect already."""

    item: Item
    step: Step
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """One step whose write raised: the rest of that fleet's moves wait for the next pass."""

    item: Item
    step: Step
    error: Exception


def execute(
    plan: TargetPlan, write: Write, sure: Sure, ends_target: Callable[[Exception], bool]
) -> Iterator[Done | Failed]:
    """Do every step of the plan, fleet by fleet, and tell of each as it happens.

    Raises: the error of a step that ends the whole target's pass, after telling of it.
    """
    epoch = int(plan.as_of.timestamp())
    for item in sorted(plan.items, key=_urgency):
        done: list[Step] = []
        for step in item.now:
            try:
                sure(item, step, done)
                receipt = write(step)
                done.append(step)
                yield Done(item=item, step=step, receipt=receipt)
                follow = follow_up(step, receipt.change, epoch)
                if follow is not None:
                    sure(item, follow, done)
                    receipt = write(follow)
                    done.append(follow)
                    yield Done(item=item, step=follow, receipt=receipt)
            except Exception as error:
                yield Failed(item=item, step=step, error=error)
                if ends_target(error):
                    raise
                break


def _urgency(item: Item) -> tuple[int, int, str, str]:
    """Rollbacks first, then traffic shifts, creations, retirements: what helps users comes first."""
    return (_rank(item), item.order, item.kind, item.name)


def goes_back(item: Item) -> bool:
    """Do these moves take a rollout back: traffic away from the wanted revision, or a failed end."""
    wanted = resource_name(FleetName(item.name), Revision(item.to))
    marks = (getattr(step, "mark", None) for step in item.now)
    leaves = any(isinstance(step, Detach) and step.name == wanted for step in item.now)
    failed = any(getattr(step, "because", "").startswith("failed") for step in item.now)
    return failed or (bool(item.to) and (leaves or any(mark not in (None, wanted) for mark in marks)))


def _rank(item: Item) -> int:
    if goes_back(item):
        return 0
    if item.action is ActionKind.RETIRE:
        return 4
    match next(iter(item.now), None):
        case ChangeRecords() | SetRule() | CreateRule() | Attach() | Detach():
            return 1
        case CreateTemplate() | CreateGroup():
            return 2
        case SetSizes() | DeleteGroup():
            return 3
        case _:
            return 2
