"""Who serves: read from marks of traffic, and from weights where the marks were lost (ADR 6)."""

from datetime import datetime, timedelta

from reconciler.kinds.group.steps import TagGroup
from reconciler.kinds.register import Move, Step, Wait
from reconciler.strategies import retire, traffic
from reconciler.strategies.born import opening, stages_hash
from reconciler.strategies.slice import FULL, NOTHING, Live, Slice, StageTag
from reconciler.strategies.wanted import WEIGHTED, TrafficKind, Wanted


def serving_of(want: Wanted | None, s: Slice) -> Live | None:
    """Return the last shifted revision: the one that traffic goes back to."""
    key = (want.kind, want.drain) if want else None  # all that it takes of what is wanted
    if key not in s.serving:
        s.serving[key] = _serving_of(want, s)
    return s.serving[key]


def _serving_of(want: Wanted | None, s: Slice) -> Live | None:
    shifted = s.turns
    if shifted:
        # One that lost its traffic before its clients had followed never was shifted.
        ends = [*(s.since(r) for r in shifted[1:]), s.as_of]
        settled = [r for r, end in zip(shifted, ends, strict=True) if not want or is_settled(want, s, r, end)]
        return (settled or shifted)[-1]
    up = [r for r in s.revisions if r.up and r.idle is None]
    # Tags lost: what carries is what has weight, or what runs and never said that it gets ready.
    by_weight = [r for r in up if r.weight]
    if by_weight:
        return max(by_weight, key=lambda r: (r.stage is None or r.stage.step == 0, r.weight or 0))
    attached = [r for r in up if traffic.detach(r)]
    if attached:
        return attached[0]
    staying = [r for r in up if r.group and r.group.sizes != NOTHING]
    works = [r for r in staying if r.group and r.group.in_service]
    # Without traffic what is in service works already: the mark that says so may be too new to be read, or
    # its fleet left git and came back before it ended.
    unmoved = works if want and want.kind is TrafficKind.NONE else []
    return next(iter((*(r for r in works if r.stage is None), *unmoved)), None)


def full_mark(want: Wanted, s: Slice) -> StageTag:
    """Return the mark of who has all traffic from now on: later than any other mark of it, to the second."""
    since = max((s.as_of, *(s.since(r) + timedelta(seconds=1) for r in s.turns)))
    return StageTag(step=FULL, stages=stages_hash(want), change="", since=since)


def is_settled(want: Wanted, s: Slice, live: Live, by: datetime | None = None) -> bool:
    """Had a revision all traffic, until then or now, for long enough that the last client followed."""
    stage = live.stage
    if stage is None or not stage.full or stage.change:
        return False
    return min(s.as_of, by or s.as_of) >= stage.since + traffic.settling(want)


def settles(want: Wanted, s: Slice, live: Live | None) -> datetime | None:
    """Return when the last client has followed a revision; None while that can't be known."""
    stage = live.stage if live else None
    if stage is None or not stage.full or stage.change:
        return None
    until = stage.since + traffic.settling(want)
    return until if until > s.as_of else None


def shifted(want: Wanted, s: Slice) -> bool:
    """Has all traffic moved to the wanted revision, did the last client follow, and did the last gates hold.

    That the gates held is remembered by the rest of the revision before.
    """
    new = s.live(want.revision)
    return bool(new and new.up and carried(want, s, new) and is_settled(want, s, new) and not beside(s, new))


def beside(s: Slice, new: Live) -> list[Live]:
    """Return the other revisions that served and were not put to rest yet."""
    others = (r for r in s.revisions if r.revision != new.revision and r.up and r.idle is None)
    return [r for r in others if r.stage is None or r.stage.full]


def carried(want: Wanted, s: Slice, new: Live) -> bool:
    """Did this revision get all traffic, and no other one since."""
    if not s.turns or s.turns[-1].revision != new.revision:
        return False
    if want.kind not in WEIGHTED or new.weight:
        return True
    others = (r for r in s.revisions if r.revision != new.revision and r.up and r.idle is None)
    return not any(
        r.weight for r in others
    )  # a shift of ours whose mark was lost: at rest the others are idle


def repair(want: Wanted, s: Slice, serving: Live) -> Step | None:
    """Put right what the serving revision remembers of its own traffic, before another one takes it."""
    stage = serving.stage
    works = want.kind is TrafficKind.NONE  # and nothing else does, or that would be the serving one
    if stage is None or (not stage.full and (serving.weight or traffic.detach(serving) or works)):
        why = "it works, and nothing says so" if works else "it has traffic, and its tag was lost"
        return traffic.mark(serving.name, full_mark(want, s), why)
    if stage and stage.change and s.change_status(stage.change) == "INSYNC":
        return synced(s, serving, stage)
    return None


def gave_back(s: Slice, serving: Live) -> Step | None:
    """Return the write that keeps who gave its traffic back from being taken for the serving one."""
    turns = s.turns
    before = turns[: next((n for n, r in enumerate(turns) if r.revision == serving.revision), 0)]
    lost = next((r for r in before if not r.weight), None)
    return retire.left(s, lost, serving) if lost else None


def synced(s: Slice, live: Live, stage: StageTag) -> TagGroup:
    """Note that Route 53 answers with the weights of a stage, from now on."""
    done = StageTag(step=stage.step, stages=stage.stages, change="", since=s.as_of)
    return traffic.mark(live.name, done, "Route 53 answers with the new weights everywhere")


def spread(want: Wanted, s: Slice, live: Live, stage: StageTag) -> Move:
    """Wait until Route 53 answers with the weights of a stage everywhere."""
    if not stage.change:
        return None
    status = s.change_status(stage.change)
    if status == "INSYNC":
        return synced(s, live, stage)
    if status == "UNKNOWN":
        return traffic.rewrite(want, s, live, stage)
    return Wait(why=f"Route 53 change {stage.change} is {status or 'not read in this pass'}")


def follow(want: Wanted, s: Slice, live: Live) -> Move:
    """Wait until the last client has followed the weights: INSYNC, then TTL and drain."""
    stage = live.stage
    if stage is None:
        return traffic.mark(live.name, opening(want, s.as_of), "its stage was lost: it starts now")
    if move := spread(want, s, live, stage):
        return move
    until = stage.since + traffic.settling(want)
    if s.as_of < until:
        return Wait(why=f"clients move to {live.name}: TTL and drain", until=until)
    return None
