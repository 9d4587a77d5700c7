"""How traffic enters a revision, moves to it and leaves it: one answer for each kind of traffic."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import assert_never

from reconciler.core.facts import STAGE
from reconciler.core.ids import Arn, InstanceId, ResourceName
from reconciler.kinds.balancer.live import HEALTHY, LiveRule, target_group_name
from reconciler.kinds.balancer.steps import (
    CreateBalancer,
    CreateListener,
    CreateRule,
    CreateTargetGroup,
    SetRule,
)
from reconciler.kinds.group.steps import Attach, Detach, TagGroup
from reconciler.kinds.record.live import LiveZone
from reconciler.kinds.record.steps import Action, Change, ChangeRecords
from reconciler.kinds.record.want import Alias, Key, RecordSet
from reconciler.kinds.register import Blocked, Move, Step, Wait
from reconciler.strategies.born import birth_tags
from reconciler.strategies.slice import Live, Slice, StageTag
from reconciler.strategies.wanted import ALIAS_TTL, WEIGHTED, TrafficKind, Wanted, identifier

FULL_DNS = 255  # the largest weight that Route 53 takes
FULL_RULE = 100  # shares in our listener rules are percents


def before_birth(want: Wanted, s: Slice, new: Live) -> Step | Wait | None:
    """Make what the group is born into: its target group, its balancer, its listeners."""
    if want.target_group and new.target_group is None:
        return CreateTargetGroup(target_group=want.target_group, tags=birth_tags(want, s.as_of))
    if want.balancer is None:
        return None
    if new.balancer is None:
        return CreateBalancer(balancer=want.balancer, tags=birth_tags(want, s.as_of))
    if new.balancer.listeners is None:
        return Wait(why=f"the listeners of {want.name} were not read in this pass")
    have = {x.port for x in new.balancer.listeners}
    missing = next((x for x in want.balancer.listeners if x.port not in have), None)
    if missing is None:
        return None
    return CreateListener(name=want.name, listener=missing, tags=birth_tags(want, s.as_of))


def enter(want: Wanted, s: Slice, new: Live, need: int) -> Move:
    """Bring a running revision to where it passes its health checks, without giving it traffic.

    Return what is to be done or waited for, or None once `need` of its own instances pass.
    """
    group = new.up
    if group is None:
        return Wait(why=f"{want.name} has no group yet")
    if group.in_service < need:
        return Wait(why=f"{want.name}: {group.in_service} of {need} instances in service")
    match want.kind:
        case TrafficKind.NONE:
            return None
        case TrafficKind.DNS:
            if new.balancer is None or new.balancer.state not in ("active", "active_impaired"):
                state = new.balancer.state if new.balancer else "missing"
                return Wait(why=f"balancer {want.name} is {state}")
            return _targets(want, s, new, need)
        case TrafficKind.LISTENER:
            return _enter_rule(want, s, new, need)
        case TrafficKind.ATTACH:
            missing = tuple(a for a in want.group.attach_target_groups if a not in group.target_groups)
            classic = tuple(c for c in want.group.attach_classic if c not in group.classic)
            if missing or classic:
                return Attach(name=group.name, target_groups=missing, classic=classic)
            return _targets(want, s, new, need)
        case _:
            assert_never(want.kind)


def _targets(want: Wanted, s: Slice, new: Live, need: int) -> Wait | None:
    places: tuple[Arn | str, ...] = (*want.group.attach_target_groups, *want.group.attach_classic)
    if new.target_group and want.target_group:
        places = (new.target_group.arn, *places)
    in_service = frozenset(i.id for i in new.group.instances if i.in_service) if new.group else frozenset()
    for place in places:
        short = target_group_name(place) or place
        if not s.looked(place):
            return Wait(why=f"target health of {short} was not read in this pass")
        healthy = s.healthy(place, in_service)
        if healthy < need:
            return Wait(why=f"{want.name}: {healthy} of {need} targets healthy in {short}")
    return None


def ready(want: Wanted, s: Slice, live: Live) -> int | None:
    """Count instances of a revision that could serve where the fleet takes traffic; None: nobody looked."""
    group = live.up
    if group is None:
        return 0
    if want.kind is TrafficKind.NONE:
        return group.in_service
    places: tuple[Arn | str, ...] = (*want.group.attach_target_groups, *want.group.attach_classic)
    if want.kind is not TrafficKind.ATTACH:
        places = (live.target_group.arn,) if live.target_group else ()
    if not places or (
        want.kind is TrafficKind.ATTACH and not {*places} <= {*group.target_groups, *group.classic}
    ):
        return 0
    if not all(s.looked(p) for p in places):
        return None
    in_service = frozenset(i.id for i in group.instances if i.in_service)
    return min(s.healthy(p, in_service) for p in places)


def serves(want: Wanted, s: Slice, live: Live) -> int | None:
    """Count what serves of a revision that has traffic; None: nobody looked.

    All that is healthy in its own target group counts: a list of instances may be older than their health.
    """
    own = live.target_group
    if want.kind not in WEIGHTED or own is None:
        return ready(want, s, live)
    states = [state for h in s.health if h.group == own.arn for _, state in h.states]
    return sum(state == HEALTHY for state in states) if s.looked(own.arn) else None


def _enter_rule(want: Wanted, s: Slice, new: Live, need: int) -> Move:
    if new.target_group is None:
        return Wait(why=f"target group {want.name} is not there yet")
    if s.rule is None:
        return None  # first birth: the rule is made by the shift; health is gated after it
    if conflict := rule_conflict(want, s):
        return conflict
    arn = new.target_group.arn
    if arn not in dict(s.rule.weights):
        return SetRule(
            name=want.name,
            arn=s.rule.arn,
            expect=s.rule.weights,
            weights=(*s.rule.weights, (arn, 0)),
            mark=None,
            stage="",
            because="enters at weight 0, so that its targets are checked",
        )
    return _targets(want, s, new, need)


def rule_conflict(want: Wanted, s: Slice) -> Blocked | None:
    """Say why the rule at the wanted priority may not be written, if so."""
    if s.rule is None or want.rule is None:
        return None
    ours = {t.arn for t in s.target_groups}
    if not rule_is_ours(want, s.rule):
        return Blocked(
            code="conflict",
            why=f"listener rule {want.rule.priority} of {want.rule.listener} exists and is not ours",
        )
    foreign = sorted(arn for arn, _ in s.rule.weights if arn not in ours)
    if foreign:
        return Blocked(code="conflict", why=f"unknown target groups stand in our rule: {', '.join(foreign)}")
    return None


def rule_is_ours(want: Wanted, rule: LiveRule) -> bool:
    """Was this rule made for this fleet, at this place, by us."""
    wanted = dict(want.rule.tags) if want.rule else {}
    have = dict(rule.tags)
    return all(have.get(k) == v for k, v in wanted.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Who gets how much: a percent of all traffic for one revision, the rest for another, the others none."""

    to: Live
    percent: int = 100
    rest: Live | None = None

    def of(self, total: int) -> dict[ResourceName, int]:
        """Return the weights in whole parts of a total: at least one part for who has a percent."""
        if self.percent == 100 or self.rest is None:
            return {self.to.name: total}
        own = min(max(1, round(total * self.percent / 100)), total - 1)
        return {self.to.name: own, self.rest.name: total - own}

    @property
    def because(self) -> str:
        """Why it is written."""
        return f"{'all' if self.percent == 100 else f'{self.percent}% of'} traffic to {self.to.name}"


