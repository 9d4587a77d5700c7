"""Errors of pull requests at their lines, where the host has a place for them."""

from dataclasses import dataclass, field
from typing import Final

from reconciler.core.ids import Commit
from reconciler.core.problem import Problem
from reconciler.hosts.model import Annotation, Host
from reconciler.report.escape import visible

LONGEST: Final = 2_000  # characters of one message
NOWHERE: Final = (".", "?")  # files of problems that no file has


@dataclass(slots=True, kw_only=True)
class Checks:
    """Shows errors, and remembers what it showed: the same ones again cost no call."""

    host: Host
    path: str = ""  # folder of the desired state, that problems are told relative to
    _shown: dict[int, tuple[Commit, tuple[Annotation, ...]]] = field(default_factory=dict)

    def show(self, number: int, head: Commit, problems: tuple[Problem, ...]) -> None:
        """Show what is wrong with a head, or that nothing is any more. Raises: HostError, HostBusyError."""
        found = tuple(self._annotation(p) for p in problems if p.at.file not in NOWHERE)
        if self._shown.get(number) != (head, found):
            self.host.annotate(head, found)
            self._shown[number] = (head, found)

    def _annotation(self, one: Problem) -> Annotation:
        folder = self.path.strip("/")
        return Annotation(
            path=f"{folder}/{one.at.file}" if folder else one.at.file,
            line=one.at.line,
            column=one.at.column,
            title=visible(one.what),
            message=visible(f"{one.what}; {one.why}; {one.fix}")[:LONGEST],
        )
