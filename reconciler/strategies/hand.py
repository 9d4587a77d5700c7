"""A person's hand on the wheel: the tag `reconciler:hand` of the new, or only, group of a fleet."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class Verb(StrEnum):
    """What was asked for."""

    PAUSE = "pause"  # suspend: nothing is written, save that a rollout still goes back
    PROMOTE = "promote"  # go past the pause of the stage that `text` names
    FULL = "full"  # all traffic at once: no holds and no pauses, gates and health still count
    ABORT = "abort"  # back to the revision before, as if it had failed
    RETRY = "retry"  # a revision that is held where it failed gets its time anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """`verb;epoch;until;text`: until is `-` where there is none; text is a stage number or a reason."""

    verb: Verb
    since: datetime
    until: datetime | None = None  # a pause ends then by itself
    text: str = ""

    def holds(self, as_of: datetime) -> bool:
        """Is it in force at that time."""
        return self.until is None or as_of < self.until

    def value(self) -> str:
        """The tag's value, at most 256 characters."""
        until = str(int(self.until.timestamp())) if self.until else "-"
        return f"{self.verb};{int(self.since.timestamp())};{until};{self.text}"[:256]


def parse_hand(value: str) -> Hand | None:
    """Return what the tag says, or None if it is not there or was garbled."""
    verb, since, until, *text = (*value.split(";", 3), "", "", "")[:4]
    if verb not in list(Verb) or not since.isdigit() or not (until == "-" or until.isdigit()):
        return None
    end = None if until == "-" else datetime.fromtimestamp(int(until), UTC)
    return Hand(verb=Verb(verb), since=datetime.fromtimestamp(int(since), UTC), until=end, text=text[0])
