"""The product as its users have it: a git repository, an AWS that answers, and the program.

product.commit({"fleets/web.yaml": ...})     # pushed to a real bare repository
product.converge()                           # passes in this process, time moved by hand
product.cli("plan", "--detailed-exitcode")   # a process of its own
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from reconciler.apply.executor import Done, Failed
from reconciler.core.facts import Unread
from reconciler.daemon.passes import Manner, Runtime, apply
from reconciler.daemon.session import Look, Session, chosen, open_library, redactor_of
from reconciler.daemon.settings import Settings
from reconciler.gateway.pace import Paces
from reconciler.gateway.session import Place, open_aws
from reconciler.kinds.register import World
from reconciler.plan.model import ActionKind, TargetPlan
from reconciler.plan.standing import Standing, standing
from reconciler.source.repository import Adopted, Library
from tests import quick
from tests.emulated import Emulated
from tests.repositories import Company
from tests.warm import mother

STEP = timedelta(seconds=60)  # that time is moved by where a wait does not say until when
ENOUGH = 150  # passes that any convergence takes at most
BRIEF = Manner(ahead=False)

quick.install()

Watch = Callable[[], None]


def no_watch() -> None:
    """Look at nothing."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One pass of one target: what was planned, and what came of it."""

    look: Look
    outcomes: tuple[Done | Failed, ...]

    @property
    def plan(self) -> TargetPlan:
        """The plan."""
        return self.look.plan

    @property
    def failed(self) -> tuple[Failed, ...]:
        """Steps whose write raised."""
        return tuple(o for o in self.outcomes if isinstance(o, Failed))


@dataclass(slots=True, kw_only=True)
class Product:
    """A repository and the program, over one emulator."""

    aws: Emulated
    folder: Path
    company: Company = field(init=False)
    _library: Library | None = field(default=None, repr=False)
    _adopted: dict[str, Adopted] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.company = Company(self.folder / "git")

    def commit(self, files: Mapping[str, str | None]) -> str:
        """Commit and push; return the commit."""
        return self.company.commit(files)

    def options(self) -> dict[str, str]:
        """Return the settings by which every command finds the repository."""
        return {"RECONCILER_REPO": str(self.company.bare), "RECONCILER_CACHE": str(self.folder / "cache")}

    def cli(self, *argv: str, **env: str) -> Ended:
        """Run the command line in a process of its own; every call says which command made it."""
        with TemporaryDirectory(dir=self.folder) as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            code = mother().run(
                {
                    "argv": argv,
                    "cwd": str(self.folder),
                    "env": {**self.aws.env(), **self.options(), "AWS_SDK_UA_APP_ID": argv[0], **env},
                    "out": str(out),
                    "err": str(err),
                }
            )
            return Ended(code, out.read_text(), err.read_text())

    @contextmanager
    def session(self, command: str = "apply") -> Iterator[Session]:
        """Open a session in this process, as a command does; it is paced by nothing."""
        settings = Settings(repo=str(self.company.bare), cache=self.folder / "cache", target=())
        with (
            environment({**self.aws.env(), "AWS_SDK_UA_APP_ID": command}),
            self._open(settings, writes=command == "apply") as session,
        ):
            unpaced(session, self.aws, command)
            yield session

    def _open(self, settings: Settings, *, writes: bool) -> Session:
        """Do as `open_session`, but read a commit once, as the daemon does: what it holds never changes."""
        self._library = library = self._library or open_library(settings)
        commit = library.repository.head(settings.ref)
        if commit not in self._adopted:
            library.repository.fetch(commit, settings.ref)
            adopted = library.adopt(commit)
            assert isinstance(adopted, Adopted), adopted
            self._adopted[commit] = adopted
        return Session(
            settings=settings,
            library=library,
            adopted=self._adopted[commit],
            targets=chosen(self._adopted[commit], settings.target),
            writes=writes,
            redactor=redactor_of(settings),
        )

    def plan(self) -> TargetPlan:
        """Look anew, in full, and return the plan of the one target."""
        with self.session("plan") as session:
            audited = frozenset(f.name for f in session.adopted.desired.fleets)
            (look,) = session.look(Manner(audited=audited))
            if look.error:
                raise look.error
            return look.plan

    def converge(self, watch: Watch = no_watch, *, until: Callable[[Pass], bool] | None = None) -> list[Pass]:
        """Make passes until nothing moves, or `until` holds; time moves where all wait."""
        with self.session() as session:
            return converge(session, self.aws, watch, until=until)

    def settle(self, watch: Watch = no_watch) -> list[Pass]:
        """Converge; then read back and plan again: the plan is empty."""
        passes = self.converge(watch)
        assert standing(passes[-1].plan) is Standing.CONVERGED, story(passes)
        assert_in_sync(self.plan())
        return passes


