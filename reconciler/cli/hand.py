"""Hands on the wheel: `pause`, `resume`, `promote`, `abort`, `replace`."""

from reconciler.cli.options import out
from reconciler.daemon.hands import say, say_of_instance
from reconciler.daemon.session import open_session
from reconciler.daemon.settings import Settings
from reconciler.plan import hands
from reconciler.plan.hands import Ask


def hand(settings: Settings, fleet: str, ask: Ask) -> int:
    """Write what is asked of a fleet, and print what happens next. Return the exit code.

    Raises: ChoiceError, NoMeaningError, NotSaidError.
    """
    with open_session(settings, writes=True) as session:
        out(say(session, fleet, ask))
    return 0


def replace(settings: Settings, instance: str, reason: str) -> int:
    """Have the group of an instance replace it. Return the exit code. Raises: as `hand`."""
    with open_session(settings, writes=True) as session:
        out(say_of_instance(session, instance, hands.replace_instance(instance, reason)))
    return 0
