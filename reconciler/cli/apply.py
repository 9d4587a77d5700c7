"""`reconciler apply`: one pass, or with `--wait` as many as it takes."""

from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from time import monotonic

from reconciler.apply.executor import Failed
from reconciler.cli.options import Form, err, out
from reconciler.cli.plan import render
from reconciler.cli.progress import Progress, progress
from reconciler.core.duration import format_duration
from reconciler.daemon.observe import look as look_at_more
from reconciler.daemon.passes import Manner, goal, writer
from reconciler.daemon.passes import apply as apply_seen
from reconciler.daemon.session import Look, Session, open_session
from reconciler.daemon.settings import Settings
from reconciler.gateway.errors import say
from reconciler.gateway.session import for_commit
from reconciler.plan.accept import accept, looked_at
from reconciler.plan.model import ActionKind
from reconciler.plan.standing import Standing, standing, together
from reconciler.report.steps import doing
from reconciler.spec.desired import DesiredTarget

BLOCKED = 3
BRIEF = Manner(ahead=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long `--wait` goes on, and how often it looks."""

    timeout: timedelta
    every: timedelta


def apply(settings: Settings, patience: Patience | None, *, accept_history: bool = False) -> int:
    """Show the plan, then do what is safe now. Return the exit code.

    With `patience`: pass after pass until every target has converged, or nothing moves any more.
    """
    with open_session(settings, writes=True) as session:
        if accept_history:
            for line in session.each(lambda target: take_up(session, target)):
                out(line)
        looks = session.look()
        out(render(session.plan_of(looks), Form.TEXT))
        with progress() as tell:
            failed = write(session, looks, tell)
            if patience:
                looks, failed = _until_converged(session, (looks, failed), patience, tell)
    return verdict(looks, failed=failed)


def _until_converged(
    session: Session, last: tuple[tuple[Look, ...], bool], patience: Patience, tell: Progress
) -> tuple[tuple[Look, ...], bool]:
    until, pause = monotonic() + patience.timeout.total_seconds(), Event()
    looks, failed = last
    while failed or together(x.plan for x in looks) in (Standing.MOVING, Standing.UNREAD):
        if monotonic() >= until:
            err(f"error: not converged within {format_duration(patience.timeout)}; the next pass goes on")
            return looks, True
        pause.wait(patience.every.total_seconds())
        looks = session.look(BRIEF)
        failed = write(session, looks, tell)
    return looks, failed


def take_up(session: Session, target: DesiredTarget) -> str:
    """Tag what is ours but of a rewritten history with this commit; return what was done."""
    look = session.look_at(target, BRIEF)
    if look.seen is None:
        return f"{target.name}  no history was taken up: {'; '.join(look.plan.unread)}"
    made = goal(session.adopted, session.library, target, look.seen.world, session.redactor)
    runtime = session.runtime(target)
    with for_commit(session.adopted.commit):
        world = look_at_more(runtime.aws, look.seen.world, looked_at(made, look.seen.world))
        put = writer(runtime.aws, look.seen.keeper)
        lines = [f"{target.name}  {doing(step)}" for step in accept(made, world) if put(step)]
    return "\n".join(lines or [f"{target.name}  everything of ours is of this history already"])


def write(session: Session, looks: tuple[Look, ...], tell: Progress) -> bool:
    """Do what several plans say is safe now, target by target side by side. Return whether a step failed."""
    by_name = {x.target.name: x for x in looks}

    def one(target: DesiredTarget) -> bool:
        return _write_one(session, by_name[target.name], tell)

    return any(session.each(one))


def _write_one(session: Session, look: Look, tell: Progress) -> bool:
    if look.seen is None:
        tell.plan(look.plan)
        return False
    failed = False
    try:
        for outcome in apply_seen(session.runtime(look.target), look.seen, session.adopted.commit):
            tell.step(outcome)
            failed = failed or isinstance(outcome, Failed)
    except Exception as error:  # it ends this target's pass, and was told as the step's failure
        err(f"error: target {look.target.name}: {say(error)}")
        failed = True
    tell.plan(look.plan)
    return failed


def verdict(looks: tuple[Look, ...], *, failed: bool) -> int:
    """Return the exit code of the last pass, and say on stderr why it is not 0."""
    for look in looks:
        for why in look.plan.unread:
            err(f"error: target {look.target.name}: {why}")
    stands = [standing(x.plan) for x in looks]
    if failed or Standing.UNREAD in stands or any(not x.plan.complete for x in looks):
        return 1
    blocked = [i for x in looks for i in x.plan.items if i.blocked and i.action is not ActionKind.NONE]
    for item in blocked:
        if item.blocked:
            err(f"blocked: {item.target} {item.name}: {item.blocked.why}")
    return BLOCKED if blocked else 0
