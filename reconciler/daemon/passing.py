"""Passes over AWS: one connection for each target, kept from pass to pass."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from reconciler.apply.executor import Done, Failed
from reconciler.core.errors import ReconcilerError
from reconciler.core.ids import Commit
from reconciler.core.redact import Redactor
from reconciler.daemon.backoff import without
from reconciler.daemon.observe import tagged_commits
from reconciler.daemon.order import STOPPED, Order, Turn
from reconciler.daemon.passes import Manner, Runtime, Seen, apply, ends_target, look_and_plan, open_target
from reconciler.gateway.errors import classify, say
from reconciler.report.outcome import Outcome
from reconciler.source.repository import Library
from reconciler.spec.desired import DesiredTarget
from reconciler.strategies.wanted import Hold

REWRITTEN: Final = Hold(
    code="history",
    why="the history of the desired state was rewritten; nothing is pruned before `apply --accept-history`",
)


@dataclass(slots=True, kw_only=True)
class AwsPasses:
    """Makes passes. One pass of a target at a time; several targets at once."""

    library: Library
    redactor: Redactor
    writes: bool
    approvals: Callable[[str], tuple[str, ...]] | None = None  # digests approved on the git host
    _runtimes: dict[str, tuple[DesiredTarget, Runtime]] = field(default_factory=dict)
    _stopped: bool = False

    def look(self, order: Order, tell: Callable[[Outcome], None]) -> Turn:
        """Observe, plan and, where this process may write, apply. See `Passes.look`."""
        runtime = self._runtime(order.target)
        done: list[Outcome] = []
        turn = Turn(plan=None, left=order.left)
        try:
            seen = self._seen(runtime, order)
            order.planned(seen.plan)
            turn = replace(turn, plan=seen.plan, left=self._still(order.left, seen))
            if self.writes:
                seen = replace(seen, plan=without(seen.plan, order.resting))
                for result in apply(runtime, seen, order.adopted.commit):
                    if not (self._stopped and isinstance(result, Failed) and ends_target(result.error)):
                        done.append(outcome_of(result))
                        tell(done[-1])
        except Exception as error:
            failure = STOPPED if self._stopped else str(classify(error))
            turn = replace(turn, failure=failure, why=say(error))
            if not (self._stopped or ends_target(error) or isinstance(error, ReconcilerError)):
                raise
        return replace(turn, outcomes=tuple(done), calls=dict(runtime.aws.counts))

    def _seen(self, runtime: Runtime, order: Order) -> Seen:
        """Look and plan; where a limit refuses the plan, ask the git host whether a person approved it."""
        manner = _manner(order)
        seen = look_and_plan(runtime, order.adopted, self.library, order.target, manner)
        if self.approvals is None or not seen.plan.refusals or seen.plan.approved:
            return seen
        approved = self.approvals(order.adopted.commit)
        if seen.plan.digest not in approved:
            return seen
        manner = replace(manner, approved=approved)
        return look_and_plan(runtime, order.adopted, self.library, order.target, manner)

    def release(self, target: str) -> None:
        """Let go of a target's connection. See `Passes.release`."""
        if found := self._runtimes.pop(target, None):
            found[1].aws.close()

    def stop(self) -> None:
        """Send no further call. See `Passes.stop`."""
        self._stopped = True
        for _, runtime in tuple(self._runtimes.values()):
            runtime.aws.stop()

    def _runtime(self, target: DesiredTarget) -> Runtime:
        """Return the connection to a target; a new one where its document leads elsewhere now."""
        found = self._runtimes.get(target.name)
        if found is None or _place(found[0]) != _place(target):
            self.release(target.name)
            found = (target, open_target(target, self.redactor, writes=self.writes))
            self._runtimes[target.name] = found
            if self._stopped:
                found[1].aws.stop()
        return found[1]

    def _still(self, left: tuple[Commit, ...], seen: Seen) -> tuple[Commit, ...]:
        """Return which heads of rewritten history have something live of theirs, or of before them."""
        if not left or not seen.plan.complete:
            return left
        tagged = tuple(tagged_commits(seen.world, seen.keeper.owner))
        return tuple(c for c in left if self.library.repository.ancestors(c, tagged))


def _manner(order: Order) -> Manner:
    return Manner(
        ahead=False,
        deadline=order.deadline,
        pruning=REWRITTEN if order.left else None,
        audited=order.audited,
        waves=order.waves,
    )


def _place(target: DesiredTarget) -> tuple[object, ...]:
    spec = target.spec
    return (spec.account, spec.region, spec.assumeRole, spec.externalId)


def outcome_of(result: Done | Failed) -> Outcome:
    """Return what became of a step, in the words of reports."""
    item = result.item
    base = Outcome(kind=item.kind, name=item.name, revision=item.to or item.was, step=result.step)
    if isinstance(result, Done):
        return replace(base, already=result.receipt.already, change=result.receipt.change)
    return replace(base, failure=str(classify(result.error)), why=say(result.error))
