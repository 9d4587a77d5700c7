"""The end of a revision: out of traffic, down to nothing, then all that was made for it. Never forced."""

from datetime import datetime, timedelta

from reconciler.core.facts import BORN, STAGE, tag
from reconciler.kinds.balancer.steps import DeleteBalancer, DeleteRule, DeleteTargetGroup, SetRule
from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.steps import DeleteGroup, DeleteSchedule, SetSizes, TagGroup
from reconciler.kinds.record.steps import Action, Change, ChangeRecords
from reconciler.kinds.register import Blocked, Move, Step, Wait
from reconciler.kinds.template.live import LiveTemplate
from reconciler.kinds.template.steps import DeleteTemplate
from reconciler.strategies.slice import NOTHING, Live, Slice, StageTag, at
from reconciler.strategies.traffic import detach, draining
from reconciler.strategies.wanted import ALIAS_TTL

STAYING = ("Standby", "Terminating:Retained")  # what no scale-in ends (Auto Scaling, instance lifecycle)
TOMBSTONES = 3  # of a fleet; older ones go
OUT = "out"  # stands for the stages of a fleet that has left
LEFT = "left"  # of a revision whose traffic went back to the one before it
LEAVING = "leaving"  # and of one that is about to: said before its traffic ends, so that it may come back
VISIBLE = timedelta(seconds=60)  # reads of Auto Scaling lag: the group of a new revision may be there unseen
INSYNC_USUAL = timedelta(seconds=60)  # Route 53: a change usually is in sync within 60 s
DRAIN_DEFAULT = timedelta(seconds=300)  # deregistration delay where it was not read (ELB's default)


def end(s: Slice, live: Live, because: str) -> Move:
    """Return the next move that takes a revision away, once it has no traffic. None: nothing is left.

    A tombstone's template stays; `bury` counts those.
    """
    if move := leave(s, live, because):
        return move
    if live.group and (move := end_capacity(live.group, because, drains=draining(s, live))):
        return move
    if wait := unseen(s, live):
        return wait
    if live.balancer:
        return DeleteBalancer(name=live.name, arn=live.balancer.arn)
    if live.target_group:
        return DeleteTargetGroup(name=live.name, arn=live.target_group.arn)
    if live.template and not live.template.failed:
        return _without(live.template)
    return None


def _without(template: LiveTemplate) -> DeleteTemplate:
    return DeleteTemplate(name=template.name, id=template.id, born=tag(template.tags, BORN))


def unseen(s: Slice, live: Live) -> Wait | None:
    """Wait where a revision's group may be there already, and no read shows it yet."""
    until = at(live.identity.born) + VISIBLE
    if live.group or s.as_of >= until or not (live.balancer or live.target_group or live.template):
        return None
    return Wait(why=f"a group {live.name} would not be visible yet", until=until)


def leave(s: Slice, live: Live, because: str) -> Move:
    """Take a revision without traffic out of the records, the rule and what it is attached to."""
    if live.weight:
        return Blocked(code="traffic", why=f"{live.name} still has weight {live.weight}")
    if live.records:
        zone = next((z for z in s.zones if live.records[0] in z.records), None)
        if zone is None:
            return Wait(why=f"the zone of {live.records[0].name} was not read in this pass")
        return ChangeRecords(
            zone=zone.zone,
            zone_id=zone.id,
            changes=tuple(Change(action=Action.DELETE, record=r) for r in live.records),
            because=because,
        )
    own = live.target_group.arn if live.target_group else None
    for rule in s.rules:
        if own is not None and own in dict(rule.weights):
            return SetRule(
                name=live.name,
                arn=rule.arn,
                expect=rule.weights,
                weights=tuple(w for w in rule.weights if w[0] != own),
                mark=None,
                stage="",
                because=because,
            )
    return detach(live)


def end_capacity(group: LiveGroup, because: str, *, drains: int = 0) -> Move:
    """Bring a group to nothing and delete it, gracefully: hooks run, nothing is forced."""
    return emptied(group, because, drains=drains) or DeleteGroup(name=group.name, because=because)


def emptied(group: LiveGroup, because: str, *, drains: int = 0) -> Move:
    """Return the next move until a group has no instance; None: it has none."""
    if group.deleting:
        return Wait(why=f"{group.name} is being deleted")
    if group.schedules:
        return DeleteSchedule(name=group.name, schedule=group.schedules[0].name)
    if drains:
        return Wait(why=f"{drains} targets of {group.name} still drain")
    if group.sizes != NOTHING:
        return SetSizes(name=group.name, expect=group.sizes, sizes=NOTHING, because=because)
    return _emptying(group) if group.instances else None


def _emptying(group: LiveGroup) -> Move:
    count = len(group.instances)
    blockers = sorted(i.id for i in group.instances if i.protected or i.lifecycle in STAYING)
    if blockers:
        why = f"{', '.join(blockers[:3])} in {group.name} is protected from scale-in, in standby or retained"
        return Blocked(code="protected-instance", why=why)
    if any(process == "Terminate" for process, _ in group.suspended):
        return Blocked(code="suspended-process", why=f"process Terminate of {group.name} is suspended")
    return Wait(why=f"{count} instances of {group.name} are ending")


