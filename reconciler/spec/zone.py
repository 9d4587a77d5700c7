"""Zone: Route 53 records."""

from typing import Literal

from pydantic import Field, model_validator

from reconciler.core.base import Name, Spec
from reconciler.core.problem import RefusedError
from reconciler.spec.metadata import Metadata
from reconciler.spec.target import Drift

POLICIES = ("weighted", "failover", "latency", "geo", "multivalue")
RecordType = Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT"]


class Alias(Spec):
    """An alias: to an AWS name, or to a fleet's own name in the same zone."""

    name: str | None = Field(None, description="DNS name of the alias's target.")
    zone: str | None = Field(None, description="Hosted zone id of the alias's target.")
    fleet: Name | None = Field(None, description="A fleet whose dns name is in this zone.")
    target: Name | None = Field(None, description="The target of that fleet.")
    evaluateHealth: bool = Field(default=False, description="Route 53 asks the target.")

    @model_validator(mode="after")
    def _one_form(self) -> "Alias":
        named, fleet = (self.name, self.zone), (self.fleet, self.target)
        if (None not in named and fleet == (None, None)) or (None not in fleet and named == (None, None)):
            return self
        raise RefusedError(
            "the alias names no single target",
            "it is name and zone, or fleet and target",
            "write one of the two pairs whole",
        )


class Entry(Spec):
    """One record of a set with a routing policy."""

    id: str = Field(min_length=1, max_length=128, description="Set identifier.")
    weight: int | None = Field(None, ge=0, le=255, description="weighted: its share is weight over the sum.")
    role: Literal["primary", "secondary"] | None = Field(None, description="failover.")
    region: str | None = Field(None, pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$", description="latency.")
    continent: Literal["AF", "AN", "AS", "EU", "OC", "NA", "SA"] | None = Field(None, description="geo.")
    country: str | None = Field(
        None, pattern=r"^([A-Z]{2}|\*)$", description="geo: ISO code, or * for the rest."
    )
    subdivision: str | None = Field(
        None, pattern=r"^[A-Z0-9]{1,3}$", description="geo: a state of the US, with country."
    )
    values: tuple[str, ...] = Field((), description="Values; not beside alias.")
    alias: Alias | None = Field(None, description="Alias; not beside values.")
    healthCheck: str | None = Field(None, description="Health check id.")


class Record(Spec):
    """One record set, or all sets of a name and type with a routing policy."""

    name: str = Field(description="Relative to the domain; @ is the domain itself.")
    type: RecordType = Field(description="Record type.")
    ttl: int | None = Field(
        None, ge=0, le=2147483647, description="Seconds; one for the whole set. Not with an alias."
    )
    values: tuple[str, ...] = Field((), description="Values; TXT unquoted.")
    alias: Alias | None = Field(None, description="Alias instead of values.")
    weighted: tuple[Entry, ...] = Field((), description="Shares by weight.")
    failover: tuple[Entry, ...] = Field((), description="A primary and a secondary.")
    latency: tuple[Entry, ...] = Field((), description="The nearest region.")
    geo: tuple[Entry, ...] = Field((), description="By place of the client.")
    multivalue: tuple[Entry, ...] = Field((), description="Up to eight healthy ones.")
    takeOver: bool = Field(default=False, description="Replaces a different record that is not ours.")

    @property
    def policy(self) -> str:
        """The routing policy that is used, or `simple`."""
        return next((p for p in POLICIES if getattr(self, p)), "simple")

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The entries of its routing policy."""
        found: tuple[Entry, ...] = getattr(self, self.policy) if self.policy != "simple" else ()
        return found

    @model_validator(mode="after")
    def _one_form(self) -> "Record":
        given = [n for n in ("values", "alias", *POLICIES) if getattr(self, n)]
        if len(given) != 1:
            what = "nothing" if not given else " and ".join(given)
            raise RefusedError(
                f"the record has {what}",
                "it has exactly one of values, alias and a routing policy",
                "keep one of them",
            )
        return self


class Vpc(Spec):
    """The VPC by which a private zone is known."""

    vpc: str = Field(pattern=r"^vpc-[0-9a-z]+$", description="VPC id.")


class ZoneSpec(Spec):
    """A hosted zone that exists, and its records."""

    target: Name = Field(description="The Target with whose credentials it is read and written.")
    domain: str = Field(description="example.com")
    id: str | None = Field(
        None, pattern=r"^Z[A-Z0-9]+$", description="Needed where more than one zone matches."
    )
    private: Vpc | None = Field(None, description="Absent: public.")
    authority: Literal["declared", "whole"] = Field(
        "declared",
        description="declared: only what git declared; whole: every record, NS and SOA of the apex aside.",
    )
    drift: Drift | None = Field(None, description="Over the Target's.")
    records: tuple[Record, ...] = Field((), description="Record sets.")


class Zone(Spec):
    """Document of kind Zone."""

    apiVersion: Literal["reconciler/v1"]
    kind: Literal["Zone"]
    metadata: Metadata
    spec: ZoneSpec
