"""Limits: how much one plan may take away. Over a limit nothing begins; rollbacks are never counted."""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.digest import sha
from reconciler.core.ids import TargetName
from reconciler.plan.model import Because, Item, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """A Target's `limits`."""

    retire: int = 30  # percent of the fleets that are live
    dns_deletes: int = 30  # percent of a zone's records that are ours
    dns_changes: int = 30
    rollouts: int = 4  # at once
    failures: int = 2  # failed rollouts of one commit or one AMI
    approved: tuple[str, ...] = ()  # digests

    def stricter(self, other: "Limits") -> "Limits":
        """Return the stricter of two, field by field: a commit can't loosen the limit that judges it.

        `approved` is a statement about this plan's own digest, so the newer list counts.
        """
        return Limits(
            retire=min(self.retire, other.retire),
            dns_deletes=min(self.dns_deletes, other.dns_deletes),
            dns_changes=min(self.dns_changes, other.dns_changes),
            rollouts=min(self.rollouts, other.rollouts),
            failures=min(self.failures, other.failures),
            approved=self.approved,
        )


def retire_refusals(
    target: TargetName, limits: Limits, going: Sequence[str], live: int
) -> tuple[Refusal, ...]:
    """Return the refusals for fleets that git no longer has, of those with live groups."""
    count = len(going)
    if count == 0:
        return ()
    found: list[Refusal] = []
    if count == live:
        found.append(
            Refusal(
                target=target,
                limit="last-fleet",
                count=count,
                of=live,
                allowed=live - 1,
                why=f"this would retire the last fleet of {target}: {', '.join(sorted(going)[:5])}",
            )
        )
    allowed = max(1, live * limits.retire // 100)
    if count > allowed:
        found.append(
            Refusal(
                target=target,
                limit="retire",
                count=count,
                of=live,
                allowed=allowed,
                why=f"{count} of {live} fleets left git; limits.retire ({limits.retire}%) is {allowed}",
            )
        )
    return tuple(found)


def digest(items: Sequence[Item]) -> str:
    """Return the 10 hex digits by which this plan is approved.

    Over kind, name, target, action, from, to and because (path, old, new): no sizes that the
    autoscaler owns, no steps, no times, so that an autoscaling event does not void an approval.
    Of a secret only the path counts: its keyed hashes are another process's, and `to` covers its change.
    """
    rows = [
        [i.kind, i.name, i.target, i.action, i.was, i.to, [_row(b) for b in i.because]]
        for i in sorted(items, key=lambda i: (i.kind, i.name))
    ]
    return sha(rows, 10)


def _row(because: Because) -> list[str]:
    return [because.path, "", ""] if because.secret else [because.path, because.old, because.new]
