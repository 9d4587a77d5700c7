"""Ways in that git names no more: records at another name, a rule at another place, another kind of traffic.

They stay until the wanted revision has carried all traffic, so that nobody is sent to nothing.
"""

from datetime import timedelta

from reconciler.core.facts import FLEET, OWNER, tag
from reconciler.kinds.balancer.steps import DeleteRule
from reconciler.kinds.record.steps import Action, Change, ChangeRecords
from reconciler.kinds.register import Blocked, Move
from reconciler.strategies.born import full_head
from reconciler.strategies.retire import drain_of
from reconciler.strategies.slice import Live, Slice
from reconciler.strategies.traffic import zone_of
from reconciler.strategies.wanted import ALIAS_TTL, TrafficKind, Wanted


def old_ways(want: Wanted, s: Slice, new: Live) -> Move:
    """Return the move that closes a way by which old revisions still get traffic; None: there is none.

    The wanted revision remembers the change, so that INSYNC and its own drain are waited for again.
    """
    here, stage = zone_of(want, s), full_head(want)
    because = f"clients find {new.name} where git says"
    for zone in s.zones:
        kept = want.dns.name if want.dns and zone is here else ""
        left = [
            r
            for live in s.revisions
            if live.revision != want.revision
            for r in live.records
            if r.name != kept and r in zone.records
        ]
        if left:
            return ChangeRecords(
                zone=zone.zone,
                zone_id=zone.id,
                changes=tuple(Change(action=Action.DELETE, record=r) for r in left),
                mark=new.name,
                stage=stage,
                because=because,
            )
    return _old_rule(want, s, new, stage, because)


def _old_rule(want: Wanted, s: Slice, new: Live, stage: str, because: str) -> Move:
    ours = {t.arn for t in s.target_groups}
    own = new.target_group.arn if new.target_group else ""
    for rule in s.rules:
        arns = {arn for arn, _ in rule.weights}
        if rule is s.rule or own in arns:  # a part of the serving revision: it moves beside the revision
            continue
        mine = (tag(rule.tags, OWNER), tag(rule.tags, FLEET)) == (want.keeper.owner, want.fleet)
        if not mine or not arns <= ours:
            why = f"listener rule {rule.priority} of {rule.listener} leads to an old revision and is not ours"
            return Blocked(code="conflict", why=why)
        return DeleteRule(name=new.name, arn=rule.arn, mark=new.name, stage=stage, because=because)
    return None


def leaving(want: Wanted, live: Live) -> timedelta:
    """Return how long clients of a revision of another kind of traffic may still be on their way to it."""
    balanced = live.balancer is not None
    same = want.kind is (TrafficKind.DNS if balanced else TrafficKind.LISTENER)
    if live.target_group is None or same:
        return timedelta()
    return drain_of(live) + (ALIAS_TTL if balanced else timedelta())
