"""Which documents differ between two commits: what a merge is about, whatever AWS does meanwhile. Pure."""

from typing import Final

from reconciler.spec.desired import Desired

Touched = tuple[str, str, str]
"""Kind, name and target of a document."""

NOT_HERE: Final = {"targets": (), "profiles": (), "overrides": "{}"}
"""What a fleet says of its other targets, and where what is merged in it came from."""


def touched(before: Desired, now: Desired) -> tuple[Touched, ...]:
    """Return every document that was made, changed or taken away, for each of its targets."""
    old, new = _documents(before), _documents(now)
    return tuple(sorted(k for k in {*old, *new} if old.get(k) != new.get(k)))


def _documents(desired: Desired) -> dict[Touched, object]:
    found: dict[Touched, object] = {}
    for fleet in desired.fleets:
        image = desired.image(fleet.spec.image)
        merged = fleet.spec.model_copy(update=NOT_HERE)
        content = (merged, fleet.metadata, fleet.user_data, image.spec if image else None)
        found["Fleet", fleet.name, fleet.target] = content
    for one in desired.images:
        found |= {("Image", one.name, t): (one.spec, one.metadata) for t in one.spec.targets}
    found |= {("Zone", z.name, z.spec.target): (z.spec, z.metadata) for z in desired.zones}
    return found
