"""Words to a fleet from comments: written as the command line does, by the daemon's own session."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from reconciler.core.errors import ReconcilerError
from reconciler.daemon.hands import say
from reconciler.daemon.session import ChoiceError, Session, chosen, redactor_of
from reconciler.daemon.settings import Settings
from reconciler.hosts.commands import Command
from reconciler.plan import hands
from reconciler.plan.hands import Ask
from reconciler.source.repository import Adopted, Library

ASKS: Final[dict[str, Callable[[str], Ask]]] = {
    "pause": hands.pause,
    "resume": hands.resume,
    "promote": lambda _: hands.promote(),
    "abort": hands.abort,
}


class ReadOnlyError(ReconcilerError):
    """Who asked must say it elsewhere: this daemon never writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullHands:
    """Says to fleets what people ask for in comments, and has their targets looked at at once."""

    settings: Settings
    library: Library
    adopted: Callable[[], Adopted | None]  # the commit in force
    wake: Callable[[str], None]  # a target

    def __call__(self, command: Command) -> str:
        """Return what was said, and what happens next.

        Raises: ReadOnlyError, ChoiceError, NoMeaningError where nothing was written; NotSaidError where
        that is not known.
        """
        if self.settings.read_only:
            raise ReadOnlyError("this daemon only reads; say it with the command line")
        adopted = self.adopted()
        if adopted is None:
            raise ChoiceError("no commit is in force")
        target, _, fleet = command.word.rpartition("/")
        own = self.settings.target
        if target and own and target not in own:
            raise ChoiceError(f"this daemon does not look after {target}, but after {', '.join(own)}")
        found = chosen(adopted, (target,) if target else own)
        having = tuple(t for t in found if adopted.desired.fleet(fleet, t.name)) or found
        session = Session(
            settings=self.settings,
            library=self.library,
            adopted=adopted,
            targets=having,
            writes=True,
            redactor=redactor_of(self.settings),
        )
        with session:
            told = say(session, fleet, ASKS[command.verb](_reason(command)))
        for one in having:
            self.wake(one.name)
        return told


def _reason(command: Command) -> str:
    """Return the reason with who said it where; of a pause none stays none, so that it is asked for."""
    if not command.text and command.verb == "pause":
        return ""
    return f"{command.text} ({command.note.author.login}, #{command.note.pull})".strip()
