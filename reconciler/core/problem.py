"""What is wrong with an input: where, what, why, and what to write instead."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file of the desired state. Lines and columns count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One error, told so that its author can mend it without asking anybody."""

    at: Position
    what: str
    why: str
    fix: str

    def __str__(self) -> str:
        return f"{self.at}: {self.what}; {self.why}; {self.fix}"


class RefusedError(ValueError):
    """A value that a validator refuses, with the three sentences of its Problem.

    `path` leads from the model that refuses to the field that its author has to look at.
    """

    def __init__(self, what: str, why: str, fix: str, path: str = "") -> None:
        super().__init__(f"{what}; {why}; {fix}")
        self.what, self.why, self.fix = what, why, fix
        self.path = tuple(int(p) if p.isdigit() else p for p in path.split(".")) if path else ()
