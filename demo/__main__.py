"""`python -m demo`: tell the story; exit 0 only if each step was verified against AWS."""

import argparse
import sys
import tempfile
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.text import Text

from demo.rollouts import AFTER, BEFORE, Rollouts
from demo.stage import Stage, StoryError
from demo.story import Story
from demo.telling import Teller
from demo.truth import Truth

SPEED = 60.0  # emulated seconds in one: an instance boots in a second and a half
WIDTH = 118  # columns where there is no terminal
LAST = 40  # lines of the daemon's log that are shown when the story fails


def main() -> int:
    """Tell the story and return the exit code."""
    parser = argparse.ArgumentParser(prog="reconciler demo")
    parser.add_argument("--speed", type=float, default=SPEED, help="emulated seconds in a real one")
    parser.add_argument(
        "--pages", type=Path, help="folder for the pull request's pages; a new one without it"
    )
    asked = parser.parse_args()
    pages = asked.pages or Path(tempfile.mkdtemp(prefix="reconciler-demo-pages-"))
    pages.mkdir(parents=True, exist_ok=True)
    console, began = Console(highlight=False), monotonic()
    if not console.is_terminal:
        console.width = WIDTH
    with tempfile.TemporaryDirectory(prefix="reconciler-demo-") as folder:
        stage = Stage(Path(folder), asked.speed)
        try:
            with stage:
                scene = (stage, Teller(console), Truth(stage.url))
                for act in Story(*scene, Rollouts(*scene, pages)).acts():
                    act()
        except StoryError as error:
            console.print(Text(f"   ✗ {error}", style="bold red"))
            if stage.log.exists():
                lines = stage.log.read_text(errors="replace").splitlines()[-LAST:]
                console.print(Text("\n".join(lines), style="dim"))
            return 1
    console.print(Text("\nThe pull request's page, to look at in a browser:"))
    for name in (BEFORE, AFTER):
        console.print(Text(f"   {pages / name}"), soft_wrap=True)
    console.print(
        Text(
            f"\nEvery step was verified against AWS and the git host, in {monotonic() - began:.0f} s.",
            style="bold",
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
