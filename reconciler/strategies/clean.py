"""What no longer serves is taken away: superseded revisions at once, old ones after `keepOld`."""

from reconciler.core.duration import format_duration
from reconciler.core.facts import LEASE
from reconciler.kinds.group.steps import DeleteSchedule, SetSizes, TagGroup
from reconciler.kinds.register import Blocked, Move, Step, Wait
from reconciler.strategies import recreate, retire, traffic
from reconciler.strategies.back import aborted, carriers, home, prepare
from reconciler.strategies.floor import without_floor
from reconciler.strategies.serving import is_settled, serving_of, settles, shifted
from reconciler.strategies.slice import NOTHING, Live, Slice
from reconciler.strategies.wanted import WEIGHTED, Allow, TrafficKind, Wanted
from reconciler.strategies.ways import leaving

MOST = 3  # revisions of a fleet that may exist at a time (CONTRACT, Rollout words)


def clean(want: Wanted, s: Slice, allow: Allow) -> Move:
    """Return the next move that takes away what neither serves nor is wanted. None: there is nothing."""
    serving = serving_of(want, s)
    stays = {want.revision, *(r.revision for r in (serving, _home(want, s)) if r)}
    wait: Move = None
    for live in s.revisions:
        if live.revision in stays:
            continue
        move = _one(want, s, live, serving, allow)
        if move is not None and not isinstance(move, Wait | Blocked):
            return move
        wait = wait or move
    return retire.bury(s.revisions) or _end_lease(want, s) or wait


def _home(want: Wanted, s: Slice) -> Live | None:
    """Return the revision that a failed one goes back to: its `keepOld` may be over before it is there."""
    new = s.live(want.revision)
    fails = new is not None and bool(aborted(new) or (new.template and new.template.failed))
    return home(want, s, new) if new and fails else None


def _one(want: Wanted, s: Slice, live: Live, serving: Live | None, allow: Allow) -> Move:
    because = f"replaced by {want.name}"
    if live.idle is None or live.up is None:
        return _superseded(want, s, live, serving, because)
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
    if serving is None or not is_settled(want, s, serving):
        return Wait(why=f"{live.name} stays until traffic has settled", until=settles(want, s, serving))
    return retire.end(s, live, because)


def _superseded(want: Wanted, s: Slice, live: Live, serving: Live | None, because: str) -> Move:
    """End a revision that is neither wanted nor put to rest: it never had all traffic, or gave it back."""
    if live.weight:
        return Wait(why=f"{live.name} still has traffic")
    full = bool(live.stage and live.stage.full)
    if live.up and full and not _left_behind(want, s, live):
        last = s.turns[-1] if s.turns else None  # it serves once it has settled
        until = settles(want, s, serving) or settles(want, s, last)
        return Wait(why=f"clients leave {live.name}", until=until)
    if serving and live.up and (live.records or live.rule_weight is not None) and not retire.parted(live):
        return retire.left(s, live, serving, sure=False)
    carries = live.up and live.up.sizes != NOTHING  # else it ends already, and nothing waits for its share
    if serving and carries and any(r.revision == live.revision for r in carriers(want, s, serving)):
        if want.rollout.strategy == recreate.NAME:  # the other one starts once this one is gone
            return retire.drained(s, live) or retire.end(s, live, because)
        if move := prepare(want, s, serving):
            return move
    return retire.drained(s, live) or retire.end(s, live, because)


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
    return is_settled(want, s, serving) and serving.stage.since >= live.stage.since


def rests(want: Wanted) -> bool:
    """Is the old revision kept at size 0: no weight holds it back, or it may not run beside the new one."""
    return want.kind not in WEIGHTED or want.rollout.strategy == recreate.NAME


def _rest(want: Wanted, s: Slice, live: Live) -> Step | None:
    """Bring a kept revision to rest; its schedules must not wake it."""
    group = live.up
    if group is None:
        return None
    if group.schedules:
        return DeleteSchedule(name=group.name, schedule=group.schedules[0].name)
    if not rests(want) or group.sizes == NOTHING:
        return None
    if traffic.draining(s, live):
        return None
    return SetSizes(
        name=group.name,
        expect=group.sizes,
        sizes=NOTHING,
        because=f"kept at size 0 for {format_duration(want.rollout.keep_old)}",
    )


def _end_lease(want: Wanted, s: Slice) -> Step | None:
    """End the lease of the revision that serves alone: first the sizes that it raised, then the tag."""
    new = s.live(want.revision)
    failed = bool(new and new.template and new.template.failed) and not _is_there(new)
    holder = serving_of(want, s) if failed else new if shifted(want, s) else None
    if holder is None or holder.up is None or holder.lease is None:
        return None
    if any(r.up and r.up.sizes != NOTHING for r in s.revisions if r.revision != holder.revision):
        return None
    sizes = without_floor(want, holder.up.sizes, holder.lease.least)
    if sizes != holder.up.sizes:
        because = "it serves alone: its floor ends"
        return SetSizes(name=holder.name, expect=holder.up.sizes, sizes=sizes, because=because)
    return TagGroup(name=holder.name, drop=(LEASE,), because="it serves alone")


def _is_there(live: Live | None) -> bool:
    """Is anything left of a revision beside its template: it may still hold the other one's floor up."""
    return bool(live and (live.group or live.balancer or live.target_group))
