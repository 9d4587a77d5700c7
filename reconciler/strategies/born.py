"""What a revision is born with: its identity, and the sizes of the one that serves."""

from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from reconciler.core.digest import short
from reconciler.core.facts import (
    BORN,
    COMMIT,
    FLEET,
    LEASE,
    OWNER,
    REVISION,
    SELF,
    SOURCE,
    STAGE,
    TARGET,
    TRAFFIC,
    Tags,
    to_tags,
)
from reconciler.kinds.group.steps import CreateGroup
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.template.live import LiveTemplate
from reconciler.kinds.template.steps import CreateTemplate, TagTemplate
from reconciler.strategies.slice import ALL, NOTHING, RETURNS, Lease, Live, StageTag
from reconciler.strategies.wanted import Stage, TrafficKind, Wanted


def identity_tags(want: Wanted) -> Tags:
    """Return the tags by which a thing of this revision is known as ours."""
    return to_tags(
        {
            OWNER: want.keeper.owner,
            SOURCE: want.keeper.source,
            TARGET: want.target,
            FLEET: want.fleet,
            REVISION: want.revision,
            SELF: want.name,
        }
    )


def birth_tags(want: Wanted, as_of: datetime) -> Tags:
    """Return identity, and when and by which commit it was made."""
    return to_tags({**dict(identity_tags(want)), BORN: str(int(as_of.timestamp())), COMMIT: want.commit})


def stages_hash(want: Wanted) -> str:
    """Return what stands in `reconciler:stage` for the list of stages."""
    rollout = want.rollout
    return RETURNS if rollout.returns else _hash(rollout.strategy, rollout.pause_first, rollout.stages)


@lru_cache(maxsize=256)
def _hash(strategy: str, pause_first: bool, stages: tuple[Stage, ...]) -> str:  # noqa: FBT001
    return short([strategy, pause_first, [[s.weight, s.hold.total_seconds(), s.pause] for s in stages]])


def full_head(want: Wanted) -> str:
    """Return what a write remembers that gives a revision all traffic."""
    return f"{ALL}/{stages_hash(want)}"


def opening(want: Wanted, as_of: datetime) -> StageTag:
    """Return the stage of a revision that gets ready."""
    return StageTag(step=0, stages=stages_hash(want), change="", since=as_of)


def create_template(want: Wanted, as_of: datetime) -> CreateTemplate:
    """Return the step that makes the launch template."""
    tags = to_tags({**dict(want.template.tags), **dict(birth_tags(want, as_of))})
    return CreateTemplate(template=replace(want.template, tags=tags))


def born_now(template: LiveTemplate, as_of: datetime) -> TagTemplate:
    """Return the write that says when an older template is taken up: until reads are sure to show its group,
    `retire.unseen` goes by it, and who planned to delete it does not.
    """
    born = ((BORN, str(int(as_of.timestamp()))),)
    return TagTemplate(name=template.name, id=template.id, put=born, because="its group is made now")


def birth_sizes(want: Wanted, serving: Live | None) -> Sizes:
    """Return the sizes to be born with: those of the serving group as it is now, else `capacity`."""
    group = serving.up if serving else None
    return group.sizes if group and group.sizes != NOTHING else want.capacity


def place_of(want: Wanted) -> str:
    """Return where its records or its rule are (zone or listener), should git forget it."""
    if want.dns:
        return want.dns.zone
    return want.rule.listener if want.rule else ""


def create_group(
    want: Wanted, serving: Live | None, lease: Lease | None, as_of: datetime, first: int | None = None
) -> CreateGroup:
    """Return the step that starts the revision, with its floor from the first moment on.

    `first` is the size of its first batch, where capacity moves in batches.
    """
    sizes = birth_sizes(want, serving)
    tags = {**dict(birth_tags(want, as_of)), STAGE: opening(want, as_of).text()}
    if place := place_of(want):
        tags[TRAFFIC] = place
    if lease:
        tags[LEASE] = lease.text()
        sizes = replace(sizes, max=max(sizes.max, lease.least)).floor(lease.least)
    if first is not None:
        sizes = replace(sizes, min=first, desired=first)
    return CreateGroup(
        group=want.group,
        sizes=sizes,
        tags=to_tags(tags),
        attached=want.kind is not TrafficKind.ATTACH,
        because=_beside(want, serving),
    )


def _beside(want: Wanted, serving: Live | None) -> str:
    if serving is None:
        return f"no group runs revision {want.name}"
    stopped = serving.up is not None and serving.up.sizes == NOTHING
    return f"{'after' if stopped else 'beside'} {serving.name}"
