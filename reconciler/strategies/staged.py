"""The stages of a rollout: where a revision stands, what it waits for there, and how it gets to the next."""

from dataclasses import replace
from datetime import datetime

from reconciler.core.duration import format_duration
from reconciler.kinds.balancer.steps import SetRule
from reconciler.kinds.record.steps import ChangeRecords
from reconciler.kinds.register import Blocked, Move, Wait
from reconciler.strategies import retire, rolling, traffic
from reconciler.strategies.back import prepare
from reconciler.strategies.born import stages_hash
from reconciler.strategies.hand import Verb
from reconciler.strategies.serving import full_mark, spread
from reconciler.strategies.slice import Live, Slice, StageTag
from reconciler.strategies.traffic import Share
from reconciler.strategies.wanted import ALIAS_TTL, WEIGHTED, TrafficKind, Wanted

PAUSE = "pause"  # code of a rollout that waits for a person


def stage_tag(want: Wanted, s: Slice, n: int) -> StageTag:
    """Return the mark of a revision at stage n, from now on."""
    if n >= len(want.rollout.stages):
        return full_mark(want, s)
    return StageTag(step=n, stages=stages_hash(want), change="", since=s.as_of)


def share(want: Wanted, new: Live, serving: Live | None, n: int) -> Share:
    """Return who has how much at stage n, from 1 on."""
    return Share(to=new, percent=want.rollout.stages[n - 1].weight, rest=serving)


def following(want: Wanted, new: Live, n: int) -> int:
    """Return the stage after n: the last one where a person said so."""
    return len(want.rollout.stages) if _whole(new) and want.kind in WEIGHTED else n + 1


def _whole(new: Live) -> bool:
    return new.hand is not None and new.hand.verb is Verb.FULL


def repair(want: Wanted, s: Slice, new: Live, serving: Live) -> Move:
    """Put right what a revision between two stages remembers, and the weights that it should have."""
    stage = new.stage
    if stage is None or stage.full:
        return None
    n = stage.step
    if n and stage.stages != stages_hash(want) and _counts(want):
        reached = StageTag(
            step=_reached(want, new, serving),
            stages=stages_hash(want),
            change=stage.change,
            since=stage.since,
        )
        return traffic.mark(new.name, reached, "git has other stages now")
    if want.kind not in WEIGHTED:
        return None
    if n and not new.weight:
        return retire.left(s, new, serving)  # it gave its traffic back, and starts anew
    if not new.weight:
        return None
    last = len(want.rollout.stages)
    if n >= last or (n and traffic.shift(want, s, share(want, new, serving, n), stage) is None):
        return None
    for m in range(n + 1, last + 1):  # the mark of a shift was lost
        tag = stage_tag(want, s, m)
        if traffic.shift(want, s, share(want, new, serving, m), tag) is None:
            again = traffic.rewrite(want, s, new, tag) if want.kind is TrafficKind.DNS else None
            return again or traffic.mark(new.name, tag, "it has the traffic of this stage")
    if not n:
        return None  # what it has is shared out with the first stage
    move = traffic.shift(want, s, share(want, new, serving, n), stage_tag(want, s, n))
    if isinstance(move, ChangeRecords | SetRule):
        gains = new if _percent(new, serving) < want.rollout.stages[n - 1].weight else serving
        again = replace(move, because="its weights are not those of its stage")
        return prepare(want, s, gains) or again
    return move


def _percent(new: Live, serving: Live) -> float:
    """Return the share of the new one of what both have."""
    total = (new.weight or 0) + (serving.weight or 0)
    return 100 * (new.weight or 0) / total if total else 0


def _counts(want: Wanted) -> bool:
    """Is there a stage between none and all. Where capacity alone moves, what works already stays said."""
    return want.kind in WEIGHTED or want.rollout.strategy == rolling.NAME


def _reached(want: Wanted, new: Live, serving: Live) -> int:
    """Return the last stage of git's list that a revision has reached by what it has."""
    last = len(want.rollout.stages) - 1
    if want.kind in WEIGHTED:
        has = _percent(new, serving)
        reached = sum(x.weight <= has + 1 for x in want.rollout.stages)
        return min(last, max(reached, 1 if new.weight else 0))  # with traffic it is gated from the first on
    size = new.up.sizes.desired if new.up else 0
    return sum(rolling.batch(want, serving, n) <= size for n in range(1, last + 1))


def hold(want: Wanted, s: Slice, new: Live, n: int) -> Move:
    """Return what a revision waits for at stage n before it may go on. None: that is over."""
    stage = new.stage
    if stage is None or not n:
        return None
    if move := spread(want, s, new, stage):
        return move
    until = holds_until(want, new, n)
    if until and s.as_of < until and not _whole(new):
        return Wait(why=f"{new.name} holds {_held(want, n)}", until=until)
    return None


def holds_until(want: Wanted, new: Live, n: int) -> datetime | None:
    """Return the end of the hold of stage n: it begins once clients follow the weights, INSYNC and a TTL."""
    if new.stage is None or not n:
        return None
    ttl = ALIAS_TTL if want.kind is TrafficKind.DNS else ALIAS_TTL * 0
    return new.stage.since + ttl + want.rollout.stages[n - 1].hold


def last_hold(want: Wanted, s: Slice, new: Live) -> Wait | None:
    """Wait out the hold of the last stage, in which gates watch a revision that has all traffic."""
    n = len(want.rollout.stages)
    until = holds_until(want, new, n)
    if until is None or s.as_of >= until or _whole(new) or not want.rollout.stages[-1].hold:
        return None
    return Wait(why=f"{new.name} holds {_held(want, n)}", until=until)


def _held(want: Wanted, n: int) -> str:
    stage = want.rollout.stages[n - 1]
    share = "all traffic" if stage.weight == 100 else f"{stage.weight}%"
    return (
        f"{share} for {format_duration(stage.hold)}"
        if stage.hold
        else f"{share}: clients follow within a TTL"
    )


def pause(want: Wanted, new: Live, n: int) -> Blocked | None:
    """Say that a person has to let it go on from stage n, and nobody has."""
    stops = want.rollout.stages[n - 1].pause if n else want.rollout.pause_first
    said = new.hand
    if not stops or (
        said and (said.verb is Verb.FULL or (said.verb is Verb.PROMOTE and said.text == str(n)))
    ):
        return None
    has = f"has {want.rollout.stages[n - 1].weight}% of traffic" if n else "is ready, and has no traffic yet"
    ways = f"`reconciler promote {want.fleet}` goes on, `reconciler abort {want.fleet}` goes back"
    return Blocked(code=PAUSE, why=f"{new.name} {has}, and pauses there; {ways}")


def take(want: Wanted, s: Slice, new: Live, serving: Live | None, n: int) -> Move:
    """Return the write that brings a revision, which can carry it, to stage n."""
    tag = stage_tag(want, s, n)
    if serving and want.rollout.strategy == rolling.NAME and not tag.full:
        taken = rolling.shrink(want, serving, n)
        return taken or traffic.mark(new.name, tag, f"batch {n} of {len(want.rollout.stages)} is done")
    to = share(want, new, serving, n) if serving else Share(to=new)
    beyond = serving and want.kind in WEIGHTED and _percent(new, serving) > to.percent
    if serving and beyond and (move := prepare(want, s, serving)):
        return move  # what it has too much goes back to the other one
    return traffic.shift(want, s, to, tag) or traffic.mark(
        new.name, tag, f"{to.because.split(' to ')[0]} is here"
    )
