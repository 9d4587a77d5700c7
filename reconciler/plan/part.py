"""One part of a fleet that changes beside its revision."""

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.kinds.register import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One live field that is not as wanted."""

    resource: str
    field: str
    want: str
    live: str
    mends: bool = True  # False: no call of ours puts it right; only a new revision does


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What git says of one part, where live differs, and the step that puts the first difference right."""

    name: str
    want: object  # JSON-like; its short hash stands in `reconciler:applied`
    rows: tuple[Row, ...]
    step: Callable[["Part"], Step] | None
    looked: bool = True  # False: nobody read the live side in this pass
