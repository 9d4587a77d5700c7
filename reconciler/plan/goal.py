"""What a plan is made for: one commit's desired state in one target."""

from dataclasses import dataclass, field

from reconciler.core.facts import Keeper
from reconciler.core.ids import Commit
from reconciler.plan.freeze import Freeze
from reconciler.plan.kept import Kept
from reconciler.plan.limits import Limits
from reconciler.plan.reach import Reports
from reconciler.plan.reasons import Reasons
from reconciler.spec.desired import Desired, DesiredTarget
from reconciler.strategies.wanted import Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One commit's desired state in one target, and what guards it there."""

    desired: Desired
    target: DesiredTarget
    keeper: Keeper
    commit: Commit
    ancestors: frozenset[Commit]  # of the commits seen live: those that are this commit or before it
    limits: Limits  # the stricter of this commit's and its first parent's
    freezes: tuple[Freeze, ...]
    reasons: Reasons
    pruning: Hold | None = None  # why nothing may be pruned: rewritten history
    waves: Reports | None = None  # how far the fleets are in other targets; None: nobody asks
    kept: Kept = field(default_factory=Kept)  # of earlier plans of this commit in this target

    def follows(self, commit: Commit) -> bool:
        """Is this commit the one in hand, or before it."""
        return commit == self.commit or commit in self.ancestors
