"""All that we may do with records: change batches and the zone's tags."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, TypeAlias

from reconciler.core.facts import Tags
from reconciler.core.ids import ResourceName, ZoneId, ZoneName
from reconciler.kinds.record.want import RecordSet


class Action(StrEnum):
    """Actions of a change, as Route 53 spells them."""

    CREATE = "CREATE"
    DELETE = "DELETE"
    UPSERT = "UPSERT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a batch; DELETE must match every field of what is there."""

    action: Action
    record: RecordSet


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRecords:
    """Apply one batch, all or nothing (route53:ChangeResourceRecordSets).

    What was read is deleted and what is wanted created in the same batch, so that a writer with a
    stale read is refused by Route 53 itself. `mark` names the group that remembers the change id.
    """

    op: ClassVar[str] = "change-records"
    zone: ZoneName
    zone_id: ZoneId
    changes: tuple[Change, ...]
    mark: ResourceName | None = None
    stage: str = ""
    because: str = ""

    @property
    def name(self) -> str:
        """The record's name where the batch has one alone, else the zone's."""
        names = sorted({c.record.name for c in self.changes})
        return names[0] if len(names) == 1 else str(self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class TagZone:
    """Put or drop our tags of a zone (route53:ChangeTagsForResource)."""

    op: ClassVar[str] = "tag-zone"
    zone: ZoneName
    zone_id: ZoneId
    put: Tags = ()
    drop: tuple[str, ...] = ()
    because: str = ""

    @property
    def name(self) -> str:
        """The zone's name."""
        return str(self.zone)


RecordStep: TypeAlias = ChangeRecords | TagZone
