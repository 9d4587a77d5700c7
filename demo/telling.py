"""How the story is told: to a person at a terminal, and read from what the product says."""

import re
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from demo.stage import StoryError

LASTED = r"\b\d+[hm]"  # what took minutes or hours
EXCERPT = 16  # lines of a plan or a log that are shown


@dataclass(slots=True)
class Teller:
    """Prints the story as a person would tell it."""

    console: Console
    act: int = 0

    def begin(self, title: str) -> None:
        """Begin an act."""
        self.act += 1
        self.console.print(Text(f"\n{self.act}. {title}", style="bold cyan"))

    def say(self, text: str) -> None:
        """Tell what is done."""
        self.console.print(Text(f"   {text}"))

    def quote(self, text: str, most: int = EXCERPT) -> None:
        """Show real output."""
        lines = [x for x in text.splitlines() if x.strip()]
        for line in lines[:most]:
            self.console.print(
                Text(f"   | {line}", style="dim"), no_wrap=True, overflow="ellipsis", crop=True
            )
        if len(lines) > most:
            self.console.print(Text(f"   | ... {len(lines) - most} more lines", style="dim"))

    def check(self, what: str, *, holds: bool) -> None:
        """Say that something was verified. Raises: StoryError when it does not hold."""
        if not holds:
            raise StoryError(f"not true: {what}")
        self.console.print(Text(f"   ✓ {what}", style="green"))


def shown(comment: str) -> str:
    """Return the part of a comment that is read without unfolding anything."""
    return comment.partition("<details>")[0].partition("<!--")[0]


def told(comment: str, fleet: str, *words: str) -> bool:
    """Does one row of a fleet say this, and only one: it has a row in each of its targets."""
    rows = [x for x in comment.splitlines() if x.startswith("|") and f"Fleet `{fleet}`" in x]
    return sum(all(re.search(word, row) for word in words) for row in rows) == 1
