"""The one machine under every strategy: it moves traffic and capacity through stages.

Called again each pass with fresh facts, so a daemon killed after any step goes on by itself.
"""

from datetime import datetime

from reconciler.core.facts import APPLIED, HAND, IDLE
from reconciler.core.quick import replace
from reconciler.kinds.group.steps import SetSizes, TagGroup
from reconciler.kinds.register import Blocked, Move, Step, Wait
from reconciler.strategies import back, gating, recreate, retire, rolling, staged, traffic
from reconciler.strategies.born import born_now, create_group, create_template, opening
from reconciler.strategies.clean import MOST, clean, rests
from reconciler.strategies.floor import floor, lease_for, lease_write, raise_floor
from reconciler.strategies.gates import before as gated
from reconciler.strategies.hand import Verb
from reconciler.strategies.returning import returning
from reconciler.strategies.serving import (
    beside,
    carried,
    follow,
    full_mark,
    gave_back,
    repair,
    serving_of,
    shifted,
)
from reconciler.strategies.slice import NOTHING, Live, Slice, at
from reconciler.strategies.wanted import Allow, TrafficKind, Wanted
from reconciler.strategies.ways import old_ways

LATE = "not ready in time"


def next_move(want: Wanted, s: Slice, allow: Allow) -> Move:
    """Return the one move that is safe now, why nothing is, or None when the fleet has converged."""
    new, want = s.live(want.revision), returning(want, s)
    main = _toward(want, s, new, allow)
    if main is not None and not isinstance(main, Wait | Blocked):
        return main
    side = clean(want, s, allow)
    if side is not None and not isinstance(side, Wait | Blocked):
        return side
    if isinstance(main, Wait) and isinstance(side, Wait) and main.until is None:
        return replace(main, until=side.until)  # what holds it may be that the other one ends
    return main or side


def _toward(want: Wanted, s: Slice, new: Live | None, allow: Allow) -> Move:
    serving = serving_of(want, s)
    if new and (buried := back.tombstone(want, s, new, allow)):
        return buried
    if new and (why := back.aborted(new)) and back.home(want, s, new):
        return back.back(want, s, new, why)
    # Before what is put right below: one that has just given its traffic back would start anew.
    if new and new.idle is None and (why := back.ill(want, s, new)):
        return back.fail(want, s, new, why)
    if new and new.up and carried(want, s, new):
        return _whole(want, s, new) or _finish(want, s, new)
    if serving and (step := gave_back(s, serving)):
        return step
    other = serving and (new is None or serving.revision != new.revision)
    if serving and other and (step := repair(want, s, serving)):
        return step
    stray = next((r for r in s.revisions if r.weight and serving and r.revision != serving.revision), None)
    if stray and serving and (new is None or stray.revision != new.revision):
        return back.give_back(want, s, serving)  # of an unfinished revision: a newer one is wanted
    if new is None or new.up is None:
        return _birth(want, s, new, serving, allow)
    return _advance(want, s, new, serving)


def _whole(want: Wanted, s: Slice, new: Live) -> Move:
    """Take back what an unfinished revision has of the traffic of the wanted one. None: it has nothing."""
    if any(r.weight and r.idle is None for r in s.revisions if r.revision != new.revision):
        return back.give_back(want, s, new)
    return None


def _birth(want: Wanted, s: Slice, new: Live | None, serving: Live | None, allow: Allow) -> Move:
    if new and new.group and new.group.deleting:
        return Wait(why=f"{new.name} is still being deleted; another launch.generation would not wait")
    begun = new is not None and new.template is not None
    if allow.start and not begun:
        return Blocked(code=allow.start.code, why=allow.start.why)
    swaps = want.rollout.strategy == recreate.NAME  # what serves goes before the new group is there
    made = begun and (swaps or new is None or new.target_group or new.balancer)
    if not made and (blocked := gated(want, s)):
        return blocked
    others = [r for r in s.revisions if r.revision != want.revision]
    if sum(r.group is not None or retire.unseen(s, r) is not None for r in others) >= MOST:
        return Wait(why=f"{MOST} revisions exist; one has to be gone first")
    if serving and not swaps and (step := raise_floor(want, serving, serving, s.as_of)):
        return step
    if new is None or new.template is None:
        return create_template(want, s.as_of)
    older = s.as_of > at(new.identity.born) + retire.VISIBLE / 2
    if move := traffic.before_birth(want, s, new):
        # Said of an older template before anything is made for it: nobody deletes it any more.
        return move if isinstance(move, Wait) or not older else born_now(new.template, s.as_of)
    if swaps and (stops := recreate.stop(want, s, serving)):
        return stops
    if older:
        return born_now(new.template, s.as_of)
    first = rolling.batch(want, serving, 1) if serving and want.rollout.strategy == rolling.NAME else None
    return create_group(want, serving, lease_for(want, serving, s.as_of), s.as_of, first)


