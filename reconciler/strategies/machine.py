"""The one machine under every strategy: it moves traffic and capacity through stages.

Called again each pass with fresh facts, so a daemon killed after any step goes on by itself.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from reconciler.core.duration import format_duration
from reconciler.core.facts import APPLIED, COMMIT, FAILED, IDLE, LEASE
from reconciler.kinds.group.steps import DeleteSchedule, SetSizes, TagGroup
from reconciler.kinds.register import Blocked, Move, Step, Wait
from reconciler.kinds.template.steps import TagTemplate
from reconciler.strategies import retire, traffic
from reconciler.strategies.born import create_group, create_template, opening, stages_hash
from reconciler.strategies.floor import floor, lease_for, raise_floor, without_floor
from reconciler.strategies.slice import Live, Slice, StageTag
from reconciler.strategies.wanted import Allow, TrafficKind, Wanted
from reconciler.strategies.ways import leaving, old_ways

MOST = 3  # revisions of a fleet that may exist at a time (CONTRACT, Rollout words)


def next_move(want: Wanted, s: Slice, allow: Allow) -> Move:
    """Return the one move that is safe now, why nothing is, or None when the fleet has converged."""
    new = s.live(want.revision)
    main = _toward(want, s, new, allow)
    if main is not None and not isinstance(main, Wait | Blocked):
        return main
    side = _clean(want, s, allow)
    if side is not None and not isinstance(side, Wait | Blocked):
        return side
    if isinstance(main, Wait) and isinstance(side, Wait) and main.until is None:
        return replace(main, until=side.until)  # what holds it may be that the other one ends
    return main or side


def serving_of(want: Wanted | None, s: Slice) -> Live | None:
    """Return the last shifted revision: the one that traffic goes back to."""
    up = [r for r in s.revisions if r.up and r.idle is None]
    shifted = _in_turn(s)
    if shifted:
        # One that lost its traffic before its clients had followed never was shifted.
        ends = [*(_since(r, s) for r in shifted[1:]), s.as_of]
        settled = [r for r, end in zip(shifted, ends, strict=True) if not want or _settled(want, s, r, end)]
        return (settled or shifted)[-1]
    # Tags lost: what carries is what has weight, or what runs and never said that it gets ready.
    by_weight = [r for r in up if r.weight]
    if by_weight:
        return max(by_weight, key=lambda r: r.weight or 0)
    attached = [r for r in up if traffic.detach(r)]
    if attached:
        return attached[0]
    staying = [r for r in up if r.group and r.group.sizes != retire.NOTHING]
    unsaid = [r for r in staying if r.stage is None and r.group and r.group.in_service]
    return unsaid[0] if unsaid else None


def _in_turn(s: Slice) -> list[Live]:
    """Return the revisions that got traffic and never came to rest, the last one last.

    Of two in one second the one that has the weight came last.
    """
    got = (r for r in s.revisions if r.up and r.idle is None and r.stage and r.stage.step >= 1)
    return sorted(got, key=lambda r: (_since(r, s), r.weight or 0, r.identity.born))


def _full(want: Wanted, s: Slice) -> StageTag:
    """Return the mark of who has all traffic from now on: later than any other mark of it, to the second."""
    since = max((s.as_of, *(_since(r, s) + timedelta(seconds=1) for r in _in_turn(s))))
    return StageTag(step=len(want.rollout.stages), stages=stages_hash(want), change="", since=since)


def _since(live: Live, s: Slice) -> datetime:
    return live.stage.since if live.stage else s.as_of


def _settled(want: Wanted, s: Slice, live: Live, by: datetime | None = None) -> bool:
    stage = live.stage
    if stage is None or stage.step < 1 or stage.change:
        return False
    return min(s.as_of, by or s.as_of) >= stage.since + traffic.settling(want)


def _settles(want: Wanted, s: Slice, live: Live | None) -> datetime | None:
    """Return when the last client has followed a revision; None while that can't be known."""
    stage = live.stage if live else None
    if stage is None or stage.step < 1 or stage.change:
        return None
    until = stage.since + traffic.settling(want)
    return until if until > s.as_of else None


