"""One look by the command line: a repository, one commit of it, and its targets side by side."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Self, TypeVar

from reconciler.core.errors import ReconcilerError
from reconciler.core.ids import TargetName
from reconciler.core.problem import Problem
from reconciler.core.redact import Redactor
from reconciler.daemon.observe import host_time
from reconciler.daemon.passes import USUAL, Manner, Runtime, Seen, goal, look_and_plan, open_target
from reconciler.daemon.settings import Settings
from reconciler.daemon.signing import signatures_of
from reconciler.gateway.errors import foreseen, say
from reconciler.kinds.register import World
from reconciler.plan.blind import blind_plan
from reconciler.plan.model import Plan, TargetPlan
from reconciler.plan.planner import plan_target
from reconciler.plan.reach import Reports, report
from reconciler.source.git import Credentials, Repository
from reconciler.source.repository import Adopted, Library
from reconciler.spec.desired import Desired, DesiredTarget

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
        """Return the connection to a target, opened once; one that was not asked for is never written."""
        if target.name not in self._runtimes:
            writes = self.writes and target in self.targets
            runtime = open_target(target, self.redactor, writes=writes)
            self._stack.callback(runtime.aws.close)
            self._runtimes[target.name] = runtime
        return self._runtimes[target.name]

    def look(self, manner: Manner = USUAL) -> tuple[Look, ...]:
        """Observe every target, side by side, and plan each knowing how far its fleets are in the others.

        Looks too where fleets of these targets come before, and returns the looks at those that were
        asked for. One that fails does not stop the others.
        """
        before = earlier(self.adopted.desired, self.targets)
        looks = self.each(lambda target: self.look_at(target, manner), (*self.targets, *before))
        return self._in_waves(looks[: len(self.targets)], looks, ahead=manner.ahead)

    def _in_waves(
        self, asked: tuple[Look, ...], looks: tuple[Look, ...], *, ahead: bool = True
    ) -> tuple[Look, ...]:
        """Plan again what comes after other targets: its first plan was made as if nothing were before it."""
        waves: Reports = {x.target.name: report(x.plan, self.adopted.commit) for x in looks}
        later = {f.target for f in self.adopted.desired.fleets if f.target != f.spec.targets[0]}

        def again(look: Look) -> Look:
            if look.seen is None or look.target.name not in later:
                return look
            made = replace(look.seen.goal, waves=waves)
            seen = replace(look.seen, plan=plan_target(made, look.seen.world, ahead=ahead), goal=made)
            return replace(look, plan=seen.plan, seen=seen)

        return tuple(map(again, asked))

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
        before = earlier(self.adopted.desired, self.targets)
        looks = tuple(self._look_offline(t, worlds.get(t.name)) for t in (*self.targets, *before))
        return self._in_waves(looks[: len(self.targets)], looks)

    def _look_offline(self, target: DesiredTarget, world: World | None) -> Look:
        if world is None:
            why = "the file holds no world of it"
            return Look(
                target=target, plan=blind_plan(self.adopted.desired, target, why, host_time()), seen=None
            )
        made = goal(self.adopted, self.library, target, world, self.redactor)
        seen = Seen(world=world, plan=plan_target(made, world), goal=made)
        return Look(target=target, plan=seen.plan, seen=seen)

    def each(
        self, work: Callable[[DesiredTarget], R], targets: tuple[DesiredTarget, ...] | None = None
    ) -> tuple[R, ...]:
        """Do something for every target, or for some, at once; results in the targets' order."""
        chosen = self.targets if targets is None else targets
        with ThreadPoolExecutor(max(1, len(chosen)), "target") as pool:
            running = [pool.submit(copy_context().run, work, t) for t in chosen]
            return tuple(r.result() for r in running)

    def plan_of(self, looks: tuple[Look, ...]) -> Plan:
        """Return the plan that several targets make together."""
        return Plan(commit=self.adopted.commit, targets=tuple(x.plan for x in looks))


def open_library(settings: Settings) -> Library:
    """Return the repository that the settings name, by its mirror. Raises: SourceError, SettingsError."""
    credentials = Credentials(
        token=settings.git_token.get_secret_value(),
        ssh_key=settings.ssh_key,
        known_hosts=settings.known_hosts,
    )
    mirror = settings.cache / f"{sha256(settings.repo.encode()).hexdigest()[:16]}.git"
    repository = Repository(settings.repo, mirror, credentials)
    return Library(repository, settings.path, signatures=signatures_of(settings, repository))


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


def earlier(desired: Desired, targets: tuple[DesiredTarget, ...]) -> tuple[DesiredTarget, ...]:
    """Return the other targets in which fleets of these ones have to shift before they begin here."""
    here = {t.name for t in targets}
    before = {
        name
        for f in desired.fleets
        if f.target in here
        for name in f.spec.targets[: f.spec.targets.index(f.target)]
    }
    return tuple(t for t in desired.targets if t.name in before - here)


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
