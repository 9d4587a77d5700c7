"""What every observed fact shares: complete or unread, and the tags that say whose a thing is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias, TypeVar

from reconciler.core.ids import Commit, FleetName, Revision, TargetName
from reconciler.core.quick import quick

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A read that did not complete. Unknown is not absent: nothing is planned on it."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what} could not be read: {self.why}"


Read: TypeAlias = tuple[T, ...] | Unread

Tags: TypeAlias = tuple[tuple[str, str], ...]
"""Tags of a live thing, sorted by key, without the `aws:` ones."""

PREFIX: Final = "reconciler:"
OWNER: Final = "reconciler:owner"
SOURCE: Final = "reconciler:source"
TARGET: Final = "reconciler:target"
FLEET: Final = "reconciler:fleet"
REVISION: Final = "reconciler:revision"
SELF: Final = "reconciler:self"
BORN: Final = "reconciler:born"
COMMIT: Final = "reconciler:commit"
APPLIED: Final = "reconciler:applied"
STAGE: Final = "reconciler:stage"
LEASE: Final = "reconciler:lease"
IDLE: Final = "reconciler:idle"
HAND: Final = "reconciler:hand"
FAILED: Final = "reconciler:failed"
TRAFFIC: Final = "reconciler:traffic"
PARTS: Final = "reconciler:parts"
PROPAGATED: Final = frozenset({OWNER, FLEET, REVISION})  # the only ones that reach instances


def to_tags(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> Tags:
    """Return tags in their one order, without those that AWS itself sets."""
    items = pairs.items() if isinstance(pairs, Mapping) else pairs
    return tuple(sorted((k, v) for k, v in items if not k.startswith("aws:")))


def tag(tags: Tags, key: str) -> str:
    """Return the value of one tag, or an empty string."""
    for name, value in tags:
        if name == key:
            return value
    return ""


def retagged(tags: Tags, put: Mapping[str, str], drop: Iterable[str] = ()) -> Tags:
    """Return tags with some put and some dropped."""
    gone = frozenset(drop)
    return to_tags({k: v for k, v in {**dict(tags), **put}.items() if k not in gone})


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """Who we are in a target: what our tags must say for a thing to be ours."""

    owner: str
    source: str  # 12 hex of the SHA-256 of root commit and path
    target: TargetName


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What the tags of a thing made by us say of it."""

    fleet: FleetName
    revision: Revision
    born: int  # seconds since 1970, AWS's clock
    commit: Commit


def identity(tags: Tags, name: str, keeper: Keeper) -> Identity | None:
    """Return whose a thing is, or None if it is not ours.

    A copied tag confers nothing: `reconciler:self` must be the thing's own name.
    """
    return _identity(tags, name, keeper.owner, keeper.source, keeper.target)


@lru_cache(maxsize=4096)
def _identity(tags: Tags, name: str, owner: str, source: str, target: str) -> Identity | None:
    have = dict(tags)
    ours = (
        have.get(OWNER) == owner
        and have.get(SOURCE) == source
        and have.get(TARGET) == target
        and have.get(SELF) == name
    )
    if not ours or not have.get(FLEET) or not have.get(REVISION):
        return None
    born = have.get(BORN, "")
    return Identity(
        fleet=FleetName(have[FLEET]),
        revision=Revision(have[REVISION]),
        born=int(born) if born.isdigit() else 0,
        commit=Commit(have.get(COMMIT, "")),
    )