def shifted(want: Wanted, s: Slice) -> bool:
    """Has all traffic moved to the wanted revision, and has the last client followed."""
    new = s.live(want.revision)
    return bool(new and new.up and _carried(want, s, new) and _settled(want, s, new))


def _carried(want: Wanted, s: Slice, new: Live) -> bool:
    """Did this revision get all traffic, and no other one since."""
    turns, others = _in_turn(s), [r for r in s.revisions if r.revision != new.revision]
    weighted = want.kind in (TrafficKind.DNS, TrafficKind.LISTENER)
    if weighted and not new.weight and any(r.up and r.idle is None and r.weight for r in others):
        return False  # a shift of ours whose mark was lost: at rest the others are idle
    return bool(turns) and turns[-1].revision == new.revision


def _toward(want: Wanted, s: Slice, new: Live | None, allow: Allow) -> Move:
    serving = serving_of(want, s)
    if new and (buried := _tombstone(want, s, new, serving, allow)):
        return buried
    if new and new.up and _carried(want, s, new):
        return _finish(want, s, new)
    if serving and (step := _lost_traffic(s, serving)):
        return step
    if serving and (new is None or serving.revision != new.revision) and (step := _repair(want, s, serving)):
        return step
    stray = next((r for r in s.revisions if r.weight and serving and r.revision != serving.revision), None)
    if stray and serving and (new is None or stray.revision != new.revision):
        return _return(want, s, serving)  # an unfinished revision has traffic, and a newer one is wanted
    if new is None or new.up is None:
        return _birth(want, s, new, serving, allow)
    return _advance(want, s, new, serving)


def _repair(want: Wanted, s: Slice, serving: Live) -> Step | None:
    """Put right what the serving revision remembers of its own traffic, before another one takes it."""
    stage = serving.stage
    if stage is None or (stage.step < 1 and (serving.weight or traffic.detach(serving))):
        full = _full(want, s)
        return traffic.mark(serving.name, full, "it has traffic, and its tag was lost")
    if stage and stage.change and s.change_status(stage.change) == "INSYNC":
        return _synced(s, serving, stage)
    return None


def _lost_traffic(s: Slice, serving: Live) -> Step | None:
    """Return the write that keeps who gave its traffic back from being taken for the serving one."""
    turns = _in_turn(s)
    before = turns[: next((n for n, r in enumerate(turns) if r.revision == serving.revision), 0)]
    lost = next((r for r in before if not r.weight), None)
    return retire.left(s, lost, serving) if lost else None


def _synced(s: Slice, live: Live, stage: StageTag) -> TagGroup:
    synced = StageTag(step=stage.step, stages=stage.stages, change="", since=s.as_of)
    return traffic.mark(live.name, synced, "Route 53 answers with the new weights everywhere")


def _tombstone(want: Wanted, s: Slice, new: Live, serving: Live | None, allow: Allow) -> Move:
    failed = new.template.failed if new.template else ""
    if not failed or new.template is None:
        return None
    spec, _, rest = failed.partition(";")
    if spec != want.spec_hash:
        if allow.start:  # from here on it would be a rollout that has begun
            return Blocked(code=allow.start.code, why=allow.start.why)
        return TagTemplate(
            name=new.name,
            id=new.template.id,
            put=((COMMIT, want.commit),),  # whose rollout it is that may fail once more
            drop=(FAILED,),
            because="the desired state changed since it failed",
        )
    if new.group or new.balancer or new.target_group:
        return _back(want, s, new, serving, rest.partition(";")[2])
    code = rest.partition(";")[2]
    why = f"revision {new.name} failed ({code}); change its spec, or say `reconciler retry {want.fleet}`"
    return Blocked(code="failed", why=why)


def _birth(want: Wanted, s: Slice, new: Live | None, serving: Live | None, allow: Allow) -> Move:
    if new and new.group and new.group.deleting:
        return Wait(why=f"{new.name} is still being deleted; another launch.generation would not wait")
    begun = new is not None and new.template is not None
    if allow.start and not begun:
        return Blocked(code=allow.start.code, why=allow.start.why)
    if sum(r.group is not None for r in s.revisions) >= MOST:
        return Wait(why=f"{MOST} revisions exist; one has to be gone first")
    if serving and (step := raise_floor(want, serving, serving, s.as_of)):
        return step
    if new is None or new.template is None:
        return create_template(want, s.as_of)
    if move := traffic.before_birth(want, s, new):
        return move
    return create_group(want, serving, lease_for(want, serving, s.as_of), s.as_of)


