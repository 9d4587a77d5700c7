"""What was observed of hosted zones."""

from dataclasses import dataclass
from typing import Final

from reconciler.core.facts import Tags, Unread
from reconciler.core.ids import ChangeId, ZoneId, ZoneName
from reconciler.kinds.record.want import RecordSet

INSYNC: Final = "INSYNC"
PENDING: Final = "PENDING"
UNKNOWN: Final = "UNKNOWN"  # Route 53 does not know this change (any more)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveZone:
    """A hosted zone with all of its record sets.

    Source: route53:ListHostedZones, ListTagsForResources, ListResourceRecordSets.
    """

    zone: ZoneName  # the document's name
    id: ZoneId
    domain: str
    private: bool
    records: tuple[RecordSet, ...]
    tags: Tags
    ancestry: tuple[tuple[str, tuple[RecordSet, ...] | None], ...] = ()
    """What the commits in its tags declared here; None for a commit that can't be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneProblem:
    """A declared zone that was not read, or that does not exist or is not the only match."""

    zone: ZoneName
    unread: Unread | None  # None: it was read, and there is no such zone, or more than one
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveChange:
    """How far a change batch has come. Source: route53:GetChange."""

    id: ChangeId
    status: str  # PENDING | INSYNC | UNKNOWN
