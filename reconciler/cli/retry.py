"""`reconciler retry --target`: try again all that failed in a target, which closes its circuit breaker."""

from reconciler.cli.options import out
from reconciler.cli.plan import tell_errors
from reconciler.daemon.hands import obey, say
from reconciler.daemon.passes import Manner
from reconciler.daemon.session import ChoiceError, Look, Session, open_session
from reconciler.daemon.settings import Settings
from reconciler.plan import hands
from reconciler.plan.hands import NothingFailedError
from reconciler.strategies.slice import fleets_of


def retry(settings: Settings, fleet: str | None) -> int:
    """Let what failed of a fleet be tried again, or all of the named targets. Return the exit code.

    Raises: ChoiceError where neither is named: a whole repository is never meant; else as `say`.
    """
    if not fleet and not settings.target:
        raise ChoiceError("name a fleet, or with --target where all that failed is tried again")
    with open_session(settings, writes=True) as session:
        ask = hands.retry(session.adopted.commit)
        if fleet:
            out(say(session, fleet, ask))
            return 0
        looks = session.look(Manner(ahead=False))
        for look in looks:
            for line in _all(session, look):
                out(line)
    tell_errors(looks)
    return 0 if all(x.seen for x in looks) else 1


def _all(session: Session, look: Look) -> list[str]:
    if look.seen is None:
        return []
    ask, told = hands.retry(session.adopted.commit), list[str]()
    for fleet in sorted(fleets_of(look.seen.world, look.seen.keeper)):
        try:
            told.append(obey(session, look, fleet, ask))
        except NothingFailedError:
            continue
    return told or [f"{look.target.name}  no revision failed there"]