def shift(want: Wanted, s: Slice, share: Share, stage: StageTag) -> Move:
    """Share traffic out, in one atomic change where AWS has one. None: it is shared out like this."""
    match want.kind:
        case TrafficKind.DNS:
            return _shift_records(want, s, share, stage)
        case TrafficKind.LISTENER:
            return _shift_rule(want, s, share, stage)
        case TrafficKind.ATTACH:
            for other in s.revisions:
                if other.revision != share.to.revision and (move := detach(other)):
                    return move
            return None
        case TrafficKind.NONE:
            return None
        case _:
            assert_never(want.kind)


def detach(live: Live) -> Detach | None:
    """Take a revision out of every target group that is not its own, and out of classic balancers."""
    group = live.up
    if group is None:
        return None
    own = live.target_group.arn if live.target_group else None
    foreign = tuple(a for a in group.target_groups if a != own)
    if not foreign and not group.classic:
        return None
    return Detach(name=group.name, target_groups=foreign, classic=group.classic)


def zone_of(want: Wanted, s: Slice) -> LiveZone | None:
    """Return the zone of the fleet's records."""
    return next((z for z in s.zones if want.dns and z.zone == want.dns.zone), None)


def wanted_records(want: Wanted, to: Live, weight: int) -> tuple[RecordSet, ...]:
    """Return the weighted alias records of one revision."""
    if want.dns is None or to.balancer is None:
        return ()
    alias = Alias(
        name=to.balancer.dns_name.lower().rstrip(".") + ".",
        zone=to.balancer.zone,
        evaluate_health=want.dns.evaluate_health,
    )
    return tuple(
        RecordSet(
            name=want.dns.name,
            type=kind,
            identifier=identifier(want.target, to.name),
            alias=alias,
            weight=weight,
        )
        for kind in want.dns.types
    )


