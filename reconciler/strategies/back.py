"""Going back: traffic first, in one batch; then what is remembered of the failure; then capacity."""

from reconciler.core.facts import APPLIED, COMMIT, FAILED, HAND, IDLE
from reconciler.kinds.balancer.steps import SetRule
from reconciler.kinds.group.steps import TagGroup
from reconciler.kinds.register import Blocked, Move, Step, Wait
from reconciler.kinds.template.steps import TagTemplate
from reconciler.strategies import recreate, retire, rolling, traffic
from reconciler.strategies.born import opening
from reconciler.strategies.floor import floor, raise_floor
from reconciler.strategies.gating import failing
from reconciler.strategies.hand import Verb
from reconciler.strategies.returning import returning
from reconciler.strategies.serving import beside, carried, follow, full_mark, serving_of
from reconciler.strategies.slice import Live, Slice
from reconciler.strategies.traffic import Share
from reconciler.strategies.wanted import WEIGHTED, Allow, TrafficKind, Wanted

HELD = "held"  # code of one that failed and stays where it is: `onFailure: hold`
MOST_TAG = 256  # characters of a tag's value (EC2, tag restrictions)


def fail(want: Wanted, s: Slice, new: Live, code: str) -> Move:
    """Return the next move of a revision that has failed just now: back, or, if git says so, nothing more."""
    if want.rollout.on_failure == "hold":
        return failed_mark(want, s, new, code) or held(want, new, code)
    return back(want, s, new, code)


def held(want: Wanted, new: Live, code: str) -> Blocked:
    """Say that a failed revision stands where it failed."""
    share = new.weight and want.kind in WEIGHTED
    where = "with its traffic" if share or (new.stage and new.stage.step) else "without traffic"
    ways = f"`reconciler retry {want.fleet}` tries it again, `reconciler abort {want.fleet}` goes back"
    return Blocked(code=HELD, why=f"{new.name} failed ({code}) and is held {where}; {ways}")


def aborted(new: Live | None) -> str | None:
    """Return why a person sent this revision back, if one did."""
    if new is None or not new.up or new.hand is None or new.hand.verb is not Verb.ABORT:
        return None
    return f"aborted: {new.hand.text}" if new.hand.text else "aborted"


def home(want: Wanted, s: Slice, new: Live) -> Live | None:
    """Return the revision that traffic goes back to: who served before, else the one kept last."""
    serving = serving_of(want, s)
    if serving and serving.revision != new.revision:
        return serving
    if turns := [r for r in s.turns if r.revision != new.revision]:
        return turns[-1]
    kept = [r for r in s.revisions if r.up and r.idle and r.revision != new.revision]
    return max(kept, key=lambda r: (r.idle, r.identity.born), default=None)


def tombstone(want: Wanted, s: Slice, new: Live, allow: Allow) -> Move:
    """Return the move of a revision that failed before; None: it did not, or may be tried again."""
    failed = new.template.failed if new.template else ""
    if not failed or new.template is None:
        return None
    spec, _, rest = failed.partition(";")
    if spec != want.spec_hash:
        if allow.start:  # from here on it would be a rollout that has begun
            return Blocked(code=allow.start.code, why=allow.start.why)
        because = "the desired state changed since it failed"
        if aborted(new):
            return TagGroup(name=new.name, drop=(HAND,), because=because)
        began = new.stage if new.up and new.stage and not new.stage.step else None
        if began and rest.partition(";")[0] > f"{began.since.timestamp():.0f}":  # its time was up
            return traffic.mark(new.name, opening(want, s.as_of), because)
        return TagTemplate(
            name=new.name,
            id=new.template.id,
            put=((COMMIT, want.commit),),  # whose rollout it is that may fail once more
            drop=(FAILED,),
            because=because,
        )
    code = rest.partition(";")[2]
    if new.group or new.balancer or new.target_group:
        if want.rollout.on_failure == "hold" and new.up and not aborted(new):
            return held(want, new, code)
        return back(want, s, new, code)
    why = f"revision {new.name} failed ({code}); change its spec, or say `reconciler retry {want.fleet}`"
    return Blocked(code="failed", why=why)


def going_back(want: Wanted, s: Slice, allow: Allow) -> Move:
    """Return the move of a rollout that goes back, which nothing may hold; None where none does."""
    new, want = s.live(want.revision), returning(want, s)
    if new is None:
        return None
    if new.template and new.template.failed:
        move = tombstone(want, s, new, allow)
        return (
            None if isinstance(move, Blocked) or new.template.failed.split(";")[0] != want.spec_hash else move
        )
    to = home(want, s, new)
    if to is None:
        return None
    if why := aborted(new):
        return back(want, s, new, why)
    why = ill(want, s, new) if want.rollout.on_failure == "rollback" else None
    return back(want, s, new, why) if why else None


def ill(want: Wanted, s: Slice, new: Live) -> str | None:
    """Return what a revision that has some traffic, or had it a moment ago, goes back for."""
    moving = new.up and new.stage and new.stage.step >= 1 and (not carried(want, s, new) or beside(s, new))
    return failing(want, s, new) if moving and home(want, s, new) else None


def failed_mark(want: Wanted, s: Slice, new: Live, code: str) -> Step | None:
    """Return the write that remembers that, when and why this spec of a revision failed."""
    if new.template is None or new.template.failed:
        return None
    text = f"{want.spec_hash};{int(s.as_of.timestamp())};{code}"[:MOST_TAG]
    return TagTemplate(name=new.name, id=new.template.id, put=((FAILED, text),), because=f"failed: {code}")


