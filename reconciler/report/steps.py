"""One write in a few words, for progress lines and logs."""

from reconciler.kinds.balancer.steps import CreateRule, SetRule
from reconciler.kinds.group.steps import (
    Attach,
    CreateGroup,
    DeletePolicy,
    DeleteSchedule,
    Detach,
    PutPolicy,
    PutSchedule,
    ReplaceInstance,
    ResumeProcesses,
    SetSizes,
    TagGroup,
    UpdateGroup,
)
from reconciler.kinds.record.steps import ChangeRecords
from reconciler.kinds.register import Step
from reconciler.kinds.template.steps import TagTemplate


def quiet(step: Step) -> bool:
    """Is this only bookkeeping: a tag that remembers what was done."""
    return isinstance(step, TagGroup | TagTemplate)


def doing(step: Step) -> str:
    """Return what a step does, to what, and because of what."""
    because = getattr(step, "because", "")
    detail = _detail(step)
    head = f"{step.op} {step.name}" + (f" {detail}" if detail else "")
    return f"{head} ({because})" if because else head


def _detail(step: Step) -> str:
    match step:
        case CreateGroup():
            return f"min/desired/max {step.sizes}"
        case SetSizes():
            return f"{step.expect} -> {step.sizes}"
        case UpdateGroup():
            return ", ".join(k for k, _ in step.members)
        case TagGroup() | TagTemplate():
            return ", ".join((*(k for k, _ in step.put), *(f"-{k}" for k in step.drop)))
        case PutPolicy():
            return step.policy.name
        case PutSchedule():
            return step.schedule.name
        case DeletePolicy():
            return step.policy
        case DeleteSchedule():
            return step.schedule
        case Attach() | Detach():
            return f"{len(step.target_groups) + len(step.classic)} target groups"
        case ReplaceInstance():
            return step.instance
        case ResumeProcesses():
            return ", ".join(step.processes)
        case CreateRule() | SetRule():
            return "weights " + ", ".join(f"{_short(a)}={w}" for a, w in step.weights)
        case ChangeRecords():
            return _records(step)
        case _:
            return ""


def _short(arn: str) -> str:
    return arn.rpartition("targetgroup/")[2].partition("/")[0] or arn


def _records(step: ChangeRecords) -> str:
    weighted = [c.record for c in step.changes if c.action != "DELETE" and c.record.weight is not None]
    if step.mark and weighted:
        return "weights " + ", ".join(f"{r.identifier.partition('.')[2]}={r.weight}" for r in weighted)
    made = sum(c.action == "CREATE" for c in step.changes)
    gone = sum(c.action == "DELETE" for c in step.changes)
    return f"{made} created, {gone} deleted in one batch"
