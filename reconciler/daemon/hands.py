"""What a person asks by hand, done: look at AWS, decide, write the word, say what happens next."""

from collections.abc import Iterable

from reconciler.core.duration import format_duration
from reconciler.core.errors import ReconcilerError
from reconciler.daemon.passes import Manner, writer
from reconciler.daemon.session import ChoiceError, Look, Session
from reconciler.gateway.errors import foreseen
from reconciler.gateway.errors import say as why
from reconciler.gateway.session import for_commit
from reconciler.kinds.group.steps import ReplaceInstance
from reconciler.plan.hands import Ask, facts_of, fleet_of_instance
from reconciler.plan.status import status_of

BRIEF = Manner(ahead=False)


class NotSaidError(ReconcilerError):
    """Who asked must look again: AWS did not take the write, or its answer was lost."""


def having(session: Session, looks: Iterable[Look], fleet: str) -> tuple[Look, ...]:
    """Return the looks at targets that have a fleet, in git or live. Raises: ChoiceError for an unknown one.

    A target that could not be looked at is among them where git says that the fleet is there.
    """
    desired = session.adopted.desired
    found = tuple(x for x in looks if desired.fleet(fleet, x.target.name) or (x.seen and _live(x, fleet)))
    if not found:
        names = sorted({f.name for f in desired.fleets})
        raise ChoiceError(f"no fleet {fleet} is in git or on AWS; git has {', '.join(names) or 'none'}")
    return found


def _live(look: Look, fleet: str) -> bool:
    seen = look.seen
    return bool(seen and status_of(seen.world, seen.plan, seen.keeper, fleet))


def the_one(session: Session, fleet: str) -> Look:
    """Look at the one target that is meant.

    Raises: ChoiceError for an unknown fleet, one in several targets, or a target that could not be read.
    """
    looks = having(session, session.look(BRIEF), fleet)
    if len(looks) > 1:
        names = ", ".join(x.target.name for x in looks)
        way = f"say which with --target, in a comment by TARGET/{fleet}"
        raise ChoiceError(f"{fleet} is in {len(looks)} targets ({names}); {way}")
    return readable(looks[0])


def readable(look: Look) -> Look:
    """Return a look that saw its target. Raises: ChoiceError with the reason where it did not."""
    if look.seen is None:
        raise ChoiceError(f"target {look.target.name}: {'; '.join(look.plan.unread)}")
    return look


def say(session: Session, fleet: str, ask: Ask) -> str:
    """Write what is asked of a fleet, and return what is told of it.

    Raises: ChoiceError; NoMeaningError where it means nothing now; NotSaidError where AWS refuses.
    """
    return obey(session, the_one(session, fleet), fleet, ask)


def say_of_instance(session: Session, instance: str, ask: Ask) -> str:
    """Write what is asked of the fleet that has an instance. Raises: as `say`."""
    looks = session.look(BRIEF)
    for look in looks:
        if look.seen and (fleet := fleet_of_instance(look.seen.world, look.seen.keeper, instance)):
            return obey(session, look, fleet, ask)
    for look in looks:
        readable(look)  # what could not be read may have it
    where = ", ".join(x.target.name for x in looks)
    raise ChoiceError(f"no group of ours in {where} has instance {instance}")


def obey(session: Session, look: Look, fleet: str, ask: Ask) -> str:
    """Decide on what one look saw, and write it. Raises: as `say`."""
    seen = readable(look).seen
    assert seen is not None  # noqa: S101  # `readable` has checked it
    document = session.adopted.desired.fleet(fleet, look.target.name)
    targets = document.spec.targets if document else ()
    answer = ask(facts_of(seen.world, seen.plan, seen.keeper, fleet, targets))
    write = writer(session.runtime(look.target).aws, seen.keeper)
    try:
        with for_commit(session.adopted.commit):
            for step in answer.steps:
                write(step)
    except Exception as error:
        if isinstance(error, ReconcilerError) or not foreseen(error):
            raise
        raise NotSaidError(f"target {look.target.name}: it may not have been said: {why(error)}") from error
    soon = format_duration(session.settings.interval)
    words = any(not isinstance(step, ReplaceInstance) for step in answer.steps)  # that one is done, not said
    when = f" (the next pass sees it, at the latest in {soon})" if words else ""
    return f"{look.target.name}  {answer.told}{when}"
