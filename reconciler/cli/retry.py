"""`reconciler retry --target`: try again all that failed in a target, which closes its circuit breaker."""

from reconciler.cli.options import out
from reconciler.cli.plan import tell_errors
from reconciler.core.facts import COMMIT, FAILED
from reconciler.daemon.passes import Manner, writer
from reconciler.daemon.session import ChoiceError, Look, Session, open_session
from reconciler.daemon.settings import Settings
from reconciler.gateway.session import for_commit
from reconciler.kinds.template.live import LiveTemplate
from reconciler.kinds.template.steps import TagTemplate
from reconciler.strategies.slice import fleets_of

BECAUSE = "`retry` was said"


def retry_all(settings: Settings) -> int:
    """Let every failed revision of the named targets be tried again. Return the exit code.

    Raises: ChoiceError where no target is named: a whole repository is never meant.
    """
    if not settings.target:
        raise ChoiceError("name a fleet, or with --target where all that failed is tried again")
    with open_session(settings, writes=True) as session:
        looks = session.look(Manner(ahead=False))
        for look in looks:
            for line in _forget(session, look):
                out(line)
    tell_errors(looks)
    return 0 if all(x.seen for x in looks) else 1


def _forget(session: Session, look: Look) -> list[str]:
    if look.seen is None:
        return []
    where, live = look.target.name, fleets_of(look.seen.world, look.seen.keeper)
    dead = [
        (n, r.template)
        for n, found in sorted(live.items())
        for r in found
        if r.template and r.template.failed
    ]
    write = writer(session.runtime(look.target).aws, look.seen.keeper)
    with for_commit(session.adopted.commit):
        for _, template in dead:
            write(again(template, session.adopted.commit))
    tried = [f"{where}  {fleet}  {t.name} is tried again with the next pass" for fleet, t in dead]
    return tried or [f"{where}  no revision failed there"]


def again(template: LiveTemplate, commit: str) -> TagTemplate:
    """Return the write that lets a failed revision be tried again; it counts for this commit from now on."""
    return TagTemplate(
        name=template.name, id=template.id, put=((COMMIT, commit),), drop=(FAILED,), because=BECAUSE
    )
