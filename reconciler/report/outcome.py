"""What became of one step, told without the exception that it raised."""

from dataclasses import dataclass
from typing import TypeAlias

from reconciler.kinds.register import Step
from reconciler.report.document_events import StepApplied, StepFailed

Thing: TypeAlias = tuple[str, str]
"""A document in one target: its kind and name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One step of a pass, done or failed."""

    kind: str  # Fleet | Image | Zone
    name: str
    revision: str
    step: Step
    already: bool = False  # the effect was there before
    change: str = ""  # id of a Route 53 change batch
    failure: str = ""  # what follows from the error; empty: the step was done
    why: str = ""

    @property
    def thing(self) -> Thing:
        """Whose step it was."""
        return (self.kind, self.name)

    @property
    def done(self) -> bool:
        """Did the step take effect."""
        return not self.failure


def step_event(commit: str, target: str, outcome: Outcome) -> StepApplied | StepFailed:
    """Return the event of one step."""
    if outcome.failure:
        return StepFailed(
            commit=commit,
            target=target,
            kind=outcome.kind,
            name=outcome.name,
            revision=outcome.revision,
            op=outcome.step.op,
            resource=str(outcome.step.name),
            failure=outcome.failure,
            why=outcome.why,
        )
    return StepApplied(
        commit=commit,
        target=target,
        kind=outcome.kind,
        name=outcome.name,
        revision=outcome.revision,
        op=outcome.step.op,
        resource=str(outcome.step.name),
        because=getattr(outcome.step, "because", ""),
        change=outcome.change,
        already=outcome.already,
    )
