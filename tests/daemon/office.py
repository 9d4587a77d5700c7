"""A repository, a git host in memory, and the desk between them: what tests of pull requests rest on."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler.core.redact import Redactor
from reconciler.daemon.desk import Desk
from reconciler.daemon.passes import approving, goal
from reconciler.daemon.pull_notes import Notes
from reconciler.daemon.pull_rests import Rests
from reconciler.hosts.model import Pull
from reconciler.plan.planner import plan_target
from reconciler.plan.pulls import Compared, compare
from reconciler.report.event import Event
from reconciler.source.git import Repository
from reconciler.source.repository import Adopted, Library
from tests.daemon.memory_host import ANN, MemoryHost
from tests.plan.house import IMAGE, TARGET, House, empty_world, fleet, zone
from tests.repositories import Company

LIVE = "live-1"


@dataclass
class PurePlans:
    """Plans against a world in memory: the same planner, without AWS."""

    library: Library
    house: House = field(default_factory=House)
    made: int = 0

    def plan(
        self, base: Adopted, merged: Adopted, approved: tuple[str, ...] = (), only: tuple[str, ...] = ()
    ) -> tuple[Compared, ...]:
        self.made += 1
        world, redactor = empty_world(), Redactor(b"key")
        found = []
        for target in merged.desired.targets:
            before = base.desired.target(target.name)
            old = plan_target(goal(base, self.library, before, world, redactor), world) if before else None
            new = approving(goal(merged, self.library, target, world, redactor), approved)
            found.append(compare(old, plan_target(new, world)))
        return tuple(found)


@dataclass
class Office:
    """A repository, a host, and the desk between them."""

    company: Company
    host: MemoryHost
    desk: Desk
    library: Library
    clock: list[float]
    told: list[Event]

    def base(self) -> Adopted:
        repository = self.library.repository
        repository.fetch(repository.head())
        found = self.library.adopt(repository.head())
        assert isinstance(found, Adopted)
        return found

    def look(self, live: str = LIVE) -> int:
        return len(list(self.desk.look(self.base(), "main", live)))

    def propose(self, number: int, files: dict[str, str | None], **of: object) -> str:
        """Push a head, as a person does, and open its pull request where there is none."""
        base = self.company.head()
        head = self.company.commit(files, push=False)
        self.company._git(
            "push", "--quiet", "--force", str(self.company.bare), f"HEAD:refs/pull/{number}/head"
        )
        self.company._git("reset", "--quiet", "--hard", base)
        made = Pull(number=number, head=head, base_ref="main", author=ANN, fork=False, draft=False)
        self.host.open[number] = replace(self.host.open.get(number, made), head=head, **of)
        self.clock[0] += 61
        return head


def opened(folder: Path) -> Office:
    """Open an office over a repository with one fleet."""
    company = Company(folder / "git")
    company.commit({"base.yaml": f"{TARGET}---\n{IMAGE}---\n{zone()}", "web.yaml": fleet("web")})
    library = Library(Repository(str(company.bare), folder / "mirror.git"))
    host, clock = MemoryHost(), [1000.0]
    told: list[Event] = []
    notes = Notes(host=host, key=b"secret", now=lambda: clock[0])
    desk = Desk(
        host=host,
        library=library,
        plans=PurePlans(library),
        notes=notes,
        rests=Rests(emit=told.append, now=lambda: clock[0], chance=lambda: 0.5),
        engine="0.1.0",
        now=lambda: clock[0],
    )
    return Office(company, host, desk, library, clock, told)
