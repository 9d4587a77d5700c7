"""Every host as the adapters meet it: served over HTTP, with a clock that stands still until it is moved."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

import pytest

from emulator.githost.forge import Account, Forge
from emulator.githost.github import App
from emulator.githost.wire import Fault, Reply, Request, Site, serve
from reconciler.hosts.github import GitHub
from reconciler.hosts.github_app import AppToken
from reconciler.hosts.gitlab import GitLab
from tests.hosts import fake_gitlab
from tests.hosts.fake_github import judged, key_pair

TOKEN = "ghp_canary0123456789"
START = 1_780_300_800.0  # seconds since 1970: 2026-06-01T08:00:00Z
KINDS = ("github", "github enterprise", "github app", "gitlab")
keys = cache(key_pair)


@dataclass
class Clock:
    """Seconds since 1970."""

    now: float = START

    def __call__(self) -> float:
        return self.now


@dataclass
class Stage:
    """One host, and what stands behind it."""

    kind: str
    forge: Forge
    site: Site
    clock: Clock
    me: Account
    make: Callable[[], GitHub | GitLab]
    found: list[str]  # what the real host would not take, or not say
    host: GitHub | GitLab = field(init=False)
    token: AppToken | None = None

    def __post_init__(self) -> None:
        self.again()

    def again(self) -> None:
        """Begin as a process that knows nothing."""
        self.host = self.make()
        self.host.api.now = self.clock

    def fails(self, match: str, **how: object) -> Fault:
        """Let the next request that matches go wrong."""
        made = Fault(match, **how)
        self.site.faults.append(made)
        return made

    def after(self, match: str, do: Callable[[], object]) -> None:
        """Do something once, right after a request was answered."""
        check, waiting = self.site.check, [match]

        def also(request: Request, reply: Reply, fault: Fault | None) -> None:
            check(request, reply, fault)
            said = f"{request.path}?{'&'.join(f'{k}={v}' for k, v in request.query.items())}"
            if waiting and waiting[0] in said:
                waiting.clear()
                do()

        self.site.check = also


@contextmanager
def staged(kind: str) -> Iterator[Stage]:
    """Serve a host; at the end, nothing may have been said that the real one would not take or say."""
    clock = Clock()
    forge = Forge(clock=clock)
    by_app = kind == "github app"
    me = forge.account("reconciler[bot]" if by_app else "reconciler", "write", bot=by_app)
    opened: list[GitHub | GitLab] = []
    if kind == "gitlab":
        gitlab = fake_gitlab.GitLab(forge)
        gitlab.grant(TOKEN, me)
        site, found = Site(forge, gitlab), gitlab.strange
        gitlab.url = lambda: site.url
    else:
        app = App("12345", "reconciler", keys()[1], me) if by_app else None
        github, site, judge = judged(forge, app)
        github.grant(TOKEN, me)
        found = judge.found
    with serve(site) as url:
        token = AppToken(forge.repository, "12345", keys()[0], url, now=clock) if by_app else None

        def make() -> GitHub | GitLab:
            if kind == "gitlab":
                made: GitHub | GitLab = GitLab(forge.repository, lambda: TOKEN, f"{url}/api/v4")
            elif token:
                made = GitHub(forge.repository, token, url, app=token)
            else:
                base = f"{url}/api/v3" if kind == "github enterprise" else url
                made = GitHub(forge.repository, lambda: TOKEN, base)
            opened.append(made)
            return made

        try:
            yield Stage(kind, forge, site, clock, me, make, found, token=token)
        finally:
            for one in opened:
                one.close()
    assert found == []


@pytest.fixture(params=KINDS)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Any host."""
    with staged(request.param) as made:
        yield made


@pytest.fixture
def github() -> Iterator[Stage]:
    """GitHub with a user's token."""
    with staged("github") as made:
        yield made


@pytest.fixture
def by_app() -> Iterator[Stage]:
    """GitHub with an App."""
    with staged("github app") as made:
        yield made


@pytest.fixture
def gitlab() -> Iterator[Stage]:
    """GitLab."""
    with staged("gitlab") as made:
        yield made
