"""How much of a plan a comment tells: what does not fit the host's limit is left out by section."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

FITS: Final = 60_000  # bytes of UTF-8: GitHub takes 65,536 characters in a comment, and others add to ours

SECTIONS: Final = ("table", "reasons", "drift", "steps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What one level tells."""

    sections: tuple[str, ...]
    rows: int = 50  # of a list of what is wrong; more is not read
    risky: bool = False  # of the table only what deletes, replaces or is blocked

    @property
    def left_out(self) -> tuple[str, ...]:
        """The sections that are not told."""
        return tuple(s for s in SECTIONS if s not in self.sections)


ALL: Final = Level(sections=SECTIONS)
LEVELS: Final = (
    ALL,
    Level(sections=("table", "reasons", "drift")),
    Level(sections=("table", "reasons")),
    Level(sections=("table",)),
    Level(sections=("table",), rows=20, risky=True),
    Level(sections=(), rows=5),
)
"""From all to the least."""


def fitted(render: Callable[[Level], Iterable[str]], fits: int = FITS) -> str:
    """Return the first level of a text that has at most `fits` bytes, else its least."""
    text = ""
    for level in LEVELS:
        text = "\n".join(render(level)) + "\n"
        if len(text.encode()) <= fits:
            break
    return text


def more(count: int, rows: int) -> Iterator[str]:
    """Say how many rows were left out."""
    if count > rows:
        yield ""
        yield f"and {count - rows} more"