def _advance(want: Wanted, s: Slice, new: Live, serving: Live | None) -> Move:
    stage = new.stage
    full = _full(want, s)
    alone = serving is not None and serving.revision == new.revision
    serving = None if alone else serving
    carries = new.weight or (stage is None and alone)
    if carries and new.idle is None and traffic.has_all(want, s, new):  # only its tag was lost
        again = traffic.rewrite(want, s, new, full) if want.kind is TrafficKind.DNS else None
        return again or traffic.mark(new.name, full, "all traffic is here")
    # Its fleet left git and is back: its traffic may return at once, and the drain is not forgotten.
    returns = retire.leaves(new) and retire.drained(s, new) is not None
    if stage is None or stage.step >= 1 or new.idle is not None or (retire.leaves(new) and not returns):
        return _reopen(want, s, new)
    deadline = None if returns else stage.since + want.rollout.ready_within
    move = traffic.enter(want, s, new, _need(want, new, serving))
    if (
        deadline and s.as_of >= deadline and move is not None
    ):  # what is ready now goes on, however late it is seen
        return _fail(want, s, new, serving)
    if new.up and new.up.sizes == retire.NOTHING and serving is None and want.capacity != retire.NOTHING:
        because = "it was on its way out, and is wanted again"
        return SetSizes(name=new.name, expect=new.up.sizes, sizes=want.capacity, because=because)
    for live in (new, serving):
        if live and (step := raise_floor(want, live, serving, s.as_of)):
            return step
    if isinstance(move, Wait):
        return Wait(why=move.why, until=move.until, deadline=deadline)
    if move is not None:
        return move
    return traffic.shift(want, s, new, full) or traffic.mark(new.name, full, "all traffic is here")


def _need(want: Wanted, new: Live, serving: Live | None) -> int:
    """How many instances have to pass their checks before a revision gets traffic."""
    least = floor(want, serving)
    if least is not None:
        return least
    return min(want.capacity.desired, new.group.sizes.desired) if new.group else want.capacity.desired


def _reopen(want: Wanted, s: Slice, new: Live) -> TagGroup:
    text = opening(want, s.as_of).text()
    return TagGroup(
        name=new.name,
        put=(("reconciler:stage", text),),
        # What was applied is forgotten with it: at rest it lost its sizes and schedules.
        drop=(APPLIED, IDLE) if new.idle else (),
        because="a kept revision is wanted again" if new.idle else "its stage was lost: it starts now",
    )


def _follow(want: Wanted, s: Slice, live: Live) -> Move:
    """Wait until the last client has followed the weights: INSYNC, then TTL and drain."""
    stage = live.stage
    if stage is None:
        return traffic.mark(live.name, opening(want, s.as_of), "its stage was lost: it starts now")
    if stage.change:
        status = s.change_status(stage.change)
        if status == "INSYNC":
            return _synced(s, live, stage)
        if status == "UNKNOWN":
            return traffic.rewrite(want, s, live, stage)
        return Wait(why=f"Route 53 change {stage.change} is {status or 'not read in this pass'}")
    until = stage.since + traffic.settling(want)
    if s.as_of < until:
        return Wait(why=f"clients move to {live.name}: TTL and drain", until=until)
    return None


def _finish(want: Wanted, s: Slice, new: Live) -> Move:
    if move := _follow(want, s, new):
        return move
    if move := old_ways(want, s, new):
        return move
    others = [r for r in s.revisions if r.revision != new.revision and r.up and r.idle is None]
    for old in others:
        serves = old.stage is not None and old.stage.step >= 1
        if serves or old.stage is None:
            return TagGroup(
                name=old.name,
                put=((IDLE, str(int(s.as_of.timestamp()))),),
                because=f"{new.name} has all traffic",
            )
    return _keep_floor(want, s, new)


