"""The acts of the story. Each says what it does, does it, and verifies it against AWS."""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from demo.rollouts import Rollouts
from demo.scene import FLEETS, TARGET, Scene
from demo.truth import in_service


@dataclass(frozen=True, slots=True)
class Story(Scene):
    """The story, with the rollouts in its middle."""

    rollouts: Rollouts

    def acts(self) -> tuple[Callable[[], None], ...]:
        """Return the acts in their order."""
        return (
            self.births,
            self.rollouts.proposal,
            self.rollouts.merge,
            self.rollouts.promote,
            self.rollouts.bad_revision,
            self.drift,
            self.heal,
            self.broken_commit,
            self.removed_fleet,
            self.too_much,
            self.killed,
        )

    def births(self) -> None:
        """A desired state is committed, planned, and comes up."""
        self.tell.begin("A desired state is committed: five fleets, three images, a zone")
        self.stage.fill()
        commit = self.stage.push("Describe the shop")
        code, _ = self.run("validate", str(self.stage.repository))
        self.tell.check("the documents are valid", holds=code == 0)
        code, _ = self.run("plan", "--detailed-exitcode")
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
        self.run("status")

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
        code, _ = self.run("drift")
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
        self.whole_pass()
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
        self.whole_pass()
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
        self.stage.until("batch is replaced", lambda: self.replaced("batch", before))
        self.quote_events(since, "daemon.started", "rollout.resumed", "rollout.shifted", "rollout.finished")
        self.converged(since)
        self.tell.check("one group, the new one, all in service", holds=self.truth.ready("batch"))
        code = self.stage.stop_daemon(signal.SIGTERM)
        self.tell.check("SIGTERM ends the daemon with exit code 0", holds=code == 0)
