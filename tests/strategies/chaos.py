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
from tests.strategies.life import FREEZE, Life

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
    *("pass",) * 14,
    *("whole",) * 4,
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


MEDDLING: Final[dict[str, Callable[[Life, st.DataObject], World]]] = {
    "die": die,
    "scale": scale,
}


def peace(life: Life) -> None:
    """Nothing is held any more, and what was asked of AWS is there."""
    life.happened(settle.checked(settle.launched(life.world)))
    _thaw(life, None)
