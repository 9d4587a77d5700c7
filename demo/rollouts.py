"""The acts of rollouts: a new image by pull request, blue-green and canary, and a revision that is bad."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TypeVar

from demo.scene import FLEETS, Scene
from demo.stage import StoryError
from demo.telling import LASTED, shown, told
from demo.truth import Watch
from emulator.githost.forge import Pull

WEB = ("api", "checkout", "search")  # the fleets of the new image
AT_ONCE = ("checkout", "search")  # blue-green: all traffic in one change
CANARY, ALARM = "api", "api-5xx"
NEW_IMAGE = "ami-0a1000000000002"
BEFORE, AFTER = "pull-request-before.html", "pull-request-after.html"
GOOD, BAD = "tags: {service: api}", 'userData: {text: "#!/bin/sh\\nPOOL=1 exec api\\n"}, tags: {service: api}'
WAY = r"10 .*⏸.* 50 .* 100"  # of the canary, in the pull request

T = TypeVar("T")


@dataclass(slots=True)
class Proposal:
    """The pull request of the story, as far as it has come."""

    pull: Pull | None = None
    planned: str = ""  # what its comment said before the merge
    since: int = 0  # what the daemon had logged when it was merged
    before: dict[str, list[str]] = field(default_factory=dict)  # groups when it was merged, by fleet


@dataclass(frozen=True, slots=True)
class Rollouts(Scene):
    """A new image takes over; a bad revision does not."""

    pages: Path  # a folder for pages of the git host
    said: Proposal = field(default_factory=Proposal)

    # -- a new image ----------------------------------------------------------------------------

    def proposal(self) -> None:
        """A new image is proposed: the daemon's comment says what the merge would do."""
        self.tell.begin("A new image is proposed: the pull request says what its merge would do")
        host, before = self.stage.host, self.truth.names()
        self.stage.edit("images/base.yaml", "prod-ireland: ami-0a1000000000001", f"prod-ireland: {NEW_IMAGE}")
        self.stage.push("Adopt the patched image", "patched-image")
        pull = self.said.pull = host.propose("patched-image", "Adopt the patched image")
        self.tell.say(f"ann opens pull request #{pull.number}. Its page, while this runs:")
        self.tell.say(host.page(pull))
        self.stage.until("the status of the head", lambda: host.status(pull) is not None)
        status, comments = host.status(pull), host.ours(pull)
        planned = self.said.planned = "".join(c.body for c in comments)
        self.tell.quote(shown(planned), 12)
        self.tell.check(
            "its one comment says that 3 fleets are replaced: " + ", ".join(WEB),
            holds=len(comments) == 1 and all(told(planned, f, "replace") for f in WEB),
        )
        self.tell.check("of api it shows each stage, and the pause", holds=told(planned, CANARY, WAY))
        state, why = (status.state, status.description) if status else ("", "")
        self.tell.check(f"the status reconciler/plan of its head: {state}, {why}", holds=state == "success")
        self.tell.check("nothing on AWS changed", holds=self.truth.names() == before)
        self.tell.say(f"The page now: {host.save(pull, self.pages / BEFORE)}")

    def merge(self) -> None:
        """It is merged: two fleets move at once, the third shows a tenth and pauses."""
        self.tell.begin("It is merged: checkout and search move at once, api is a canary")
        host, pull, old = self.stage.host, self.proposed(), self.truth.weights("checkout")
        since = self.said.since = self.stage.logged()
        self.said.before = {f: self.truth.names(f) for f in WEB}
        host.say(pull, "Looks good. Half an hour to go back is enough.")
        commit = host.merge(pull)
        self.stage.pull()
        with (
            Watch(partial(self.truth.weights, "checkout")) as names,
            Watch(partial(self.truth.shares, CANARY)) as shares,
        ):
            self.wait_for("commit.adopted", since, commit=commit)
            for fleet in AT_ONCE:
                self.wait_for("rollout.shifted", since, name=fleet)
            self.wait_for("rollout.paused", since, name=CANARY)
        self.tell_weights("checkout.example.com", names)
        self.tell_weights("api.example.com", shares)
        self.quote_events(since, "rollout.shifted")
        self.quote_events(since, "rollout.started", "rollout.paused", of=CANARY)
        new = self.truth.weights("checkout")
        self.tell.check(
            "blue-green: all traffic of checkout is with the new revision, and was never with none",
            holds=names.never_dark and old != new and sum(new.values()) == 255 == max(new.values()),
        )
        self.tell.check(
            "canary: a listener rule gives 10% of api to the new revision, 90% to the old one",
            holds=shares.never_dark and self.halves() == (90, 10),
        )

    def promote(self) -> None:
        """A person lets the canary go on; the pull request is told how it ended."""
        self.tell.begin("It looks well: a person lets the canary go on")
        since = self.said.since
        with Watch(partial(self.truth.shares, CANARY)) as shares:
            code, _ = self.run("promote", CANARY)
            self.tell.check("`reconciler promote` ends with 0", holds=code == 0)
            self.wait_for("rollout.shifted", since, name=CANARY)
        self.tell_weights("api.example.com", shares)
        self.quote_events(since, "rollout.promoted", "rollout.shifted", of=CANARY)
        self.tell.check(
            "half of the traffic came first, then all of it",
            holds=changes(self.halves(x) for x in shares.seen) == [(90, 10), (50, 50), (0, 100)],
        )
        self.skip_keep_old()
        for fleet, names in self.said.before.items():
            self.stage.until(f"{fleet} is replaced", partial(self.replaced, fleet, names))
        self.tell.check(
            "the old groups are gone, each fleet has one", holds=len(self.truth.names()) == len(FLEETS)
        )
        self.converged(since)
        self.applied(self.proposed())

    def halves(self, seen: dict[str, int] | None = None) -> tuple[int, int]:
        """Return what the old revision of the canary has, and what the new one has."""
        shares = self.truth.shares(CANARY) if seen is None else seen
        (old,) = self.said.before[CANARY]
        return shares.get(old, 0), sum(x for name, x in shares.items() if name != old)

    def proposed(self) -> Pull:
        """Return the pull request of the story."""
        if self.said.pull is None:
            raise StoryError("nothing was proposed yet")
        return self.said.pull

    def applied(self, pull: Pull) -> None:
        """Verify what the pull request is told at the end."""
        host = self.stage.host
        self.stage.until("the final comment", lambda: "🚀 " in host.ours(pull)[-1].body)
        plan, final = (host.ours(pull)[n].body for n in (0, -1))
        self.tell.quote(shown(final), 12)
        self.tell.check(
            "a second comment says that the plan was applied, and how long each fleet took",
            holds=len(host.ours(pull)) == 2
            and "Applied what the plan above said." in final
            and all(told(final, f, "done", LASTED) for f in WEB),
        )
        self.tell.check("the first one still says what was planned", holds=plan == self.said.planned)
        self.tell.say(f"The page now: {host.save(pull, self.pages / AFTER)}")

    def tell_weights(self, name: str, watch: Watch) -> None:
        """Tell the weights of a name that were seen, in their order."""
        for weights in watch.seen:
            self.tell.say(f"{name}: " + ", ".join(f"{k}={v}" for k, v in sorted(weights.items())))

    # -- a bad revision -------------------------------------------------------------------------

    def bad_revision(self) -> None:
        """A revision answers with errors once it has traffic: its alarm sends it back by itself.

        The emulator counts the errors, and is told the state of the alarm: it evaluates none.
        """
        self.tell.begin("A bad revision is merged: at 10% its alarm sends it back by itself")
        since, before = self.stage.logged(), self.truth.names(CANARY)
        self.stage.edit(f"fleets/{CANARY}.yaml", GOOD, BAD)
        self.stage.propose_and_merge("one-connection", "Let api do with one connection")
        with Watch(partial(self.truth.shares, CANARY)) as shares:
            self.stage.until("a tenth of traffic", lambda: 10 in shares.seen[-1].values())
            bad = next(name for name, share in shares.seen[-1].items() if share == 10)
            self.tell.say(
                f"{bad} answers 3 of 10 requests with an error; CloudWatch alarm {ALARM} goes to ALARM."
            )
            self.stage.aws.knob("errors", pattern=bad, percent=30)
            self.stage.aws.knob("alarm", name=ALARM, state="ALARM")
            back = self.wait_for("rollout.rolled_back", since, name=CANARY)
            self.stage.until("the group is gone", lambda: self.truth.names(CANARY) == before)
        self.tell_weights("api.example.com", shares)
        self.quote_events(since, "rollout.started", "rollout.rolled_back", of=CANARY)
        self.tell.check("the reason is in the log", holds=ALARM in back["code"])
        self.tell.check(
            "all traffic went back in one change",
            holds=changes(x.get(bad, 0) for x in shares.seen) == [0, 10, 0],
        )
        self.remembered(bad, before)
        self.mended(before)

    def remembered(self, bad: str, before: list[str]) -> None:
        """Verify that the failure is remembered, told, and not repeated once the alarm is silent."""
        self.stage.aws.knob("errors", pattern=bad, on=False)
        self.stage.aws.knob("alarm", name=ALARM, state="OK")
        self.tell.check(
            f"launch template {bad} stays on AWS as its tombstone", holds=ALARM in self.truth.tombstone(bad)
        )
        self.whole_pass()
        code, said = self.run("explain", CANARY)
        self.tell.check(
            "`reconciler explain` says why, and what to do",
            holds=code == 0 and "blocked (failed)" in said and ALARM in said and "way out: " in said,
        )
        self.whole_pass()
        self.tell.check(
            "the alarm is OK again, and the revision is still not tried again",
            holds=self.truth.names(CANARY) == before,
        )

    def mended(self, before: list[str]) -> None:
        """Revert the commit: git and AWS say the same again."""
        since = self.stage.logged()
        commit = self.stage.revert()
        self.wait_for("commit.adopted", since, commit=commit)
        self.converged(self.stage.logged())
        self.tell.check(
            "the commit is reverted: nothing to do, and api is in service",
            holds=self.truth.names(CANARY) == before and self.truth.ready(CANARY),
        )


def changes(values: Iterable[T]) -> list[T]:
    """Return values in their order, each once where it stands several times in a row."""
    return [value for value, _ in groupby(values)]