def _keep_floor(want: Wanted, s: Slice, new: Live) -> Step | None:
    """Hold old revisions that traffic may go back to at the size that serves; end the lease after them."""
    kept = [r for r in s.revisions if r.revision != new.revision and r.up and r.idle and r.lease]
    if want.kind in (TrafficKind.DNS, TrafficKind.LISTENER):
        holding = [r for r in kept if r.idle and s.as_of < r.idle + want.rollout.keep_old]
        for live in holding:
            if step := raise_floor(want, live, new, s.as_of):
                return step
    return None


def _fail(want: Wanted, s: Slice, new: Live, serving: Live | None) -> Move:
    return _back(want, s, new, serving, "not ready in time")


def _back(want: Wanted, s: Slice, new: Live, serving: Live | None, code: str) -> Move:
    """Go back: traffic first, then the mark of the failure, then capacity."""
    if new.weight and serving and serving.revision != new.revision:
        return _return(want, s, serving)
    leaves = traffic.detach(new) if want.kind is TrafficKind.ATTACH else None
    if leaves and serving and serving.up and serving.revision != new.revision:
        return _prepare(want, s, serving) or leaves
    if new.template and not new.template.failed:
        text = f"{want.spec_hash};{int(s.as_of.timestamp())};{code}"
        return TagTemplate(
            name=new.name, id=new.template.id, put=((FAILED, text),), because=f"failed: {code}"
        )
    if serving and serving.revision != new.revision and (move := _follow(want, s, serving)):
        return move
    return retire.end(s, new, f"failed: {code}")


def _return(want: Wanted, s: Slice, serving: Live) -> Move:
    stage = _full(want, s)
    return _prepare(want, s, serving) or traffic.shift(want, s, serving, stage)


def _prepare(want: Wanted, s: Slice, serving: Live) -> Move:
    """Bring who takes traffic back to where it can carry it. None: it can."""
    if want.kind is TrafficKind.ATTACH and (attach := traffic.enter(want, s, serving, 0)):
        return attach
    carrier = max(_carriers(want, s, serving), key=lambda r: r.weight or 0, default=serving)
    return raise_floor(want, serving, carrier, s.as_of) or _not_ready_to_take_back(want, s, serving)


def _carriers(want: Wanted, s: Slice, serving: Live) -> list[Live]:
    """Return the other revisions that have traffic now."""
    others = [r for r in s.revisions if r.revision != serving.revision]
    return [r for r in others if r.weight or (want.kind is TrafficKind.ATTACH and traffic.detach(r))]


def _not_ready_to_take_back(want: Wanted, s: Slice, serving: Live) -> Wait | None:
    """Wait until who takes traffic back carries it as well as who has it now; a bad one has no say."""
    carriers = _carriers(want, s, serving)
    if not carriers:
        return None
    counted = {r.name: traffic.ready(want, s, r) for r in (*carriers, serving)}
    blind = next((n for n, count in counted.items() if count is None), None)
    if blind is not None:
        return Wait(why=f"target health of {blind} was not read in this pass")
    best = max(counted[r.name] or 0 for r in carriers)
    need = min(max(floor(want, r) or 0 for r in (*carriers, serving)), best)
    have = counted[serving.name] or 0
    if have >= need:
        return None
    return Wait(why=f"{serving.name}: {have} of {need} targets healthy, before traffic returns to it")


def _clean(want: Wanted, s: Slice, allow: Allow) -> Move:
    """Take away what no longer serves: superseded revisions at once, old ones after `keepOld`."""
    serving = serving_of(want, s)
    wait: Move = None
    for live in s.revisions:
        if live.revision == want.revision or (serving and live.revision == serving.revision):
            continue
        move = _clean_one(want, s, live, serving, allow)
        if move is not None and not isinstance(move, Wait | Blocked):
            return move
        wait = wait or move
    return retire.bury(s.revisions) or _end_lease(want, s) or wait