def bury(revisions: tuple[Live, ...]) -> Step | None:
    """Keep the newest tombstones of a fleet; return the deletion of one that is too many."""
    dead = [r for r in revisions if r.template and r.template.failed and r.group is None]
    surplus = sorted(dead, key=_died)[: max(0, len(dead) - TOMBSTONES)]
    if not surplus or surplus[0].template is None:
        return None
    return _without(surplus[0].template)


def _died(live: Live) -> int:
    epoch = (live.template.failed if live.template else "").split(";")
    return int(epoch[1]) if len(epoch) > 1 and epoch[1].isdigit() else 0


def remove(s: Slice) -> Move:
    """Return the next move that takes a whole fleet away: traffic first, then a drain, then the rest."""
    because = "the fleet is not in git any more"
    serving = max(
        (r for r in s.revisions if r.up),
        key=lambda r: (r.weight or 0, _out(r), r.idle is None, r.identity.born),
        default=None,
    )
    if serving and (move := _stop_traffic(s, serving, because)):
        return move
    wait: Move = None
    for live in s.revisions:
        done = end(s, live, because)
        if done is None and live.template:
            return _without(live.template)
        if done is not None and not isinstance(done, Wait | Blocked):
            return done
        wait = wait or done
    return wait


def _stop_traffic(s: Slice, serving: Live, because: str) -> Move:
    for r in s.revisions:
        had = r.up and r.idle is None and r.stage and r.stage.step >= 1
        if (had or ((serving.records or s.rules) and r is serving)) and not leaves(r):
            return _mark(r, LEAVING, s.as_of, "its traffic is about to end")
    records = tuple(r for live in s.revisions for r in live.records)
    if records:
        zone = next((z for z in s.zones if records[0] in z.records), None)
        if zone is None:
            return Wait(why=f"the zone of {records[0].name} was not read in this pass")
        return ChangeRecords(
            zone=zone.zone,
            zone_id=zone.id,
            changes=tuple(Change(action=Action.DELETE, record=r) for r in records if r in zone.records),
            mark=serving.name,
            stage=f"0/{OUT}",
            because=because,
        )
    if s.rules:
        return DeleteRule(
            name=serving.name, arn=s.rules[0].arn, mark=serving.name, stage=f"0/{OUT}", because=because
        )
    if not _out(serving):
        move = next((d for r in s.revisions if (d := detach(r))), None)
        return move or _forgotten(s, serving)
    waits = (drained(s, r) for r in s.revisions)
    return next((move for move in waits if move is not None), None)


def _out(live: Live) -> bool:
    """Does this revision remember when the traffic of its fleet ended."""
    return live.stage is not None and live.stage.stages == OUT


def leaves(live: Live) -> bool:
    """Did this revision's fleet leave git, so that its traffic ended or was about to."""
    return live.stage is not None and live.stage.stages in (OUT, LEAVING)


def parted(live: Live) -> bool:
    """Do clients leave this revision, or have they, so that it begins anew when it is wanted."""
    return leaves(live) or (live.stage is not None and live.stage.stages == LEFT)


def left(s: Slice, live: Live, serving: Live, *, sure: bool = True) -> TagGroup:
    """Note that a revision gave its traffic back, lest it be taken for the serving one or ended too early.

    Not sure: it stands where traffic is, and which change took its weight may have been lost.
    """
    change = serving.stage.change if serving.stage else ""
    unknown = INSYNC_USUAL if live.balancer and not (sure or change) else timedelta()
    return _mark(live, LEFT, s.as_of + unknown, f"its traffic is with {serving.name}", change)


def _forgotten(s: Slice, serving: Live) -> TagGroup:
    """Note the end of a traffic whose change this revision does not know.

    The last change that another one names came no earlier; where there is none, the usual time is given.
    """
    known = next((r.stage.change for r in s.revisions if r.stage and r.stage.change), "")
    unknown = INSYNC_USUAL if serving.balancer and not known else timedelta()
    return _mark(serving, OUT, s.as_of + unknown, "its traffic has ended", known)


def _mark(serving: Live, word: str, since: datetime, because: str, change: str = "") -> TagGroup:
    stage = StageTag(step=0, stages=word, change=change, since=since)
    return TagGroup(name=serving.name, put=((STAGE, stage.text()),), because=because)


def drained(s: Slice, serving: Live) -> Move:
    """Wait for the last client of a revision whose fleet left git, and may be back. None: they are gone."""
    stage = serving.stage
    if stage is not None and stage.stages == LEAVING and not serving.weight:
        return _forgotten(s, serving)
    if stage is None or stage.stages not in (OUT, LEFT):
        return None
    since = stage.since
    if stage.change:
        status = s.change_status(stage.change)
        if status == "INSYNC":
            return _mark(serving, stage.stages, s.as_of, "its traffic has ended")
        if status != "UNKNOWN":
            return Wait(why=f"Route 53 change {stage.change} is {status or 'not read'}")
        since += INSYNC_USUAL
    balanced = serving.target_group is not None
    drain = drain_of(serving) if balanced else timedelta()
    until = since + drain + (ALIAS_TTL if serving.balancer else timedelta())
    if s.as_of < until:
        return Wait(why=f"clients of {s.fleet} drain", until=until)
    return None


def drain_of(live: Live) -> timedelta:
    """Return the deregistration delay of a revision's own target group."""
    own = live.target_group
    value = tag(own.attributes, "deregistration_delay.timeout_seconds") if own and own.attributes else ""
    return timedelta(seconds=int(value)) if value.isdigit() else DRAIN_DEFAULT