def back(want: Wanted, s: Slice, new: Live, code: str) -> Move:
    """Return the next move back: traffic, the mark of the failure, capacity. None: nothing is left of it.

    One that got all traffic stays where nothing else could take it.
    """
    to, because = home(want, s, new), f"failed: {code}"
    if to and want.rollout.strategy == recreate.NAME:
        return failed_mark(want, s, new, code) or _swapped(want, s, new, to, because)
    carries = bool(to) and _has_traffic(want, new)
    if to and carries and (move := give_back(want, s, to, urgent=True)):
        remember = failed_mark(want, s, new, code) if isinstance(move, Wait | Blocked) else None
        return remember or move
    # The mark comes before its stage goes: without both, nobody would know that it has failed.
    if mark := failed_mark(want, s, new, code):
        return mark
    if to is None and new.up and new.stage and new.stage.full:
        why = f"{new.name} failed ({code}), and serves: nothing is left to go back to"
        return Blocked(code="failed", why=f"{why}; change its spec, or say `reconciler retry {want.fleet}`")
    if to and (move := _parts(s, new, to)):
        return move
    if to and (move := follow(want, s, to)):
        return move
    return retire.drained(s, new) or retire.end(s, new, because)


def _parts(s: Slice, new: Live, to: Live) -> Step | None:
    """Note that a revision gave back what traffic it had, so that it is not taken for the serving one."""
    if new.up is None or new.stage is None:
        return None
    # Once in DNS or in the rule it may have had a share: what was said of that and of its end may be lost.
    if new.stage.step < 1 and (retire.parted(new) or new.weight is None):
        return None
    # Without a later mark there it is the batch of another process, whose change nobody knows yet.
    told = to.stage is not None and to.stage.since > new.stage.since
    return retire.left(s, new, to, sure=told)


def _swapped(want: Wanted, s: Slice, new: Live, to: Live, because: str) -> Move:
    """One ends before the other one starts, backwards too."""
    if new.up and (move := retire.emptied(new.up, because)):
        return move
    short = to.up is not None and to.up.in_service < (floor(want, to) or 0)
    if (_has_traffic(want, new) or to.idle or short) and (move := give_back(want, s, to)):
        return move
    if move := _parts(s, new, to):
        return move
    return follow(want, s, to) or retire.drained(s, new) or retire.end(s, new, because)


def _has_traffic(want: Wanted, live: Live) -> bool:
    if want.kind in WEIGHTED:
        return bool(live.weight)
    if want.kind is TrafficKind.ATTACH and traffic.detach(live):
        return True
    if want.kind is not TrafficKind.NONE or live.up is None or live.stage is None:
        return False
    # Batch by batch, what is in service works in place of what has gone, whatever is remembered of it.
    return live.stage.step >= 1 or (want.rollout.strategy == rolling.NAME and live.up.in_service > 0)


def give_back(want: Wanted, s: Slice, to: Live, *, urgent: bool = False) -> Move:
    """Return the next move that gives all traffic to the one that had it. None: it has it.

    Urgent: who has it is bad, so that what it still serves does not count.
    """
    if to.idle:
        # At rest it lost its sizes and schedules: what was applied is forgotten with it.
        return TagGroup(name=to.name, drop=(APPLIED, IDLE), because="traffic returns to it")
    return prepare(want, s, to, urgent=urgent) or traffic.shift(want, s, Share(to=to), full_mark(want, s))


def prepare(want: Wanted, s: Slice, to: Live, *, urgent: bool = False) -> Move:
    """Bring who takes traffic back to where it can carry it. None: it can."""
    enters = traffic.enter(want, s, to, 0)
    if want.kind is TrafficKind.ATTACH and enters:
        return enters
    if isinstance(enters, SetRule):
        return enters  # it has left the rule already, and targets outside of one are not checked
    carrier = max(carriers(want, s, to), key=lambda r: r.weight or 0, default=to)
    larger = max(to, carrier, key=lambda r: floor(want, r) or 0)
    return raise_floor(want, to, larger, s.as_of) or _not_ready(want, s, to, urgent=urgent)


def carriers(want: Wanted, s: Slice, to: Live) -> list[Live]:
    """Return the other revisions that have traffic now."""
    others = [r for r in s.revisions if r.revision != to.revision]
    return [r for r in others if r.weight or (r.idle is None and _has_traffic(want, r))]


def _not_ready(want: Wanted, s: Slice, to: Live, *, urgent: bool) -> Wait | None:
    """Wait until who takes traffic back carries it as well as who has it now; a bad one has no say."""
    others = carriers(want, s, to)
    if not others:
        return None
    counted = {r.name: traffic.serves(want, s, r) for r in others} | {to.name: traffic.ready(want, s, to)}
    blind = next((n for n, count in counted.items() if count is None), None)
    if blind is not None:
        return Wait(why=f"target health of {blind} was not read in this pass")
    have, ready = counted[to.name] or 0, [counted[r.name] or 0 for r in others]
    shares = want.kind not in WEIGHTED or to.weight  # it serves already, beside the others
    best = max(ready) if urgent and want.kind in WEIGHTED else sum(ready) + (have if shares else 0)
    need = min(max(floor(want, r) or 0 for r in (*others, to)), best)
    if have >= need:
        return None
    what = "instances in service" if want.kind is TrafficKind.NONE else "targets healthy"
    return Wait(why=f"{to.name}: {have} of {need} {what}, before traffic returns to it")
