"""The acts of the story. Each says what it does, does it, and verifies it against AWS."""

import json
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from demo.stage import Stage, StoryError
from demo.truth import Truth, Watch, in_service
from emulator.githost.forge import Pull

WEB = ("api", "checkout", "search")  # the fleets of the new image
FLEETS = ("api", "batch", "checkout", "search", "worker")
TARGET = "prod-ireland"
NEW_IMAGE = "ami-0a1000000000002"
BEFORE, AFTER = "pull-request-before.html", "pull-request-after.html"
MINUTES = r"\b\d+m"
EXCERPT = 16  # lines of a plan or a log that are shown


@dataclass(slots=True)
class Teller:
    """Prints the story as a person would tell it."""

    console: Console
    act: int = 0

    def begin(self, title: str) -> None:
        """Begin an act."""
        self.act += 1
        self.console.print(Text(f"\n{self.act}. {title}", style="bold cyan"))

    def say(self, text: str) -> None:
        """Tell what is done."""
        self.console.print(Text(f"   {text}"))

    def quote(self, text: str, most: int = EXCERPT) -> None:
        """Show real output."""
        lines = [x for x in text.splitlines() if x.strip()]
        for line in lines[:most]:
            self.console.print(
                Text(f"   | {line}", style="dim"), no_wrap=True, overflow="ellipsis", crop=True
            )
        if len(lines) > most:
            self.console.print(Text(f"   | ... {len(lines) - most} more lines", style="dim"))

    def check(self, what: str, *, holds: bool) -> None:
        """Say that something was verified. Raises: StoryError when it does not hold."""
        if not holds:
            raise StoryError(f"not true: {what}")
        self.console.print(Text(f"   ✓ {what}", style="green"))


