"""What follows from a plan once it is merged, in one sentence of our own words and numbers."""

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.plan.model import ActionKind, Item, TargetPlan
from reconciler.report import words
from reconciler.report.sections import counted, last, recreated

SWAPPED: Final = (
    "is stopped before its new instances start: **nothing serves in between**",
    "are stopped before their new instances start: **nothing serves in between**",
)
SAID: Final = {
    ActionKind.RETIRE: ("is **deleted with all its instances**", "are **deleted with all their instances**"),
    ActionKind.REPLACE: (
        "gets new instances beside the old ones, which go once the new ones serve",
        "get new instances beside the old ones, which go once the new ones serve",
    ),
    ActionKind.UPDATE: ("is changed in place", "are changed in place"),
    ActionKind.CREATE: ("is made", "are made"),
    ActionKind.BLOCKED: ("is held until its reason is gone", "are held until their reasons are gone"),
    ActionKind.UNREAD: ("could not be read and stays as it is", "could not be read and stay as they are"),
    ActionKind.NONE: ("has its drift put right", "have their drift put right"),
}
"""By action, what dangerous ones come to first: of one document, and of several."""


def effect(shown: Sequence[tuple[TargetPlan, Item]], when: str) -> Iterator[str]:
    """Tell what happens when this is merged or applied, and how long it takes at the least."""
    moving = [i for _, i in shown if not _over(i) and not _goes_on(i)]
    parts = []
    for action, said in SAID.items():
        found = [i for i in moving if i.action is action]
        stopped = [i for i in found if action is ActionKind.REPLACE and recreated(i)]
        parts += [*_part(stopped, SWAPPED), *_part([i for i in found if i not in stopped], said)]
    if any(_over(i) for _, i in shown):
        parts.append("**nothing begins where a limit is passed**")
    spans = [at - t.as_of for t, i in shown if not i.blocked and (at := last(i)) is not None]
    longest = max(spans, default=None)
    if parts:
        took = f" Done after about {words.rough(longest)} at the earliest." if longest else ""
        yield f"**When {when}:** {'; '.join(parts)}.{took}"


def _part(found: Sequence[Item], said: tuple[str, str]) -> Iterator[str]:
    if found:
        kinds = {i.kind for i in found}
        noun = kinds.pop().lower() if len(kinds) == 1 else "document"
        yield f"{counted(len(found), noun)} {said[0] if len(found) == 1 else said[1]}"


def _over(item: Item) -> bool:
    return item.blocked is not None and item.blocked.code == "limit"


def _goes_on(item: Item) -> bool:
    """Is this nothing new: a rollout of another commit that goes on."""
    return item.action is ActionKind.NONE and not item.now