def converge(
    session: Session, aws: Emulated, watch: Watch = no_watch, *, until: Callable[[Pass], bool] | None = None
) -> list[Pass]:
    """Make passes of a session's one target until nothing moves, or `until` holds."""
    made: list[Pass] = []
    while len(made) < ENOUGH:
        made.append(one_pass(session, watch))
        if until and until(made[-1]):
            return made
        stands = standing(made[-1].plan)
        if stands in (Standing.CONVERGED, Standing.BLOCKED) and not made[-1].failed:
            return made
        if not made[-1].outcomes:
            wait(made[-1].plan, aws)
    raise AssertionError(f"not converged: {story(made)}")


def one_pass(session: Session, watch: Watch = no_watch) -> Pass:
    """Look at the one target and do what is safe now."""
    (look,) = session.look(BRIEF)
    if look.seen is None:
        assert look.error
        raise look.error
    outcomes = []
    for outcome in apply(session.runtime(look.target), look.seen, session.adopted.commit):
        outcomes.append(outcome)
        moved = isinstance(outcome, Failed) and str(outcome.error).endswith("when this was planned")
        assert not moved, f"nobody else writes: {outcome}"
        watch()
    return Pass(look=look, outcomes=tuple(outcomes))


def wait(plan: TargetPlan, aws: Emulated) -> None:
    """Move time to where an answer can change."""
    now = aws.control.now()
    ends = [i.wait.until - now for i in plan.items if i.wait and i.wait.until and i.wait.until > now]
    unsure = any(i.wait and i.wait.until is None for i in plan.items)
    aws.control.advance(min([*ends, *[STEP] * (unsure or not ends)]) + timedelta(seconds=1))


def unpaced(session: Session, aws: Emulated, command: str) -> None:
    """Connect a session's targets without the pace that real Route 53 asks for: tests are in a hurry.

    A connection stays open for the next session: to make its clients takes as long as a pass.
    """
    for target in session.targets:
        spec = target.spec
        place = Place(
            target=target.name,
            account=spec.account,
            region=spec.region,
            assume_role=spec.assumeRole,
            external_id=spec.externalId,
        )
        opened = aws.opened.get((command, place))
        if opened is None:
            opened = open_aws(place, writes=session.writes, paces=Paces({}))
            if place.assume_role:  # what sts lent does not outlast the test
                session._stack.callback(opened.close)
            else:
                aws.opened[command, place] = opened
        session._runtimes[target.name] = Runtime(opened, redactor_of(session.settings))


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process for a while."""
    before = {k: os.environ.get(k) for k in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


def assert_in_sync(plan: TargetPlan) -> None:
    """Nothing to do, nothing drifted, nothing unread."""
    assert plan.complete, plan.unread
    busy = [i for i in plan.items if i.action is not ActionKind.NONE or i.now or i.wait or i.blocked]
    assert busy == []
    assert plan.drift == ()


def story(passes: list[Pass]) -> str:
    """Return what happened, a line for each pass."""
    lines = []
    for one in passes:
        did = [o.step.op + (f" FAILED {o.error!r}" if isinstance(o, Failed) else "") for o in one.outcomes]
        held = [f"{i.name}: {w.why}" for i in one.plan.items for w in (i.wait, i.blocked) if w]
        lines.append(f"{one.plan.as_of:%H:%M:%S} {did} {held} {one.plan.unread}")
    return "\n" + "\n".join(lines)


def world_of(session: Session) -> World:
    """Return what one full look at the target sees."""
    audited = frozenset(f.name for f in session.adopted.desired.fleets)
    (look,) = session.look(Manner(ahead=False, audited=audited))
    assert look.seen
    world = look.seen.world
    assert not any(isinstance(v, Unread) for v in (world.groups, world.templates, world.balancers))
    return replace(world)


def tags(group: Mapping[str, Any]) -> dict[str, str]:
    """Return the tags of a raw group."""
    return {t["Key"]: t["Value"] for t in group["Tags"]}
