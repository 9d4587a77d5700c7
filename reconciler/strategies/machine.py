"""The one machine under every strategy: it moves traffic and capacity through stages.

Called again each pass with fresh facts, so a daemon killed after any step goes on by itself.
"""

from reconciler.core.duration import format_duration
from reconciler.core.facts import APPLIED, FAILED, IDLE, LEASE
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
    return main or side


def serving_of(want: Wanted | None, s: Slice) -> Live | None:
    """Return the last shifted revision: the one that traffic goes back to."""
    up = [r for r in s.revisions if r.up and r.idle is None]
    shifted = [r for r in up if r.stage and r.stage.step >= 1]
    if shifted:
        settled = [r for r in shifted if want is None or _settled(want, s, r)]
        return max(settled or shifted, key=lambda r: (r.stage.since if r.stage else s.as_of, r.identity.born))
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


def _settled(want: Wanted, s: Slice, live: Live) -> bool:
    stage = live.stage
    if stage is None or stage.step < 1 or stage.change:
        return False
    return s.as_of >= stage.since + traffic.settling(want)


def shifted(want: Wanted, s: Slice) -> bool:
    """Has all traffic moved to the wanted revision, and has the last client followed."""
    new = s.live(want.revision)
    return bool(new and new.up and _carried(s, new) and _settled(want, s, new))


def _carried(s: Slice, new: Live) -> bool:
    """Did this revision get all traffic, and no other one since."""
    stage = new.stage
    if stage is None or stage.step < 1 or new.idle is not None:
        return False
    others = (r for r in s.revisions if r.revision != new.revision and r.up and r.idle is None and r.stage)
    return not any(r.stage.step >= 1 and r.stage.since > stage.since for r in others if r.stage)


def _toward(want: Wanted, s: Slice, new: Live | None, allow: Allow) -> Move:
    serving = serving_of(want, s)
    if new and (buried := _tombstone(want, s, new, serving, allow)):
        return buried
    if new and new.up and _carried(s, new):
        return _finish(want, s, new)
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
        full = StageTag(step=len(want.rollout.stages), stages=stages_hash(want), change="", since=s.as_of)
        return traffic.mark(serving.name, full, "it has traffic, and its tag was lost")
    if stage and stage.change and s.change_status(stage.change) == "INSYNC":
        return _synced(s, serving, stage)
    return None


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
    full = StageTag(step=len(want.rollout.stages), stages=stages_hash(want), change="", since=s.as_of)
    carries = new.weight or (stage is None and serving is not None and serving.revision == new.revision)
    if carries and new.idle is None and traffic.has_all(want, s, new):  # only its tag was lost
        again = traffic.rewrite(want, s, new, full) if want.kind is TrafficKind.DNS else None
        return again or traffic.mark(new.name, full, "all traffic is here")
    if stage is None or stage.step >= 1 or new.idle is not None:
        return _reopen(want, s, new)
    deadline = stage.since + want.rollout.ready_within
    move = traffic.enter(want, s, new, _need(want, new, serving))
    if s.as_of >= deadline and move is not None:  # what is ready now goes on, however late it is seen
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
    if want.kind is TrafficKind.ATTACH and serving and serving.up and serving.revision != new.revision:
        attached = traffic.enter(want, s, serving, floor(want, serving) or 0)
        if attached is not None:
            return attached
        if step := traffic.detach(new):
            return step
    if new.template and not new.template.failed:
        text = f"{want.spec_hash};{int(s.as_of.timestamp())};{code}"
        return TagTemplate(
            name=new.name, id=new.template.id, put=((FAILED, text),), because=f"failed: {code}"
        )
    if serving and serving.revision != new.revision and (move := _follow(want, s, serving)):
        return move
    return retire.end(s, new, f"failed: {code}")


def _return(want: Wanted, s: Slice, serving: Live) -> Move:
    if step := raise_floor(want, serving, serving, s.as_of):
        return step
    stage = StageTag(step=len(want.rollout.stages), stages=stages_hash(want), change="", since=s.as_of)
    return traffic.shift(want, s, serving, stage)


def _clean(want: Wanted, s: Slice, allow: Allow) -> Move:
    """Take away what no longer serves: superseded revisions at once, old ones after `keepOld`."""
    serving = serving_of(want, s)
    wait: Move = None
    for live in s.revisions:
        if live.revision == want.revision or (serving and live.revision == serving.revision):
            continue
        move = _clean_one(want, s, live, allow)
        if move is not None and not isinstance(move, Wait | Blocked):
            return move
        wait = wait or move
    return retire.bury(s.revisions) or _end_lease(want, s) or wait


def _clean_one(want: Wanted, s: Slice, live: Live, allow: Allow) -> Move:
    because = f"replaced by {want.name}"
    if live.idle is None or live.up is None:
        if live.weight:
            return Wait(why=f"{live.name} still has traffic")
        if live.up and live.stage and live.stage.step >= 1 and not _left_behind(want, s, live):
            return Wait(why=f"clients leave {live.name}")
        return retire.end(s, live, because)
    left = live.idle + leaving(want, live)
    if s.as_of < left:
        return Wait(why=f"clients leave {live.name}", until=left)
    until = live.idle + want.rollout.keep_old
    if s.as_of < until:
        return _rest(want, s, live) or Wait(why=f"{live.name} is kept", until=until)
    if allow.retire:
        return Blocked(code=allow.retire.code, why=allow.retire.why)
    if not shifted(want, s):
        return Wait(why=f"{live.name} stays until {want.name} has all traffic")
    return retire.end(s, live, because)


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
