"""What a reviewer is told of signatures: which rule asks for one, and of whom."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.report.escape import code

MOST: Final = 5  # rules, and patterns of each


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """Files that a rule of `verify_signatures` guards, and that are changed."""

    rule: int  # from 1
    paths: tuple[str, ...]
    files: tuple[str, ...]


def guarded_lines(found: Sequence[Guarded]) -> Iterator[str]:
    """Return one line for each rule that the merge commit must satisfy."""
    for one in found[:MOST]:
        paths = ", ".join(code(p) for p in one.paths[:MOST]) + (", ..." if len(one.paths) > MOST else "")
        more = f" and {len(one.files) - 1} more" if len(one.files) > 1 else ""
        yield ""
        yield (
            f"> **Signature:** rule {one.rule} of `verify_signatures` ({paths}) guards "
            f"{code(one.files[0])}{more}: the merge commit must be signed by a key that it allows, "
            "or nothing of it is adopted."
        )
