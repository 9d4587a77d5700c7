"""One part of a fleet that changes beside its revision."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from reconciler.core.digest import short
from reconciler.core.quick import quick
from reconciler.kinds.register import Step

SIZES: Final = ("min", "max", "desired")
PLACES: Final = {
    "target-group": "targetGroup",
    "balancer": "balancer",
    "listener": "balancer.listeners",
    "rule": "listener",
    "record": "dns",
    "weight": "dns",
    "instance": "instances",
}
"""Where in a Fleet's `traffic`, or in general, a resource stands."""

WORDS: Final = {
    "HealthCheckType": "health.check",
    "HealthCheckGracePeriod": "health.grace",
    "DefaultInstanceWarmup": "group.warmup",
    "CapacityRebalance": "group.capacityRebalance",
    "MaxInstanceLifetime": "group.maxInstanceLifetime",
    "attributes.deregistration_delay.timeout_seconds": "drain",
}
"""Fields of AWS that the documents name otherwise."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One live field that is not as wanted."""

    resource: str
    field: str
    want: str
    live: str
    mends: bool = True  # False: no call of ours puts it right; only a new revision does

    @property
    def path(self) -> str:
        """The field by the words of the documents, below `spec` or `spec.traffic`."""
        place = PLACES.get(self.resource.partition("/")[0], "")
        word = WORDS.get(self.field, self.field)
        if not place and word[:1].isupper():
            return f"group.extra.{word}"
        return f"{place}.{word}" if place else word

    def ignored(self, ignore: Iterable[str]) -> bool:
        """Is this field left to others (`drift.ignore`)."""
        names = {self.path, self.field} | ({f"capacity.{self.field}"} if self.field in SIZES else set())
        left = [p.removeprefix("spec.").removeprefix("traffic.") for p in ignore]
        return any(n == p or n.startswith(f"{p}.") for n in names for p in left)


Stated: TypeAlias = "str | int | tuple[Stated, ...]"
"""What git says of a part. No place holds now a number, now a truth value: what is equal is equal JSON."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What git says of one part, where live differs, and the step that puts the first difference right."""

    name: str
    want: Stated
    rows: tuple[Row, ...]
    step: Callable[["Part"], Step] | None
    looked: bool = True  # False: nobody read the live side in this pass
    code: str = ""  # what stands for it in `reconciler:applied`, where its name has several
    wait: str = ""  # why its step can't be done yet

    @property
    def digest(self) -> str:
        """The short hash of what git says: it stands in `reconciler:applied`."""
        return _digest(self.want)


@lru_cache(maxsize=4096)
def _digest(stated: Stated) -> str:
    """Parts say much the same from fleet to fleet, and the same from move to move."""
    return short(stated)
