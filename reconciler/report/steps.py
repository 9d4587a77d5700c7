"""One write in a few words, for progress lines and logs."""

from reconciler.kinds.register import Step
from reconciler.plan.told import detail, quiet

__all__ = ["doing", "quiet"]


def doing(step: Step) -> str:
    """Return what a step does, to what, and because of what."""
    because = getattr(step, "because", "")
    more = detail(step)
    head = f"{step.op} {step.name}" + (f" {more}" if more else "")
    return f"{head} ({because})" if because else head