def _shift_records(want: Wanted, s: Slice, share: Share, stage: StageTag) -> Move:
    zone = zone_of(want, s)
    if zone is None or want.dns is None:
        return Blocked(code="zone", why=f"zone {want.dns.zone if want.dns else '?'} was not found")
    there = _at_name(want, zone)
    # A record that git declared at this name until now gives way in the same batch.
    given_up = _given_up(want, s, zone)
    if foreign := strangers(want, s):
        what = f"{foreign[0].type} {foreign[0].identifier or foreign[0].policy}"
        return Blocked(code="conflict", why=f"{want.dns.name} has a record that is not ours ({what})")
    there = [r for r in there if r not in given_up]
    weights, wanted = share.of(FULL_DNS), dict[Key, RecordSet]()
    for live in (share.to, share.rest):
        if live and live.name in weights:
            wanted |= {r.key: r for r in wanted_records(want, live, weights[live.name])}
    changes = [Change(action=Action.DELETE, record=r) for r in given_up]
    for record in there:
        final = wanted.pop(record.key, None) or replace(record, weight=0)
        if final != record:
            changes += [
                Change(action=Action.DELETE, record=record),
                Change(action=Action.CREATE, record=final),
            ]
    changes += [Change(action=Action.CREATE, record=r) for r in wanted.values()]
    if not changes:
        return None
    return ChangeRecords(
        zone=zone.zone,
        zone_id=zone.id,
        changes=tuple(changes),
        mark=share.to.name,
        stage=stage.head,
        because=share.because,
    )


def _at_name(want: Wanted, zone: LiveZone) -> list[RecordSet]:
    name = want.dns.name if want.dns else ""
    return [r for r in zone.records if r.name == name and r.type in ("A", "AAAA", "CNAME")]


def _own_identifiers(want: Wanted, s: Slice) -> set[str]:
    return {identifier(want.target, r.name) for r in s.revisions}


def _given_up(want: Wanted, s: Slice, zone: LiveZone) -> list[RecordSet]:
    declared = {r.key for _, records in zone.ancestry for r in records or ()}
    ours = _own_identifiers(want, s)
    return [r for r in _at_name(want, zone) if r.key in declared and r.identifier not in ours]


def strangers(want: Wanted, s: Slice) -> list[RecordSet]:
    """Return the records at a fleet's name that are neither its own nor declared by git until now."""
    zone = zone_of(want, s)
    if zone is None:
        return []
    ours, given_up = _own_identifiers(want, s), _given_up(want, s, zone)
    there = [r for r in _at_name(want, zone) if r not in given_up]
    return [r for r in there if r.identifier not in ours or r.weight is None]


def rewrite(want: Wanted, s: Slice, to: Live, stage: StageTag) -> Step | None:
    """Write the same weights again, to get a change id that can be asked for."""
    zone = zone_of(want, s)
    if zone is None or not to.records:
        return None
    return ChangeRecords(
        zone=zone.zone,
        zone_id=zone.id,
        changes=tuple(Change(action=Action.UPSERT, record=r) for r in to.records),
        mark=to.name,
        stage=stage.head,
        because="its change id was lost: the same values give a new one",
    )


def _shift_rule(want: Wanted, s: Slice, share: Share, stage: StageTag) -> Move:
    to = share.to
    if to.target_group is None or want.rule is None:
        return Blocked(code="conflict", why=f"{to.name} has no target group")
    if s.rule is None:
        return CreateRule(
            name=to.name,
            rule=want.rule,
            weights=((to.target_group.arn, FULL_RULE),),
            mark=to.name,
            stage=stage.head,
            because="the first revision behind this listener",
        )
    if conflict := rule_conflict(want, s):
        return conflict
    have, shares = dict(s.rule.weights), share.of(FULL_RULE)
    arns = {r.name: r.target_group.arn for r in (to, share.rest) if r and r.target_group}
    wanted = {**dict.fromkeys(have, 0), **{arns[n]: w for n, w in shares.items() if n in arns}}
    if have == wanted:
        return None
    return SetRule(
        name=to.name,
        arn=s.rule.arn,
        expect=s.rule.weights,
        weights=tuple(sorted(wanted.items())),
        mark=to.name,
        stage=stage.head,
        because=share.because,
    )


def has_all(want: Wanted, s: Slice, live: Live) -> bool:
    """Does this revision have all traffic, by the weights that were read."""
    match want.kind:
        case TrafficKind.DNS | TrafficKind.LISTENER:
            others = sum(r.weight or 0 for r in s.revisions if r.revision != live.revision)
            return bool(live.weight) and others == 0
        case TrafficKind.ATTACH:
            return all(detach(r) is None for r in s.revisions if r.revision != live.revision)
        case TrafficKind.NONE:
            return True
        case _:
            assert_never(want.kind)


def settling(want: Wanted) -> timedelta:
    """How long after INSYNC the last client may still go where the weights no longer send it."""
    match want.kind:
        case TrafficKind.DNS:
            return ALIAS_TTL + want.drain
        case TrafficKind.LISTENER | TrafficKind.ATTACH:
            return want.drain
        case TrafficKind.NONE:
            return timedelta()
        case _:
            assert_never(want.kind)


def draining(s: Slice, live: Live) -> int:
    """Count instances of a detached revision that foreign target groups still know: they drain."""
    own = frozenset(InstanceId(i) for i in live.own)
    groups = {t.arn for t in s.target_groups}
    return sum(h.present(own) for h in s.health if h.group not in groups)


def mark(name: ResourceName, stage: StageTag, because: str) -> TagGroup:
    """Remember a stage on its group."""
    return TagGroup(name=name, put=((STAGE, stage.text()),), because=because)
