"""The desired state of one commit: every document, merged and checked, and where each value was written."""

from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler.core.ids import FleetName, ImageName, TargetName, ZoneName
from reconciler.core.lazy import lazy
from reconciler.core.problem import Position
from reconciler.spec.fleet import FleetSpec
from reconciler.spec.image import ImageSpec
from reconciler.spec.metadata import Metadata
from reconciler.spec.target import TargetSpec
from reconciler.spec.zone import ZoneSpec

Where = Callable[[str], Position | None]
"""From a dotted path in a document (`spec.launch.instanceTypes`) to the place its value came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredTarget:
    """A Target document."""

    name: TargetName
    metadata: Metadata
    spec: TargetSpec
    where: Where = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredImage:
    """An Image document."""

    name: ImageName
    metadata: Metadata
    spec: ImageSpec
    where: Where = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredFleet:
    """A Fleet document as it stands in one target, merged over its profiles."""

    name: FleetName
    target: TargetName
    metadata: Metadata
    spec: FleetSpec
    user_data: bytes | None
    where: Where = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredZone:
    """A Zone document."""

    name: ZoneName
    metadata: Metadata
    spec: ZoneSpec
    where: Where = field(compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Desired:
    """All documents of one commit, each kind sorted by name."""

    targets: tuple[DesiredTarget, ...] = ()
    images: tuple[DesiredImage, ...] = ()
    profiles: tuple[str, ...] = ()
    fleets: tuple[DesiredFleet, ...] = ()
    zones: tuple[DesiredZone, ...] = ()

    def target(self, name: str) -> DesiredTarget | None:
        """Return a target by name."""
        return next((t for t in self.targets if t.name == name), None)

    def image(self, name: str) -> DesiredImage | None:
        """Return an image by name."""
        return next((i for i in self.images if i.name == name), None)

    def zone(self, name: str) -> DesiredZone | None:
        """Return a zone by name."""
        return next((z for z in self.zones if z.name == name), None)

    def fleet(self, name: str, target: str) -> DesiredFleet | None:
        """Return a fleet in a target."""
        return self._fleets.get((name, target))

    @lazy
    def _fleets(self) -> dict[tuple[str, str], DesiredFleet]:
        return {(f.name, f.target): f for f in self.fleets}

    @property
    def fleet_names(self) -> tuple[str, ...]:
        """The name of each Fleet document once, however many targets it is in."""
        return tuple(dict.fromkeys(f.name for f in self.fleets))

    @property
    def empty(self) -> bool:
        """Nothing is declared."""
        return not (self.targets or self.images or self.profiles or self.fleets or self.zones)
