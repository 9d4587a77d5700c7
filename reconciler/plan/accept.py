"""Taking up a rewritten history: what is ours by owner, target and name gets this commit's tags.

Nothing is pruned by it, now or later: what git does not have in this commit keeps its old tags, and
stays reported as of another history.
"""

from collections.abc import Iterator

from reconciler.core.facts import COMMIT, FLEET, OWNER, SELF, SOURCE, TARGET, Keeper, Read, T, Tags, tag
from reconciler.core.ids import Commit, ResourceName
from reconciler.kinds.balancer.live import LiveBalancer, LiveTargetGroup
from reconciler.kinds.balancer.steps import TagBalancing
from reconciler.kinds.group.steps import TagGroup
from reconciler.kinds.record.live import LiveZone
from reconciler.kinds.record.steps import TagZone
from reconciler.kinds.register import Needs, Step, World
from reconciler.kinds.template.steps import TagTemplate
from reconciler.plan.planner import Goal
from reconciler.plan.zones import applied_tag, writing_tag

BECAUSE = "its history was rewritten, and that was accepted"


def others(goal: Goal, world: World) -> frozenset[ResourceName]:
    """Return names of what is ours but of another history, and is in git in this commit."""
    named = [(g.name, g.tags) for g in _tuple(world.groups)] + [
        (t.name, t.tags) for t in _tuple(world.templates)
    ]
    fleets = {f.name for f in goal.desired.fleets if f.target == goal.target.name}
    return frozenset(name for name, tags in named if _astray(goal, tags, name) and tag(tags, FLEET) in fleets)


def looked_at(goal: Goal, world: World) -> Needs:
    """Return what must be looked at before it can be tagged: whose balancers and target groups are."""
    names = others(goal, world)
    return Needs(balancers=names, target_groups=names)


def accept(goal: Goal, world: World) -> tuple[Step, ...]:
    """Return every tag that takes a rewritten history up. The world holds what `looked_at` asks for."""
    return tuple(_steps(goal, world))


def _steps(goal: Goal, world: World) -> Iterator[Step]:
    names, put = others(goal, world), ((COMMIT, str(goal.commit)), (SOURCE, goal.keeper.source))
    for template in _tuple(world.templates):
        if template.name in names and _astray(goal, template.tags, template.name):
            yield TagTemplate(name=template.name, id=template.id, put=put, because=BECAUSE)
    balancing: list[LiveTargetGroup | LiveBalancer] = list(_tuple(world.target_groups))
    balancing += _tuple(world.balancers)
    for thing in balancing:
        if thing.name in names and thing.tags is not None and _astray(goal, thing.tags, thing.name):
            yield TagBalancing(name=thing.name, arn=thing.arn, put=put, because=BECAUSE)
    for rule in _tuple(world.rules):
        fleets = {f.name for f in goal.desired.fleets if f.target == goal.target.name}
        if _whose(goal.keeper, rule.tags) and tag(rule.tags, FLEET) in fleets and _foreign(goal, rule.tags):
            yield TagBalancing(
                name=ResourceName(tag(rule.tags, FLEET)), arn=rule.arn, put=put[1:], because=BECAUSE
            )
    # Groups last: they are what a second try finds the rest by.
    for group in _tuple(world.groups):
        if group.name in names and _astray(goal, group.tags, group.name):
            yield TagGroup(name=group.name, put=put, because=BECAUSE)
    yield from _zones(goal, world)


def _zones(goal: Goal, world: World) -> Iterator[Step]:
    """Forget commits of another history: equal records are then taken over again without a write."""
    keys = (applied_tag(goal.keeper.owner), writing_tag(goal.keeper.owner))
    own = {z.name for z in goal.desired.zones if z.spec.target == goal.target.name}
    for zone in world.zones:
        if not isinstance(zone, LiveZone) or zone.zone not in own:
            continue
        commits = {Commit(c) for k in keys for c in tag(zone.tags, k).split()}
        if any(c != goal.commit and c not in goal.ancestors for c in commits):
            drop = tuple(k for k in keys if tag(zone.tags, k))
            yield TagZone(zone=zone.zone, zone_id=zone.id, drop=drop, because=BECAUSE)


def _astray(goal: Goal, tags: Tags, name: str) -> bool:
    if not _whose(goal.keeper, tags) or tag(tags, SELF) != name:
        return False
    commit = Commit(tag(tags, COMMIT))
    return _foreign(goal, tags) or (commit != goal.commit and commit not in goal.ancestors)


def _foreign(goal: Goal, tags: Tags) -> bool:
    return tag(tags, SOURCE) != goal.keeper.source


def _whose(keeper: Keeper, tags: Tags) -> bool:
    return (tag(tags, OWNER), tag(tags, TARGET)) == (keeper.owner, keeper.target)


def _tuple(facts: Read[T]) -> tuple[T, ...]:
    return facts if isinstance(facts, tuple) else ()
