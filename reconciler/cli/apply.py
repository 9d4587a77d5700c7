"""`reconciler apply`: one pass, or with `--wait` as many as it takes."""

from datetime import timedelta
from threading import Event
from time import monotonic

from reconciler.apply.executor import Failed
from reconciler.cli.options import Form, err, out
from reconciler.cli.plan import render
from reconciler.cli.progress import Progress, progress
from reconciler.daemon.passes import Manner
from reconciler.daemon.passes import apply as apply_seen
from reconciler.daemon.session import Look, Session, open_session
from reconciler.daemon.settings import Settings
from reconciler.gateway.errors import say
from reconciler.plan.standing import Standing, standing, together
from reconciler.spec.desired import DesiredTarget

BLOCKED = 3
BRIEF = Manner(ahead=False)


def apply(settings: Settings, *, wait: bool, timeout: timedelta, every: timedelta) -> int:
    """Show the plan, then do what is safe now. Return the exit code.

    With `wait`: pass after pass until every target has converged, or nothing moves any more.
    """
    until, pause = monotonic() + timeout.total_seconds(), Event()
    with open_session(settings, writes=True) as session:
        looks = session.look()
        out(render(session.plan_of(looks), Form.TEXT))
        with progress() as tell:
            failed = write(session, looks, tell)
            while wait and (failed or together(x.plan for x in looks) in (Standing.MOVING, Standing.UNREAD)):
                if monotonic() >= until:
                    err(
                        f"error: not converged within {timeout}; what is under way goes on with the next pass"
                    )
                    return 1
                pause.wait(every.total_seconds())
                looks = session.look(BRIEF)
                failed = write(session, looks, tell)
    return verdict(looks, failed=failed)


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
    blocked = [i for x in looks for i in x.plan.items if i.blocked]
    for item in blocked:
        if item.blocked:
            err(f"blocked: {item.target} {item.name}: {item.blocked.why}")
    return BLOCKED if blocked else 0
