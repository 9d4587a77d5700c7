"""What happens to a fleet that no pass of ours does: time, people, AWS, and git."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final

from hypothesis import note
from hypothesis import strategies as st

from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.register import World
from reconciler.plan import settle
from reconciler.strategies.hand import Verb
from reconciler.strategies.wanted import TrafficKind
from tests.strategies.facts import flapped
from tests.strategies.invariants import reweighed, weights_of
from tests.strategies.life import FREEZE, STALE, SUSPENDED, Life
from tests.strategies.shapes import ROLLOUTS

PASSES: Final = ("whole", "killed", "fails", "lost reply", "tag lost", "twice")
TIME: Final = {
    "launch": settle.launched,
    "sync": settle.synced,
    "provision": settle.provisioned,
    "gone": settle.gone,
    "end": settle.ended,
}
SPANS: Final = {
    "tick": timedelta(seconds=5),
    "minutes": timedelta(minutes=4),
    "long": timedelta(minutes=40),
    "hours": timedelta(hours=4),
}
EVENTS: Final = (
    *("pass",) * 20,
    *("whole",) * 14,
    "launch",
    "launch",
    "check",
    "check",
    "sync",
    "provision",
    "gone",
    "end",
    *SPANS,
    "commit",
    "commit",
    "back",
    "remove",
    "die",
    "scale",
    "freeze",
    "thaw",
    "retry",
    "promote",
    "promote",
    "full",
    "abort",
    "abort",
    "manner",
    *("signs",) * 3,
    "calls off",
    "flap",
    "shortage",
    "plenty",
    "stale",
    "stale",
    "two",
    "late",
    "late",
    "suspend",
    "resume",
    "weights",
)


def events(most: int) -> st.SearchStrategy[list[str]]:
    """A history: what happens, in which order. Half of them are long: a list alone is mostly short."""
    one = st.sampled_from(EVENTS)
    return st.lists(one, max_size=most) | st.lists(one, min_size=most // 2, max_size=most)


def happen(life: Life, event: str, draw: st.DataObject) -> None:
    """Let one thing happen."""
    note(event)
    if event == "pass":
        life.run(draw.draw(st.sampled_from(PASSES)), draw.draw(st.integers(0, 5)))
    elif event == "stale":
        life.run(stale=(draw.draw(st.sampled_from(STALE)), draw.draw(st.integers(1, 4))))
    elif event == "two":
        life.two(draw.draw(st.lists(st.booleans(), max_size=10)))
    elif event == "late":
        life.late(draw.draw(st.integers(0, 4)))
    elif event == "whole":
        life.wait(life.run())
    elif event in TIME:
        life.happened(TIME[event](life.world))
    elif event in SPANS:
        life.happened(settle.pass_time(life.world, SPANS[event]))
    elif event == "check":
        bad = frozenset(g.name for g in life.world.groups if draw.draw(st.integers(0, 7)) == 0)
        life.happened(settle.checked(life.world, bad))
    elif event in GIT:
        GIT[event](life, draw)
    elif life.world.groups:
        happened = MEDDLING[event](life, draw)
        life.happened(happened)


def _commit(life: Life, draw: st.DataObject) -> None:
    life.commit(life.memory.newest + 1)


def _back(life: Life, draw: st.DataObject) -> None:
    life.commit(draw.draw(st.integers(1, life.memory.newest)))


def _remove(life: Life, draw: st.DataObject) -> None:
    life.commit(None)


def _freeze(life: Life, draw: st.DataObject) -> None:
    held = draw.draw(st.sampled_from(["start", "retire", "update"]))
    life.allow = replace(life.allow, **{held: FREEZE})


def _thaw(life: Life, draw: st.DataObject) -> None:
    life.allow = replace(life.allow, start=None, retire=None, update=None)


def _retry(life: Life, draw: st.DataObject) -> None:
    life.retry()


def _promote(life: Life, draw: st.DataObject) -> None:
    live = life.newest()
    paused = (live and live.hand is None) or (live and live.hand and live.hand.verb is Verb.PROMOTE)
    if paused:
        life.say(Verb.PROMOTE)


def _full(life: Life, draw: st.DataObject) -> None:
    live = life.newest()
    if live and not (live.hand and live.hand.verb is Verb.ABORT):
        life.say(Verb.FULL)


def _abort(life: Life, draw: st.DataObject) -> None:
    live = life.newest()
    if live and life.want and len([g for g in life.world.groups if not g.deleting]) > 1:
        life.say(Verb.ABORT)


def _manner(life: Life, draw: st.DataObject) -> None:
    """Git says another strategy, or other stages, of the same revision."""
    life.rollout = draw.draw(st.sampled_from(ROLLOUTS[life.shape.kind]))
    if life.want:
        life.commit(life.memory.at)


def _signs(life: Life, draw: st.DataObject) -> None:
    life.signs.turn(draw)


def _calls_off(life: Life, draw: st.DataObject) -> None:
    life.signs.alarm, life.signs.value, life.signs.answers = "OK", 0.5, 3


def _plenty(life: Life, draw: st.DataObject) -> None:
    life.signs.few.clear()


def _suspend(life: Life, draw: st.DataObject) -> None:
    life.suspended = SUSPENDED


def _resume(life: Life, draw: st.DataObject) -> None:
    life.suspended = None


GIT: Final[dict[str, Callable[[Life, st.DataObject], None]]] = {
    "commit": _commit,
    "back": _back,
    "remove": _remove,
    "freeze": _freeze,
    "thaw": _thaw,
    "retry": _retry,
    "promote": _promote,
    "full": _full,
    "abort": _abort,
    "manner": _manner,
    "signs": _signs,
    "calls off": _calls_off,
    "plenty": _plenty,
    "suspend": _suspend,
    "resume": _resume,
}


def _with(world: World, group: LiveGroup) -> World:
    return replace(world, groups=tuple(group if g.name == group.name else g for g in world.groups))


def die(life: Life, draw: st.DataObject) -> World:
    """Instances are lost."""
    group = life.one(draw)
    return _with(life.world, replace(group, instances=group.instances[draw.draw(st.integers(1, 3)) :]))


def scale(life: Life, draw: st.DataObject) -> World:
    """The autoscaler moves the desired size inside min and max."""
    group = life.one(draw)
    have = group.sizes
    desired = min(max(have.desired + draw.draw(st.sampled_from([-2, -1, 1, 2])), have.min), have.max)
    return settle.resized(life.world, group.name, replace(have, desired=desired))


def flap(life: Life, draw: st.DataObject) -> World:
    """Some targets are ill at one check."""
    life.happened(settle.checked(life.world))
    return flapped(life.world, draw.draw(st.lists(st.booleans(), min_size=1, max_size=8)))


def shortage(life: Life, draw: st.DataObject) -> World:
    """A zone launches nothing: a group gets a part of what it asks for, and says why, for good or not."""
    group = life.one(draw)
    life.signs.few[group.name] = draw.draw(st.integers(0, 2))
    life.signs.final = draw.draw(st.booleans())
    return life.world


def weights(life: Life, draw: st.DataObject) -> World:
    """Somebody moves the weights of two revisions by hand."""
    have = weights_of(life.world)
    most = 255 if life.shape.kind is TrafficKind.DNS else 100
    if sum(w > 0 for w in have.values()) < 2:
        return life.world
    one, other = (n for n, w in have.items() if w)
    share = draw.draw(st.integers(1, most - 1))
    return reweighed(life.world, {one: share, other: most - share})


MEDDLING: Final[dict[str, Callable[[Life, st.DataObject], World]]] = {
    "die": die,
    "scale": scale,
    "flap": flap,
    "shortage": shortage,
    "weights": weights,
}


def peace(life: Life) -> None:
    """Nothing is held any more, all signs are good, and what was asked of AWS is there."""
    life.signs.good()
    life.suspended = None
    life.happened(settle.checked(settle.launched(life.world)))
    _thaw(life, None)
