"""One look by the command line: a repository, one commit of it, and its targets side by side."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self, TypeVar

from reconciler.core.errors import ReconcilerError
from reconciler.core.ids import TargetName
from reconciler.core.problem import Problem
from reconciler.core.redact import Redactor
from reconciler.daemon.observe import host_time
from reconciler.daemon.passes import USUAL, Manner, Runtime, Seen, goal, look_and_plan, open_target
from reconciler.daemon.settings import Settings
from reconciler.gateway.errors import foreseen, say
from reconciler.kinds.register import World
from reconciler.plan.blind import blind_plan
from reconciler.plan.model import Plan, TargetPlan
from reconciler.plan.planner import plan_target
from reconciler.source.git import Credentials, Repository
from reconciler.source.repository import Adopted, Library
from reconciler.spec.desired import DesiredTarget

R = TypeVar("R")


class InvalidCommitError(ReconcilerError):
    """The author must act: the commit that was asked for does not validate."""

    def __init__(self, commit: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"commit {commit[:12]} is not valid: {len(problems)} problems")
        self.commit = commit
        self.problems = problems


class ChoiceError(ReconcilerError):
    """Who asked must act: what was named is not there, or not named closely enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one target gave: what was seen and planned, or why nothing was."""

    target: DesiredTarget
    plan: TargetPlan
    seen: Seen | None  # None: the target's pass ended before a plan was made
    error: Exception | None = None


@dataclass(slots=True)
class Session:
    """A commit in hand, and a connection to each target that was asked for."""

    settings: Settings
    library: Library
    adopted: Adopted
    targets: tuple[DesiredTarget, ...]
    writes: bool
    redactor: Redactor
    _runtimes: dict[str, Runtime] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        """Return this session."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
        self._stack.close()

    def runtime(self, target: DesiredTarget) -> Runtime:
        """Return the connection to a target, opened once."""
        if target.name not in self._runtimes:
            runtime = open_target(target, self.redactor, writes=self.writes)
            self._stack.callback(runtime.aws.close)
            self._runtimes[target.name] = runtime
        return self._runtimes[target.name]

    def look(self, manner: Manner = USUAL) -> tuple[Look, ...]:
        """Observe and plan every target, side by side. One that fails does not stop the others."""
        return self.each(lambda target: self.look_at(target, manner))

    def look_at(self, target: DesiredTarget, manner: Manner = USUAL) -> Look:
        """Observe and plan one target."""
        try:
            seen = look_and_plan(self.runtime(target), self.adopted, self.library, target, manner)
        except Exception as error:
            if not foreseen(error):
                raise
            plan = blind_plan(self.adopted.desired, target, say(error), host_time())
            return Look(target=target, plan=plan, seen=None, error=error)
        return Look(target=target, plan=seen.plan, seen=seen)

    def offline(self, worlds: Mapping[TargetName, World]) -> tuple[Look, ...]:
        """Plan every target on a world that was saved, without a call. Raises: ChoiceError."""
        missing = sorted(t.name for t in self.targets if t.name not in worlds)
        if missing:
            raise ChoiceError(f"the file holds no world of target {missing[0]}; it holds {', '.join(worlds)}")
        found = []
        for target in self.targets:
            world = worlds[target.name]
            made = goal(self.adopted, self.library, target, world, self.redactor)
            plan = plan_target(made, world)
            seen = Seen(world=world, plan=plan, keeper=made.keeper)
            found.append(Look(target=target, plan=plan, seen=seen))
        return tuple(found)

    def each(self, work: Callable[[DesiredTarget], R]) -> tuple[R, ...]:
        """Do something for every target at once; results in the targets' order."""
        with ThreadPoolExecutor(max(1, len(self.targets)), "target") as pool:
            running = [pool.submit(copy_context().run, work, t) for t in self.targets]
            return tuple(r.result() for r in running)

    def plan_of(self, looks: tuple[Look, ...]) -> Plan:
        """Return the plan that several targets make together."""
        return Plan(commit=self.adopted.commit, targets=tuple(x.plan for x in looks))


def open_library(settings: Settings) -> Library:
    """Return the repository that the settings name, by its mirror. Raises: SourceError."""
    credentials = Credentials(
        token=settings.git_token.get_secret_value(),
        ssh_key=settings.ssh_key,
        known_hosts=settings.known_hosts,
    )
    mirror = settings.cache / f"{sha256(settings.repo.encode()).hexdigest()[:16]}.git"
    return Library(Repository(settings.repo, mirror, credentials), settings.path)


def redactor_of(settings: Settings) -> Redactor:
    """Return what secrets are told by: the key from the settings, else a new one for this process."""
    return Redactor(settings.redaction_key.get_secret_value().encode() or _PROCESS_KEY)


_PROCESS_KEY = os.urandom(32)


def open_session(settings: Settings, *, writes: bool) -> Session:
    """Fetch and adopt the commit that the settings name, and no other.

    Raises: SourceError; InvalidCommitError with every problem; ChoiceError for an unknown target.
    """
    library = open_library(settings)
    commit = library.repository.head(settings.ref)
    library.repository.fetch(commit, settings.ref)
    adopted = library.adopt(commit)
    if not isinstance(adopted, Adopted):
        raise InvalidCommitError(commit, adopted)
    return Session(
        settings=settings,
        library=library,
        adopted=adopted,
        targets=chosen(adopted, settings.target),
        writes=writes,
        redactor=redactor_of(settings),
    )


def chosen(adopted: Adopted, names: tuple[str, ...]) -> tuple[DesiredTarget, ...]:
    """Return the targets that were asked for, or all. Raises: ChoiceError."""
    have = adopted.desired.targets
    unknown = sorted(set(names) - {t.name for t in have})
    if unknown:
        known = ", ".join(t.name for t in have) or "none"
        raise ChoiceError(
            f"there is no target {unknown[0]} in commit {adopted.commit[:12]}; there is {known}"
        )
    return tuple(t for t in have if not names or t.name in names)
