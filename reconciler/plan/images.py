"""Which AMI is in force, and the entry of each Image in a plan."""

from dataclasses import replace

from reconciler.core.facts import Unread
from reconciler.core.ids import AmiId
from reconciler.kinds.image.live import Resolved
from reconciler.kinds.register import Blocked, World
from reconciler.plan import suspended
from reconciler.plan.goal import Goal
from reconciler.plan.model import ActionKind, Item
from reconciler.spec.desired import DesiredFleet, DesiredImage
from reconciler.strategies.slice import Live

KIND = "Image"


def in_force(
    goal: Goal, world: World, fleet: DesiredFleet, serving: Live | None
) -> tuple[AmiId | Blocked, tuple[str, ...]]:
    """Return the AMI of a fleet: the pin; else that of its serving revision; else what resolves now."""
    image = goal.desired.image(fleet.spec.image)
    if image is None:
        return Blocked(code="image", why=f"there is no image {fleet.spec.image}"), ()
    if pinned := _pinned(image, fleet.target):
        return pinned, ()
    resolved = _resolved(world, image)
    if serving and serving.template:
        newer = resolved.ami if resolved and resolved.ami != serving.template.image else None
        note = f"image {image.name} is unpinned: {serving.template.image} stays"
        return serving.template.image, (f"{note}; {newer} is newer: pin it to adopt it" if newer else note,)
    if isinstance(world.images, Unread):
        return Blocked(code="unread", why=str(world.images)), ()
    if resolved is None or resolved.ami is None:
        why = resolved.why if resolved else "it was not resolved"
        return Blocked(code="image", why=f"image {image.name} gives no AMI: {why}"), ()
    return resolved.ami, (f"image {image.name} is unpinned: {resolved.ami} is what it gives now",)


def is_fixed(image: DesiredImage, target: str) -> bool:
    """Does git name the AMI of this image in this target by its id."""
    return _pinned(image, target) is not None


def _pinned(image: DesiredImage, target: str) -> AmiId | None:
    fixed = dict(image.spec.pin or image.spec.ami or ())
    found = fixed.get(target) or fixed.get("*")
    return AmiId(found) if found else None


def _resolved(world: World, image: DesiredImage) -> Resolved | None:
    images = world.images if isinstance(world.images, tuple) else ()
    return next((r for r in images if r.image == image.name), None)


def image_items(goal: Goal, world: World) -> list[Item]:
    """Return the entry of every Image that is in this target."""
    name = goal.target.name
    return [_item(goal, world, i) for i in goal.desired.images if name in i.spec.targets]


def _item(goal: Goal, world: World, image: DesiredImage) -> Item:
    item = Item(
        kind=KIND,
        name=image.name,
        target=goal.target.name,
        action=ActionKind.NONE,
        labels=image.metadata.labels,
        notes=tuple(suspended.over(image.metadata, world.as_of)),
    )
    return suspended.hold(
        _resolved_item(goal, world, image, item),
        suspended.of_document(goal, image.metadata, image.where, world.as_of),
    )


def _resolved_item(goal: Goal, world: World, image: DesiredImage, item: Item) -> Item:
    if pinned := _pinned(image, goal.target.name):
        return replace(item, to=pinned)
    if isinstance(world.images, Unread):
        return replace(item, action=ActionKind.UNREAD, blocked=Blocked(code="unread", why=str(world.images)))
    resolved = _resolved(world, image)
    if resolved is None or resolved.ami is None:
        why = resolved.why if resolved else "it was not resolved"
        return replace(item, action=ActionKind.BLOCKED, blocked=Blocked(code="image", why=why))
    return replace(item, to=resolved.ami, notes=(*item.notes, "unpinned"))
