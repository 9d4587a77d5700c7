"""One write in a few words, for progress lines and logs."""

from reconciler.kinds.group.steps import TagGroup
from reconciler.kinds.register import Step
from reconciler.kinds.template.steps import TagTemplate
from reconciler.plan.told import detail


def quiet(step: Step) -> bool:
    """Is this only bookkeeping: a tag that remembers what was done."""
    return isinstance(step, TagGroup | TagTemplate)


def doing(step: Step) -> str:
    """Return what a step does, to what, and because of what."""
    because = getattr(step, "because", "")
    more = detail(step)
    head = f"{step.op} {step.name}" + (f" {more}" if more else "")
    return f"{head} ({because})" if because else head
