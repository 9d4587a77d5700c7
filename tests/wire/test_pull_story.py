"""A pull request from branch to effect: a real daemon, AWS and a git host, both over HTTP."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic

import pytest

from emulator.githost.forge import Account, Comment, Forge, Pull
from emulator.githost.wire import Site, serve
from tests.daemon.processes import Running, reconciler_run
from tests.emulated import Emulated
from tests.hosts.fake_github import judged
from tests.product import tags
from tests.repositories import Company
from tests.wire.company import NEW_AMI, base, files, fleet

pytestmark = pytest.mark.wire

TOKEN = "ghp_canary0123456789"
FAST = ("--interval", "1s", "--poll", "1s", "--host-poll", "1s")
SECRET = "sesame-open-0123456789"


@dataclass
class Office:
    """The git host, its repository, and who is there."""

    company: Company
    forge: Forge
    site: Site
    me: Account
    ann: Account
    aws: Emulated
    cache: Path

    def branch(self, name: str, changed: dict[str, str | None]) -> None:
        """Push a branch with a change on top of it, or of main."""
        git = self.company._git
        git("checkout", "--quiet", "-B", name)
        self.company.commit(changed, push=False)
        git("push", "--quiet", "--force", str(self.company.bare), f"HEAD:refs/heads/{name}")
        self.forge.sync()

    def main(self) -> None:
        """Go back to main as the host has it."""
        git = self.company._git
        git("fetch", "--quiet", str(self.company.bare), "main")
        git("checkout", "--quiet", "-B", "main", "FETCH_HEAD")

    def ours(self, pull: Pull) -> list[Comment]:
        """Our comments that are in sight."""
        with self.site.lock:
            found = self.forge.comments_of(pull.number)
            return [c for c in found if c.author is self.me and not c.hidden]

    def said(self, pull: Pull, words: str) -> bool:
        """Are these words in any of our comments: which of two comes first is not promised."""
        return any(words in c.body for c in self.ours(pull))

    def state(self, pull: Pull) -> str:
        """The status of its head."""
        with self.site.lock:
            found = self.forge.status_of(pull.head, "reconciler/plan")
        return found.state if found else ""

    @contextmanager
    def daemon(self) -> Iterator[Running]:
        env = {
            **self.aws.env(),
            "RECONCILER_HOST": "github",
            "RECONCILER_HOST_API": self.site.url,
            "RECONCILER_HOST_REPOSITORY": self.forge.repository,
            "RECONCILER_HOST_TOKEN": TOKEN,
            "AWS_SDK_UA_APP_ID": "run",
        }
        with reconciler_run(self.company.bare, self.cache, *FAST, env=env) as running:
            yield running


@pytest.fixture
def office(aws: Emulated, tmp_path: Path) -> Iterator[Office]:
    company = Company(tmp_path / "git")
    company.commit(files(""))
    forge = Forge(git=company.bare)
    me, ann = forge.account("reconciler", "write"), forge.account("ann", "write")
    github, site, judge = judged(forge)
    github.grant(TOKEN, me)
    aws.control.set_speed(60)
    with serve(site):
        yield Office(company, forge, site, me, ann, aws, tmp_path / "cache")
    aws.control.set_speed(0)
    assert judge.found == [], "nothing was said that GitHub would not take or say"


def until(holds: Callable[[], object], what: str, patience: float = 60.0) -> None:
    """Look again until something holds."""
    pause, end = Event(), monotonic() + patience
    while not holds():
        assert monotonic() < end, f"not in time: {what}"
        pause.wait(0.1)


def test_from_a_branch_to_its_effect(office: Office) -> None:
    with office.daemon() as daemon:
        daemon.wait_for("rollout.finished", name="web")
        more = fleet(name="more", launch='userData: {text: "#!/bin/sh\\nexport KEY=' + SECRET + '"}')
        office.branch("grow", {"fleets/more.yaml": more})
        pull = office.forge.open(office.ann, "grow", title="One more fleet")

        until(lambda: office.state(pull) == "success", "the first plan")
        (first,) = office.ours(pull)
        assert "Fleet plan: 1 to create" in first.body

        office.branch("grow", {"fleets/web.yaml": fleet(capacity="{min: 2, max: 5, desired: 2}")})
        until(lambda: office.said(pull, "1 to create, 1 to update"), "the second push")
        assert [c.id for c in office.ours(pull)] == [first.id], "the same comment, edited"
        until(lambda: office.state(pull) == "success", "the second plan's status")

        office.main()
        base = office.company.commit({"notes.txt": "the base moves\n"})
        until(lambda: f"base `{base[:7]}`" in office.ours(pull)[-1].body, "the base moved")

        office.forge.comment(pull, office.ann, "/reconciler explain web")
        until(lambda: len(office.ours(pull)) == 2, "the answer")
        assert office.said(pull, "nothing to do: live is what git says")

        merged = office.forge.merge(pull)
        daemon.wait_for("commit.adopted", commit=merged)
        until(lambda: office.said(pull, "🚀 Applied"), "the end")
        told = office.ours(pull)[-1].body
        assert "2 of 2 documents done" in told
        assert "Applied what the plan above said." in told
        assert daemon.end() == 0
        log = str(daemon.rest())
    everything = log + "".join(c.body for c in office.forge.comments.values()) + str(office.forge.statuses)
    assert SECRET not in everything
    assert TOKEN not in everything


def test_what_takes_too_much_is_a_failure_until_it_is_approved_and_then_it_is_applied(office: Office) -> None:
    office.company.commit({f"fleets/f{n}.yaml": fleet(name=f"f{n}") for n in range(2)})
    with office.daemon() as daemon:
        daemon.wait_for("rollout.finished", name="f1")
        daemon.wait_for("pass.done", unchanged=5)
        office.branch("cut", {"fleets/f0.yaml": None, "fleets/f1.yaml": None})
        pull = office.forge.open(office.ann, "cut", title="Two fewer")
        until(lambda: office.state(pull) == "failure", "the refusal")
        (note,) = office.ours(pull)
        assert "blocked by a safety limit" in note.body
        digest = note.body.partition("/reconciler approve ")[2][:10]
        eve = office.forge.account("eve", "read")
        office.forge.comment(pull, eve, f"/reconciler approve {digest}")
        daemon.wait_for("pull.command", verb="approve", author="eve", done=False)
        office.forge.comment(pull, office.ann, f"/reconciler approve {digest}")
        until(lambda: office.state(pull) == "success", "the approval")
        office.forge.merge(pull)
        daemon.wait_for("fleet.retired", name="f0")
        daemon.wait_for("fleet.retired", name="f1")
        until(lambda: office.said(pull, "🚀 Applied"), "the end")
        assert daemon.end() == 0


def test_a_fleet_is_paused_and_resumed_from_a_comment(office: Office) -> None:
    def hand() -> str:
        (group,) = office.aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        return tags(group).get("reconciler:hand", "")

    with office.daemon() as daemon:
        daemon.wait_for("rollout.finished", name="web")
        office.branch("roll", {"target.yaml": base(NEW_AMI)})
        pull = office.forge.open(office.ann, "roll", title="A new image")
        eve = office.forge.account("eve", "read")
        office.forge.comment(pull, eve, "/reconciler pause web because I can")
        daemon.wait_for("pull.command", verb="pause", author="eve", done=False)
        assert hand() == ""
        office.forge.comment(pull, office.ann, "/reconciler pause web incident 42")
        reminded = daemon.wait_for("suspended.reminder", name="web")
        assert reminded["reason"] == f"incident 42 (ann, #{pull.number})"
        until(lambda: office.said(pull, "web is suspended"), "the answer")
        assert hand().startswith("pause;")
        office.forge.merge(pull)
        daemon.wait_for("blocked.found", name="web", code="suspended")
        office.forge.comment(pull, office.ann, "/reconciler abort web 5xx")
        until(lambda: office.said(pull, "nothing to go back to"), "the refusal")
        office.forge.comment(pull, office.ann, "/reconciler resume web found it")
        daemon.wait_for("rollout.finished", name="web")
        assert hand() == ""
        assert daemon.end() == 0
