"""Record sets, wanted and live alike: one value type, so that equal means equal."""

from dataclasses import dataclass
from typing import TypeAlias

from reconciler.core.ids import ZoneId
from reconciler.core.quick import quick

Key: TypeAlias = tuple[str, str, str]
"""Name (lower case, ending with a dot), type, set identifier (empty without a routing policy)."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Alias:
    """Where an alias record points."""

    name: str  # lower case, ending with a dot, without AWS's `dualstack.` prefix
    zone: str
    evaluate_health: bool


@quick
@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RecordSet:
    """One record set as Route 53 holds it. Exactly one of `values` and `alias` is there."""

    name: str
    type: str
    identifier: str = ""
    ttl: int | None = None  # seconds; None for an alias
    values: tuple[str, ...] = ()  # as Route 53 writes them: TXT quoted and split
    alias: Alias | None = None
    weight: int | None = None  # 0 to 255
    failover: str = ""  # PRIMARY | SECONDARY
    region: str = ""  # latency
    geo: tuple[tuple[str, str], ...] = ()  # ContinentCode, CountryCode, SubdivisionCode
    multivalue: bool = False
    health_check: str = ""
    other: str = ""  # canonical JSON of what we never write (CIDR, geoproximity, traffic policies)

    @property
    def key(self) -> Key:
        """What Route 53 identifies a record set by."""
        return (self.name, self.type, self.identifier)

    @property
    def policy(self) -> str:
        """Routing policy, by the word that the documents use; `simple` without one."""
        if self.weight is not None:
            return "weighted"
        if self.failover:
            return "failover"
        if self.region:
            return "latency"
        if self.geo:
            return "geo"
        if self.multivalue:
            return "multivalue"
        return "other" if self.identifier else "simple"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One declared record set, with leave to replace a different one that is not ours."""

    record: RecordSet
    take_over: bool = False
    at: str = ""  # path in the Zone's document, for reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneRef:
    """Which hosted zone a Zone document means."""

    domain: str  # lower case, ending with a dot
    id: ZoneId | None
    vpc: str  # "" for a public zone