def _advance(want: Wanted, s: Slice, new: Live, serving: Live | None) -> Move:
    stage, full = new.stage, full_mark(want, s)
    alone = serving is not None and serving.revision == new.revision
    serving = None if alone else serving
    carries = new.weight or (stage is None and alone)
    if carries and new.idle is None and traffic.has_all(want, s, new):  # only its tag was lost
        again = traffic.rewrite(want, s, new, full) if want.kind is TrafficKind.DNS else None
        return again or traffic.mark(new.name, full, "all traffic is here")
    # Its fleet left git and is back, or it gave its traffic back and is tried again: that may return at once,
    # and the drain is not forgotten.
    returns = retire.parted(new) and retire.drained(s, new) is not None
    if stage is None or stage.full or new.idle is not None or (retire.parted(new) and not returns):
        return _reopen(want, s, new)
    if serving and (move := staged.repair(want, s, new, serving)):
        return move
    n = min(stage.step, len(want.rollout.stages) - 1) if serving else 0
    if n and (why := gating.failing(want, s, new)):
        return back.fail(want, s, new, why)
    if n and (move := staged.hold(want, s, new, n) or staged.pause(want, new, n)):
        return move
    return _onward(want, s, new, serving, n, None if returns else _deadline(want, new, n))


def _onward(
    want: Wanted, s: Slice, new: Live, serving: Live | None, n: int, deadline: datetime | None
) -> Move:
    """Go from stage n to the next, once the revision can carry that."""
    following = staged.following(want, new, n) if serving else len(want.rollout.stages)
    swaps = want.rollout.strategy == recreate.NAME
    rolls = serving is not None and want.rollout.strategy == rolling.NAME
    if swaps and (move := recreate.stop(want, s, serving)):
        return move
    need = rolling.batch(want, serving, following) if serving and rolls else _need(want, new, serving)
    move = traffic.enter(want, s, new, need) or gating.waiting(want, s, new)
    first_pause = staged.pause(want, new, 0) if serving and not n else None
    if first_pause:
        deadline = None  # somebody looks at it anyway
    late = deadline is not None and s.as_of >= deadline
    launches, final = gating.launching(s, new) if isinstance(move, Wait) else ("", False)
    if move is not None and (late or final):  # what is ready now goes on, however late it is seen
        lacks = move if isinstance(move, Wait) else gating.waiting(want, s, new)  # it was detached just now
        return back.fail(want, s, new, launches if final else _late(new, lacks, launches))
    if step := _sized(want, s, new, serving, following):
        return step
    if isinstance(move, Wait):
        return replace(move, why=f"{move.why}; {launches}" if launches else move.why, deadline=deadline)
    return move or first_pause or staged.take(want, s, new, serving, following)


def _late(new: Live, move: Move, launches: str) -> str:
    lacks = move.why.removeprefix(f"{new.name}: ") if isinstance(move, Wait | Blocked) else ""
    return "; ".join(x for x in (f"{LATE}: {lacks}" if lacks else LATE, launches) if x)


def _sized(want: Wanted, s: Slice, new: Live, serving: Live | None, following: int) -> Step | None:
    """Bring both to the size that they need before traffic or capacity moves."""
    if new.up and new.up.sizes == NOTHING and serving is None and want.capacity != NOTHING:
        because = "it was on its way out, and is wanted again"
        return SetSizes(name=new.name, expect=new.up.sizes, sizes=want.capacity, because=because)
    last = following >= len(want.rollout.stages)
    if serving and want.rollout.strategy == rolling.NAME:
        lease = lease_write(want, serving, serving, s.as_of)
        return (
            lease
            or (raise_floor(want, new, serving, s.as_of) if last else None)
            or rolling.grow(want, new, serving, following)
        )
    both = (new,) if want.rollout.strategy == recreate.NAME else (new, serving)
    steps = (raise_floor(want, live, serving, s.as_of) for live in both if live)
    return next((step for step in steps if step), None)


def _deadline(want: Wanted, new: Live, n: int) -> datetime | None:
    """Return when a revision has to be ready for the next stage: counted anew from what a person said."""
    since = staged.holds_until(want, new, n) if n else new.stage.since if new.stage else None
    said = new.hand.since if new.hand and new.hand.verb is not Verb.PAUSE else None
    return max(since, said or since) + want.rollout.ready_within if since else None


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
        # At rest it lost its sizes and schedules: what was applied and said of it then is forgotten.
        drop=(APPLIED, HAND, IDLE) if new.idle else (),
        because="a kept revision is wanted again" if new.idle else "its stage was lost: it starts now",
    )


def _finish(want: Wanted, s: Slice, new: Live) -> Move:
    before = beside(s, new)
    if before and (why := gating.failing(want, s, new)):
        return back.fail(want, s, new, why)
    if move := follow(want, s, new):
        return move
    if move := old_ways(want, s, new):
        return move
    if before and (wait := staged.last_hold(want, s, new) or gating.waiting(want, s, new)):
        return wait
    if before:
        return TagGroup(
            name=before[0].name,
            put=((IDLE, str(int(s.as_of.timestamp()))),),
            because=f"{new.name} has all traffic",
        )
    return _keep_floor(want, s, new)


def _keep_floor(want: Wanted, s: Slice, new: Live) -> Step | None:
    """Hold old revisions that traffic may go back to at the size that serves; end the lease after them."""
    kept = [r for r in s.revisions if r.revision != new.revision and r.up and r.idle and r.lease]
    if not rests(want):
        holding = [r for r in kept if r.idle and s.as_of < r.idle + want.rollout.keep_old]
        for live in holding:
            if step := raise_floor(want, live, new, s.as_of):
                return step
    return None


__all__ = ["next_move", "serving_of", "shifted"]
