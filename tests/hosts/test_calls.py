"""What the whole desk costs a host, from the first look on: the table in docs/pull-requests.md is measured here."""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from reconciler.daemon.desk import Desk
from reconciler.daemon.pull_commands import Commands
from reconciler.daemon.pull_notes import Notes
from reconciler.daemon.pull_rests import Rests
from reconciler.hosts.model import HostBusyError
from reconciler.source.git import Repository
from reconciler.source.repository import Adopted, Library
from tests.daemon.office import PurePlans
from tests.hosts.conftest import KINDS, Stage
from tests.plan.house import IMAGE, TARGET, fleet, zone
from tests.repositories import Company

pytestmark = pytest.mark.slow

PULLS: Final = 50
EVERY: Final = 30  # seconds
LIMIT: Final = 300  # an hour
PAGE: Final = Path(__file__).parents[2] / "docs" / "pull-requests.md"


@dataclass
class Tended:
    """A host with open pull requests, and the desk that tends them."""

    stage: Stage
    folder: Path
    live: str = "live-1"
    _turns: "count[int]" = field(default_factory=lambda: count(2))

    def __post_init__(self) -> None:
        self.company = Company(self.folder / "git")
        self.company.commit({"base.yaml": f"{TARGET}---\n{IMAGE}---\n{zone()}", "web.yaml": fleet("web")})
        library = Library(Repository(str(self.company.bare), self.folder / "mirror.git"))
        library.repository.fetch(library.repository.head())
        base = library.adopt(library.repository.head())
        assert isinstance(base, Adopted)
        self.base, host, clock = base, self.stage.host, self.stage.clock
        self.desk = Desk(
            host=host,
            library=library,
            plans=PurePlans(library),
            notes=Notes(host=host, key=b"secret", now=clock),
            rests=Rests(emit=lambda _: None, now=clock),
            engine="0.1.0",
            now=clock,
        )
        self.commands = Commands(desk=self.desk, explain=str, hand=str, since=self.stage.forge.now())
        ann = self.stage.forge.account("ann", "write")
        head = self.grow("more")
        for n in range(PULLS):
            pull = self.stage.forge.open(ann, f"b{n}", head=head)
            if n % 2:
                self.stage.forge.comment(pull, ann, "looks good")
        self.point(head, *range(1, PULLS + 1))

    def grow(self, name: str) -> str:
        """Commit one more fleet on top of main, and return the commit."""
        self.company.back_to(self.base.commit)
        return self.company.commit({f"{name}.yaml": fleet(name)}, push=False)

    def point(self, head: str, *numbers: int) -> None:
        """Push a commit as the head of pull requests."""
        refs = [f"{head}:{self.stage.host.head_ref(n)}" for n in numbers]
        self.company._git("push", "--quiet", "--force", str(self.company.bare), *refs)

    def spend(self, seconds: int) -> tuple[int, int]:
        """Look as the daemon does; return the requests that the host counted, and all of them."""
        site = self.stage.site
        counted, calls = site.counted, len(site.calls)
        for _ in range(seconds // EVERY):
            with suppress(HostBusyError):  # it paces its writes: the next look takes the rest
                list(self.desk.look(self.base, "main", self.live))
                list(self.commands.look())
            self.stage.clock.now += EVERY
        return site.counted - counted, len(site.calls) - calls


def measured(stage: Stage, folder: Path) -> list[int]:
    """An hour with nothing new, and what one push, a live world that moved, and a start cost more."""
    tended = Tended(stage, folder)
    first, _ = tended.spend(300)
    tended.spend(600)
    quiet, calls = tended.spend(3_600)
    assert [h.status[1].state.value for h in tended.desk.held.values() if h.status] == ["success"] * PULLS
    usual, _ = tended.spend(600)
    head = tended.grow("other")
    stage.forge.push(stage.forge.pulls[7], head)
    tended.point(head, 7)
    pushed, _ = tended.spend(600)
    return [first, calls, calls if stage.kind == "gitlab" else quiet, pushed - usual]


def told() -> dict[str, list[int]]:
    """What the page says, by host."""
    rows = re.findall(
        r"^\| (git[a-z ]+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", PAGE.read_text(), re.MULTILINE
    )
    return {name: [int(n) for n in numbers] for name, *numbers in rows}


def test_the_page_tells_of_every_host() -> None:
    assert sorted(told()) == sorted(KINDS)
    assert all(calls <= LIMIT for _, calls, _, _ in told().values())


def test_the_page_tells_what_fifty_open_pull_requests_cost(stage: Stage, tmp_path: Path) -> None:
    assert measured(stage, tmp_path) == told()[stage.kind]