def _clean_one(want: Wanted, s: Slice, live: Live, serving: Live | None, allow: Allow) -> Move:
    because = f"replaced by {want.name}"
    if live.idle is None or live.up is None:
        if live.weight:
            return Wait(why=f"{live.name} still has traffic")
        if live.up and live.stage and live.stage.step >= 1 and not _left_behind(want, s, live):
            return Wait(why=f"clients leave {live.name}", until=_settles(want, s, serving))
        if serving and live.up and (live.records or live.rule_weight is not None) and not retire.parted(live):
            return retire.left(s, live, serving, sure=False)
        leaves = want.kind is TrafficKind.ATTACH and traffic.detach(live)
        back = _prepare(want, s, serving) if serving and leaves else None
        return back or retire.drained(s, live) or retire.end(s, live, because)
    left = live.idle + leaving(want, live)
    if s.as_of < left:
        return Wait(why=f"clients leave {live.name}", until=left)
    if wait := _not_yet_alone(want, live, serving):
        return wait
    until = live.idle + want.rollout.keep_old
    if s.as_of < until and not _crowded(want, s, live):
        return _rest(want, s, live) or Wait(why=f"{live.name} is kept", until=until)
    if allow.retire:
        return Blocked(code=allow.retire.code, why=allow.retire.why)
    if serving is None or not _settled(want, s, serving):
        return Wait(why=f"{live.name} stays until traffic has settled", until=_settles(want, s, serving))
    return retire.end(s, live, because)


def _crowded(want: Wanted, s: Slice, live: Live) -> bool:
    """Is this the older of two kept revisions, and a newer one has no place: a fix does not wait for it."""
    new, kept = s.live(want.revision), [r.idle for r in s.revisions if r.up and r.idle]
    full = sum(r.group is not None for r in s.revisions) >= MOST
    return full and len(kept) > 1 and live.idle == min(kept) and (new is None or new.group is None)


def _not_yet_alone(want: Wanted, live: Live, serving: Live | None) -> Wait | None:
    """Without traffic to move, the old one works on for as long as the new one would fall short."""
    if want.kind is not TrafficKind.NONE or not live.up or not serving or not serving.up:
        return None
    have, need = serving.up.in_service, want.capacity.min
    if have >= need or not live.up.in_service:
        return None
    return Wait(why=f"{serving.name}: {have} of {need} instances in service, before {live.name} goes")


def _left_behind(want: Wanted, s: Slice, live: Live) -> bool:
    """Once it had traffic: is that with another revision since, and has the last client followed."""
    serving = serving_of(want, s)
    if serving is None or serving.stage is None or live.stage is None or serving.revision == want.revision:
        return False  # the wanted one marks it idle, and `keepOld` begins
    return _settled(want, s, serving) and serving.stage.since >= live.stage.since


def _rest(want: Wanted, s: Slice, live: Live) -> Step | None:
    """Without weights to hold it back, a kept revision rests at size 0; its schedules must not wake it."""
    group = live.up
    if group is None:
        return None
    if group.schedules:
        return DeleteSchedule(name=group.name, schedule=group.schedules[0].name)
    if want.kind in (TrafficKind.DNS, TrafficKind.LISTENER) or group.sizes == retire.NOTHING:
        return None
    if traffic.draining(s, live):
        return None
    return SetSizes(
        name=group.name,
        expect=group.sizes,
        sizes=retire.NOTHING,
        because=f"kept at size 0 for {format_duration(want.rollout.keep_old)}",
    )


def _end_lease(want: Wanted, s: Slice) -> Step | None:
    """End the lease of the revision that serves alone: first the sizes that it raised, then the tag."""
    new = s.live(want.revision)
    failed = bool(new and new.template and new.template.failed and not new.up)
    holder = serving_of(want, s) if failed else new if shifted(want, s) else None
    if holder is None or holder.up is None or holder.lease is None:
        return None
    if any(r.up and r.up.sizes != retire.NOTHING for r in s.revisions if r.revision != holder.revision):
        return None
    sizes = without_floor(want, holder.up.sizes, holder.lease.least)
    if sizes != holder.up.sizes:
        because = "it serves alone: its floor ends"
        return SetSizes(name=holder.name, expect=holder.up.sizes, sizes=sizes, because=because)
    return TagGroup(name=holder.name, drop=(LEASE,), because="it serves alone")
