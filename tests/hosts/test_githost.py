"""The host in miniature over a real git repository, and its page for people."""

from pathlib import Path

import httpx
import pytest

from emulator.githost.forge import Forge, Pull
from emulator.githost.wire import serve
from reconciler.core.ids import Commit
from reconciler.hosts.github import GitHub
from reconciler.hosts.model import Pull as Read
from reconciler.hosts.model import State, Status
from tests.hosts.conftest import TOKEN
from tests.hosts.fake_github import judged
from tests.repositories import Company

pytestmark = pytest.mark.slow


class House:
    """A company's repository, its host, and the adapter that reads it."""

    def __init__(self, folder: Path) -> None:
        self.company = Company(folder)
        self.base = self.company.commit({"fleet.yaml": "one\n"})
        self.forge = Forge(git=self.company.bare)
        self.me = self.forge.account("reconciler", "write")
        self.ann = self.forge.account("ann", "write")

    def branch(self, text: str, name: str = "change") -> str:
        made = self.company.commit({"fleet.yaml": text}, push=False)
        self.company.push(name)
        return made

    def opened(self, text: str = "two\n") -> Pull:
        self.branch(text)
        return self.forge.open(self.ann, title="Two of them")

    def ref(self, name: str) -> str:
        return self.company._git("rev-parse", name, at=self.company.bare)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def asked(house: House, commit: str = "") -> tuple[Read, ...]:
    fake, site, judge = judged(house.forge)
    fake.grant(TOKEN, house.me)
    with serve(site) as url:
        host = GitHub("acme/fleet", lambda: TOKEN, url)
        try:
            return host.pulls_of(Commit(commit)) if commit else host.pulls()
        finally:
            host.close()
            assert judge.found == []


def test_a_head_is_a_ref_of_the_repository_and_follows_its_branch(house: House):
    pull = house.opened()
    assert house.ref("refs/pull/1/head") == pull.head != house.base
    pushed = house.branch("three\n")
    house.forge.sync()
    assert house.ref("refs/pull/1/head") == pushed
    assert [p.head for p in asked(house)] == [pushed]


@pytest.mark.parametrize("squash", [False, True], ids=["merge", "squash"])
def test_a_merge_is_a_commit_on_the_base_and_leads_back_to_its_pull_request(house: House, squash: bool):
    pull = house.opened()
    made = house.forge.merge(pull, squash=squash)
    assert house.ref("refs/heads/main") == made
    assert house.ref(f"{made}^{{tree}}") == house.ref(f"{pull.head}^{{tree}}")
    assert [(p.number, p.merged) for p in asked(house, made)] == [(1, made)]
    assert asked(house) == ()


def page_of(house: House) -> str:
    _, site, _ = judged(house.forge)
    with serve(site) as url:
        shown = httpx.get(f"{url}/acme/fleet/pull/1")
    assert shown.headers["Content-Type"] == "text/html; charset=utf-8"
    return shown.text


def test_people_see_the_pull_request_as_it_is(house: House):
    pull = house.opened()
    house.forge.comment(pull, house.ann, "/reconciler replan")
    body = (
        "### Fleet plan\n\n| Fleet | Risk |\n|---|---|\n| `web` | low |\n\n"
        "```diff\n- ami-1 <b>\n+ ami-2\n```\n<!-- reconciler:v1 x y -->\n"
    )
    note = house.forge.comment(pull, house.me, body)
    house.forge.set_status(
        pull.head, house.me, state="success", context="reconciler/plan", description="1 replacement"
    )
    text = page_of(house)
    for part in (
        "Two of them",
        "/reconciler replan",
        "<h3>Fleet plan</h3>",
        "<td><code>web</code></td>",
        '<span class="del">- ami-1 &lt;b&gt;</span>',
        '<span class="add">+ ami-2</span>',
        "reconciler/plan",
        "1 replacement",
        pull.head[:7],
    ):
        assert part in text
    note.hidden = True
    assert "marked as outdated" in page_of(house)
    assert "</b> wants to merge" in text
    merged = house.forge.merge(pull)
    assert f"merged as <code>{merged[:7]}</code>" in page_of(house)


def test_what_a_comment_holds_never_runs_on_the_page(house: House):
    pull = house.opened()
    pull.title = "<script>alert(1)</script>"
    house.forge.comment(pull, house.ann, "<script>alert(2)</script>\n\n<img src=x onerror=alert(3)>\n")
    text = page_of(house)
    assert "<script>" not in text
    assert "default-src 'none'" in text


def test_a_status_of_a_merge_is_taken_and_one_of_nothing_is_not(house: House):
    pull = house.opened()
    fake, site, judge = judged(house.forge)
    fake.grant(TOKEN, house.me)
    with serve(site) as url:
        host = GitHub("acme/fleet", lambda: TOKEN, url)
        host.set_status(Commit(pull.head), Status(state=State.SUCCESS, description="planned"))
        host.close()
    assert judge.found == []
    assert [(s.commit, s.state) for s in house.forge.statuses] == [(pull.head, "success")]