@dataclass(slots=True)
class Story:
    """The story and where it plays."""

    stage: Stage
    tell: Teller
    truth: Truth
    pages: Path  # a folder for pages of the git host
    pull: Pull | None = None  # the pull request of the story
    planned: str = ""  # what its comment said before the merge

    def acts(self) -> tuple[Callable[[], None], ...]:
        """Return the acts in their order."""
        return (
            self.births,
            self.proposal,
            self.merge,
            self.drift,
            self.heal,
            self.broken_commit,
            self.removed_fleet,
            self.too_much,
            self.killed,
        )

    # -- looking ------------------------------------------------------------------------------

    def events(self, event: str, since: int, **fields: str) -> list[dict[str, Any]]:
        """Return what the daemon logged of one kind."""
        found = (e for e in self.stage.events(since) if e.get("event") == event)
        return [e for e in found if all(e.get(k) == v for k, v in fields.items())]

    def wait_for(self, event: str, since: int, **fields: str) -> dict[str, Any]:
        """Wait until the daemon logs something, and return it."""
        self.stage.until(f"log event {event} {fields}", lambda: bool(self.events(event, since, **fields)))
        return self.events(event, since, **fields)[-1]

    def quote_events(self, since: int, *names: str, most: int = 6) -> None:
        """Show real log lines."""
        keep = ("event", "name", "op", "resource", "field", "want", "live", "at", "why", "seconds", "code")
        lines = [
            json.dumps({k: e[k] for k in keep if e.get(k) not in (None, "")})
            for e in self.stage.events(since)
            if e.get("event") in names
        ]
        self.tell.quote("\n".join(lines), most)

    # -- the acts -----------------------------------------------------------------------------

    def births(self) -> None:
        """A desired state is committed, planned, and comes up."""
        self.tell.begin("A desired state is committed: five fleets, three images, a zone")
        self.stage.fill()
        commit = self.stage.push("Describe the shop")
        code, said = self.stage.run("validate", str(self.stage.repository))
        self.tell.quote(f"$ reconciler validate\n{said}")
        self.tell.check("the documents are valid", holds=code == 0)
        code, said = self.stage.run("plan", "--detailed-exitcode")
        self.tell.quote(f"$ reconciler plan\n{said}")
        self.tell.check(
            "the plan has changes, and AWS holds nothing yet", holds=code == 2 and not self.truth.groups()
        )
        self.tell.say(f"Time runs at {self.stage.speed:.0f} times its speed. The daemon starts.")
        since = self.stage.logged()
        self.stage.aws.set_speed(self.stage.speed)
        self.stage.start_daemon()
        self.wait_for("commit.adopted", since, commit=commit)
        for fleet in FLEETS:
            self.stage.until(f"{fleet} is in service", partial(self.truth.ready, fleet))
        self.stage.until("checkout has its weight", lambda: 255 in self.truth.weights("checkout").values())
        self.converged(since)
        self.quote_events(since, "step.applied")
        names = self.truth.names()
        self.tell.check(
            f"AWS runs one group for each fleet: {', '.join(names)}", holds=len(names) == len(FLEETS)
        )
        self.tell.check(
            f"the zone holds {self.truth.record_count()} records", holds=self.truth.record_count() > 12
        )
        _, said = self.stage.run("status")
        self.tell.quote(f"$ reconciler status\n{said}")

    def converged(self, since: int) -> None:
        """Wait for a pass after `since` that had nothing to do."""

        def quiet() -> bool:
            last = self.events("pass.done", since, target=TARGET)[-1:]
            busy = ("create", "replace", "update", "retire", "unread", "applied", "failed")
            return bool(last) and not any(last[0][k] for k in busy)

        self.stage.until("a pass with nothing to do", quiet)

    def proposal(self) -> None:
        """A new image is proposed: the daemon's comment says what the merge would do."""
        self.tell.begin("A new image is proposed: the pull request says what its merge would do")
        host, before = self.stage.host, self.truth.names()
        self.stage.edit("images/base.yaml", "prod-ireland: ami-0a1000000000001", f"prod-ireland: {NEW_IMAGE}")
        self.stage.push("Adopt the patched image", "patched-image")
        pull = self.pull = host.propose("patched-image", "Adopt the patched image")
        self.tell.say(f"ann opens pull request #{pull.number}. Its page, while this runs:")
        self.tell.say(host.page(pull))
        self.stage.until("the status of the head", lambda: host.status(pull) is not None)
        status, comments = host.status(pull), host.ours(pull)
        self.planned = "".join(c.body for c in comments)
        self.tell.quote(shown(self.planned), 12)
        self.tell.check(
            "its one comment says that 3 fleets are replaced: " + ", ".join(WEB),
            holds=len(comments) == 1 and all(told(self.planned, f, "replace") for f in WEB),
        )
        state, why = (status.state, status.description) if status else ("", "")
        self.tell.check(f"the status reconciler/plan of its head: {state}, {why}", holds=state == "success")
        self.tell.check("nothing on AWS changed", holds=self.truth.names() == before)
        self.tell.say(f"The page now: {host.save(pull, self.pages / BEFORE)}")

    def merge(self) -> None:
        """It is merged: blue-green, all weight in one change; the pull request is told how it ended."""
        self.tell.begin("It is merged: every web fleet is replaced, blue-green")
        host, pull, old = self.stage.host, self.proposed(), self.truth.weights("checkout")
        before, since = {f: self.truth.names(f) for f in WEB}, self.stage.logged()
        host.say(pull, "Looks good. Half an hour to go back is enough.")
        commit = host.merge(pull)
        self.stage.pull()
        with Watch(self.truth, "checkout") as watch:
            self.wait_for("commit.adopted", since, commit=commit)
            for fleet in before:
                self.wait_for("rollout.shifted", since, name=fleet)
            moved = self.tell_weights(watch, 0)
            self.skip_keep_old()
            for fleet, names in before.items():
                self.stage.until(f"{fleet} is replaced", partial(self._replaced, fleet, names))
        self.tell_weights(watch, moved)
        self.quote_events(since, "rollout.started", "rollout.shifted", "rollout.finished", most=9)
        new = self.truth.weights("checkout")
        self.tell.check("the weights never summed to nothing while they moved", holds=watch.never_dark)
        self.tell.check(
            "all traffic is with the new revision", holds=list(new.values()) == [255] and new != old
        )
        self.tell.check(
            "the old groups are gone, each fleet has one", holds=len(self.truth.names()) == len(FLEETS)
        )
        self.converged(since)
        self.applied(pull)

    def proposed(self) -> Pull:
        """Return the pull request of the story."""
        if self.pull is None:
            raise StoryError("nothing was proposed yet")
        return self.pull

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
            and all(told(final, f, "done", MINUTES) for f in WEB),
        )
        self.tell.check("the first one still says what was planned", holds=plan == self.planned)
        self.tell.say(f"The page now: {host.save(pull, self.pages / AFTER)}")

    def tell_weights(self, watch: Watch, told: int) -> int:
        """Tell the weights that were seen since; return how many were told by now."""
        for weights in watch.seen[told:]:
            self.tell.say(
                "checkout.example.com: " + ", ".join(f"{k}={v}" for k, v in sorted(weights.items()))
            )
        return len(watch.seen)

    def skip_keep_old(self) -> None:
        """Let the time pass in which the old revision could be gone back to."""
        self.tell.say("All traffic has moved; the old groups are kept for 30 minutes. Half an hour later:")
        self.stage.aws.advance(timedelta(minutes=30))

    def _replaced(self, fleet: str, before: list[str]) -> bool:
        names = self.truth.names(fleet)
        return len(names) == 1 and names != before and self.truth.ready(fleet)

    def drift(self) -> None:
        """Somebody edits a group by hand: it is reported, and left alone."""
        self.tell.begin("Somebody edits a group by hand: drift is reported")
        since = self.stage.logged()
        name = self.truth.names("search")[0]
        self.tell.say(
            f"$ aws autoscaling update-auto-scaling-group --auto-scaling-group-name {name} --max-size 9"
        )
        self.truth.autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, MaxSize=9)
        found = self.wait_for("drift.found", since, name="search")
        self.quote_events(since, "drift.found")
        self.tell.check(
            f"the log names it: {found['resource']} {found['field']}", holds=str(found["live"]) == "9"
        )
        self.tell.check("prod-ireland says `drift: report`, so it stays", holds=self._max("search") == 9)
        code, said = self.stage.run("drift")
        self.tell.quote(f"$ reconciler drift\n{said}")
        self.tell.check("`reconciler drift` ends with 2", holds=code == 2)

    def _max(self, fleet: str) -> int:
        return int(self.truth.groups(fleet)[0]["MaxSize"])

    def heal(self) -> None:
        """The fleet asks for `drift: heal`: it is put right."""
        self.tell.begin("A merge says `drift: heal` for that fleet: it is put right")
        since = self.stage.logged()
        file = self.stage.repository / "fleets" / "search.yaml"
        file.write_text(file.read_text() + "  drift: heal\n")
        self.stage.propose_and_merge("heal", "Heal search")
        self.wait_for("drift.healed", since, name="search")
        self.quote_events(since, "drift.healed")
        self.tell.check("the group's maximum is 4 again, as git says", holds=self._max("search") == 4)
        self.converged(since)

    def broken_commit(self) -> None:
        """A commit with an error is not adopted."""
        self.tell.begin("A broken commit is merged: it is rejected, production is untouched")
        since, before = self.stage.logged(), (self.truth.names(), self.truth.record_count())
        self.stage.edit("fleets/worker.yaml", "min: 1, max: 8", "min: 9, max: 8")
        commit = self.stage.propose_and_merge("typo", "Grow the workers")
        self.wait_for("commit.rejected", since, commit=commit)
        self.quote_events(since, "commit.rejected")
        said = self.events("commit.rejected", since)[0]
        self.tell.check(f"the log names file and line: {said['at']}", holds="worker.yaml:" in said["at"])
        self.wait_for("pass.done", self.stage.logged())
        now = (self.truth.names(), self.truth.record_count())
        self.tell.check("the last good commit stays in force, nothing on AWS changed", holds=now == before)
        self.stage.revert()

    def removed_fleet(self) -> None:
        """A fleet is taken out of git: it is drained and retired."""
        self.tell.begin("A fleet is taken out of git: drained, then retired")
        since = self.stage.logged()
        (self.stage.repository / "fleets" / "worker.yaml").unlink()
        self.stage.propose_and_merge("no-worker", "Retire the workers")
        self.wait_for("fleet.retired", since, name="worker")
        self.quote_events(since, "step.applied", "fleet.retired")
        self.tell.check("AWS holds no group of it", holds=not self.truth.groups("worker"))
        self.converged(since)

    def too_much(self) -> None:
        """Taking too much away at once is refused, with the numbers."""
        self.tell.begin("Too much is taken out at once: refused, with the numbers")
        since, before = self.stage.logged(), self.truth.names()
        for name in ("api", "search"):
            (self.stage.repository / "fleets" / f"{name}.yaml").unlink()
        self.stage.propose_and_merge("too-much", "Clean up")
        refused = self.wait_for("limit.refused", since, target=TARGET)
        self.quote_events(since, "limit.refused")
        self.tell.check(
            f"{refused['count']} of {refused['of']} is over the limit of {refused['allowed']}",
            holds=refused["count"] > refused["allowed"],
        )
        self.wait_for("pass.done", self.stage.logged())
        self.tell.check("every group is still there", holds=self.truth.names() == before)
        self.stage.revert()
        self.converged(self.stage.logged())

    def killed(self) -> None:
        """The daemon is killed in the middle of a rollout, and goes on."""
        self.tell.begin("The daemon is killed with -9 in the middle of a rollout, and started again")
        since, before = self.stage.logged(), self.truth.names("batch")
        self.stage.edit("fleets/batch.yaml", 'generation: "1"', 'generation: "2"')
        self.stage.propose_and_merge("roll", "Roll the batch fleet")
        self.stage.until("a second group of batch", lambda: len(self.truth.groups("batch")) == 2)
        code = self.stage.stop_daemon(signal.SIGKILL)
        halfway = {g["AutoScalingGroupName"]: in_service(g) for g in self.truth.groups("batch")}
        self.tell.say(
            f"killed (exit {code}) while AWS has: " + ", ".join(f"{k} {v} ready" for k, v in halfway.items())
        )
        self.tell.check("it was in the middle: two groups stand side by side", holds=len(halfway) == 2)
        self.stage.start_daemon()
        self.wait_for("rollout.shifted", since, name="batch")
        self.skip_keep_old()
        self.stage.until("batch is replaced", lambda: self._replaced("batch", before))
        self.quote_events(since, "daemon.started", "rollout.resumed", "rollout.shifted", "rollout.finished")
        self.converged(since)
        self.tell.check("one group, the new one, all in service", holds=self.truth.ready("batch"))
        code = self.stage.stop_daemon(signal.SIGTERM)
        self.tell.check("SIGTERM ends the daemon with exit code 0", holds=code == 0)


def shown(comment: str) -> str:
    """Return the part of a comment that is read without unfolding anything."""
    return comment.partition("<details>")[0].partition("<!--")[0]


def told(comment: str, fleet: str, *words: str) -> bool:
    """Does one row of a fleet say this, and only one: it has a row in each of its targets."""
    rows = [x for x in comment.splitlines() if x.startswith("|") and f"Fleet `{fleet}`" in x]
    return sum(all(re.search(word, row) for word in words) for row in rows) == 1
