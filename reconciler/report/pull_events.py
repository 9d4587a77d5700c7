"""Events about pull requests and the git host."""

from dataclasses import dataclass
from typing import ClassVar

from reconciler.report.event import Event, Level, OfCommit


@dataclass(frozen=True, slots=True, kw_only=True)
class PullPlanned(OfCommit):
    """A pull request was planned against the commit in force, and its comment and status say so."""

    event: ClassVar[str] = "pull.planned"
    pull: int
    head: str
    verdict: str  # success | failure | pending | error
    risk: str  # none | low | high | stop


@dataclass(frozen=True, slots=True, kw_only=True)
class PullCommand(OfCommit):
    """Somebody gave a command on a pull request. `done` is false where they may not, or it made no sense."""

    event: ClassVar[str] = "pull.command"
    pull: int
    verb: str
    word: str
    author: str
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PullFailed(Event):
    """The git host refused what is about one pull request. Told once; it is tried later and later."""

    event: ClassVar[str] = "pull.failed"
    level: ClassVar[Level] = "warning"
    pull: int  # 0 where `of` is a commit: a tree of the merge queue, or a merge
    part: str  # plan | check | command | queue | merge | end
    of: str
    failures: int  # in a row
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFailed(Event):
    """The git host did not do what it was asked. Told once until it does; passes go on."""

    event: ClassVar[str] = "host.failed"
    level: ClassVar[Level] = "warning"
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRecovered(Event):
    """The git host answers again."""

    event: ClassVar[str] = "host.recovered"
    failures: int
