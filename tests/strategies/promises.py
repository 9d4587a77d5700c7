"""What was promised of gates, of `onFailure: hold` and of suspension, checked against what a pass saw."""

from reconciler.kinds.balancer.steps import (
    CreateBalancer,
    CreateTargetGroup,
    DeleteBalancer,
    DeleteTargetGroup,
)
from reconciler.kinds.group.steps import CreateGroup, DeleteGroup, SetSizes
from reconciler.kinds.register import Step, World
from reconciler.kinds.template.steps import CreateTemplate
from reconciler.plan.fleet import Ask, Way, view
from reconciler.strategies import recreate
from reconciler.strategies.gates import judge
from reconciler.strategies.hand import Verb
from reconciler.strategies.slice import RETURNS, Live, Slice
from reconciler.strategies.wanted import WEIGHTED, Wanted
from tests.strategies.invariants import weights_of

BUILDS = (CreateTemplate, CreateBalancer, CreateTargetGroup, CreateGroup)
ENDS = (DeleteBalancer, DeleteTargetGroup, DeleteGroup)


def bad_gates(want: Wanted, s: Slice, new: Live) -> list[str]:
    """The gates of a revision that were bad on what this pass saw."""
    return [g.why for g in judge(want, s, new) if g.state == "fail"]


def _failed(want: Wanted, new: Live | None) -> bool:
    return bool(new and new.template and new.template.failed.split(";")[0] == want.spec_hash)


def _sent_back(new: Live | None) -> bool:
    return bool(new and new.hand and new.hand.verb is Verb.ABORT)


def _unfinished(new: Live | None) -> bool:
    """Is this revision on its way to all traffic; one that had it, or was kept, is gone back to."""
    return bool(new and new.up and new.stage and not new.stage.full and not new.idle)


def check_gated(seen: World, known: World, ask: Ask, before: World, after: World, step: Step) -> None:
    """No write gives a revision more traffic while a gate of its own is bad, and what is held stands still.

    `known`: with what this pass has written since.
    """
    want = ask.want
    was, now = ({n: w for n, w in weights_of(x).items() if w} for x in (before, after))
    if want is None or was == now:
        return  # at most an entry of weight 0 came or went
    s = view(seen, ask)
    new = s.live(want.revision)
    more = now.get(want.name, 0) > was.get(want.name, 0)
    if more and new and _unfinished(new) and new.stage and new.stage.stages != RETURNS:
        there = view(known, ask)
        bad = bad_gates(want, s, new) and bad_gates(want, there, there.live(want.revision) or new)
        assert not bad, f"{want.name} gets more traffic though {bad}: {step}"
    if want.rollout.on_failure == "hold" and _failed(want, new) and not _sent_back(new) and new and new.up:
        raise AssertionError(f"{want.name} failed and is held, and traffic moves: {step}")
    if ask.suspended:
        assert not more, f"{want.name} gets traffic under suspension: {step}"


def check_plan(seen: World, ask: Ask, way: Way, truth: World | None) -> None:
    """Under suspension nothing is written but by a rollout that goes back, and that one makes nothing."""
    want = ask.want
    if not ask.suspended or not way.now:
        return
    assert want, "a fleet that left git is suspended, and written to"
    s = view(seen, ask)
    new = s.live(want.revision)
    back = _failed(want, new) or _sent_back(new)
    bad = bool(new) and (bool(bad_gates(want, s, new)) or _ill(s, new))
    assert back or (bad and want.rollout.on_failure == "rollback"), f"suspended, and writes {way.now}"
    assert not any(isinstance(step, BUILDS) for step in way.now)
    assert not way.swept


def _ill(s: Slice, new: Live) -> bool:
    own = [st for h in s.health for i, st in h.states if i in new.own]
    return any(state != "healthy" for state in own)


def must_return(want: Wanted, s: Slice, new: Live) -> bool:
    """Does a revision have traffic that a bad gate takes away, and is there somebody to take it."""
    if want.kind not in WEIGHTED or want.rollout.on_failure != "rollback" or not new.weight:
        return False
    if want.rollout.strategy == recreate.NAME or new.up is None or new.stage is None or new.stage.step < 1:
        return False
    if new.stage and new.stage.stages == RETURNS:
        return False  # git went back to it: what rings rings for the other one
    served = [r for r in s.revisions if r is not new and r.up and r.idle is None and r.stage and r.stage.full]
    return bool(served) and bool(bad_gates(want, s, new))


def check_returned(seen: World, ask: Ask, way: Way, after: World) -> None:
    """A bad gate of who has traffic sends all of it back at once, and before anything else."""
    want = ask.want
    if want is None:
        return
    s = view(seen, ask)
    new = s.live(want.revision)
    if new is None or not must_return(want, s, new):
        return
    left = weights_of(after).get(want.name, 0)
    waits = way.wait.why if way.wait else ""
    stays = "before traffic returns" in waits or "was not read" in waits
    assert not left or stays, f"{want.name} keeps {left} though {bad_gates(want, s, new)}: {way.now} {waits}"
    for step in way.now:
        if step.op in ("change-records", "set-rule-weights"):
            break
        assert not isinstance(step, (*BUILDS, *ENDS)), f"{step.op} comes before traffic goes back"
        if isinstance(step, SetSizes) and not stays:
            assert step.sizes.min >= step.expect.min, f"{step} comes before traffic goes back"
