"""What stands in a fleet's way before anything is planned: what was not read, and what is not ours."""

from collections.abc import Iterable
from typing import Any, TypeAlias

from reconciler.core.facts import OWNER, TRAFFIC, Read, Tags, Unread, identity, tag
from reconciler.core.ids import ResourceName
from reconciler.kinds.balancer.live import target_group_name
from reconciler.kinds.record.live import LiveZone, ZoneProblem
from reconciler.kinds.register import Blocked, World
from reconciler.plan.goal import Goal
from reconciler.spec.traffic import Traffic
from reconciler.strategies.slice import Live, Slice
from reconciler.strategies.traffic import rule_is_ours
from reconciler.strategies.wanted import Wanted


def unread(world: World, traffic: Traffic | None, revisions: tuple[Live, ...]) -> Unread | None:
    """Return what was not read and would be needed to move a fleet that git has."""
    needed: list[object] = [world.subnets, world.security_groups]
    needed += _around(world, revisions, listener=bool(traffic and traffic.listener))
    if traffic and (traffic.balancer or traffic.targetGroup):
        needed += [world.target_groups, world.balancers]
    if traffic and traffic.dns:
        needed += [z.unread for z in world.zones if isinstance(z, ZoneProblem) and z.zone == traffic.dns.zone]
    return next((u for u in needed if isinstance(u, Unread)), None)


def hidden(world: World, revisions: tuple[Live, ...]) -> Blocked | None:
    """Say why a fleet that left git can't be taken away: what leads to it may be where nobody looked."""
    if found := next((u for u in _around(world, revisions, listener=False) if isinstance(u, Unread)), None):
        return Blocked(code="unread", why=str(found))
    read = {z.zone for z in world.zones if isinstance(z, LiveZone)}
    for live in revisions:
        named = tag(live.group.tags, TRAFFIC) if live.group else ""
        if live.balancer is None or live.records or not named or named in read or named.startswith("arn:"):
            continue
        problem = next((z for z in world.zones if z.zone == named), None)
        if isinstance(problem, ZoneProblem) and problem.unread:
            return Blocked(code="unread", why=str(problem.unread))
        why = problem.why if isinstance(problem, ZoneProblem) else "it is not in git any more"
        return Blocked(
            code="zone", why=f"zone {named} may hold records of {live.name}, and can't be looked at: {why}"
        )
    return None


def _around(world: World, revisions: tuple[Live, ...], *, listener: bool) -> Iterable[object]:
    """What was made around the groups: a name in the group's own list, or a group that is not there."""
    around = any(
        live.group is None or any(target_group_name(arn) == live.name for arn in live.group.target_groups)
        for live in revisions
        if not (live.group is None and live.template and live.template.failed)
    )
    if around:
        yield from (world.target_groups, world.balancers)
    if listener or (around and not all(live.balancer for live in revisions)):
        yield world.rules


Names: TypeAlias = dict[ResourceName, list[tuple[str, Tags | None]]]
"""What has a name, of which kind it is, and its tags as far as they were read."""


def names_of(world: World) -> Names:
    """Return everything that was read and that a revision's name could meet."""
    kinds: list[tuple[str, Read[Any]]] = [
        ("group", world.groups),
        ("launch template", world.templates),
        ("target group", world.target_groups),
        ("balancer", world.balancers),
    ]
    found: Names = {}
    for kind, facts in kinds:
        for x in facts if isinstance(facts, tuple) else ():
            found.setdefault(x.name, []).append((kind, x.tags))
    return found


def conflict(goal: Goal, names: Names, want: Wanted, s: Slice) -> Blocked | None:
    """Say what has a name or place that is wanted and is not ours, if anything has."""
    unwanted = {"target group": want.target_group is None, "balancer": want.balancer is None}
    named = [(kind, tags) for kind, tags in names.get(want.name, ()) if not unwanted.get(kind)]
    for kind, tags in named:
        if tags is not None and identity(tags, want.name, goal.keeper) is None:
            return Blocked(code="conflict", why=f"{kind} {want.name} exists and is {_whose(goal, tags)}")
    if s.rule is not None and want.rule is not None and not rule_is_ours(want, s.rule):
        place = f"listener rule {want.rule.priority} of {want.rule.listener}"
        return Blocked(code="conflict", why=f"{place} exists and is {_whose(goal, s.rule.tags)}")
    return foreign_commit(goal, s.revisions)


def _whose(goal: Goal, tags: Tags) -> str:
    if tag(tags, OWNER) == goal.keeper.owner:
        return f"of owner {goal.keeper.owner} from another repository, path, target or fleet"
    return "not ours"


def foreign_commit(goal: Goal, revisions: tuple[Live, ...]) -> Blocked | None:
    """Say which revision was made by a commit that is not before the one in hand, if one was."""
    for live in revisions:
        commit = live.identity.commit
        if not goal.follows(commit):
            what = f"is of commit {commit[:12]}" if commit else "names no commit"
            why = f"{live.name} {what}, which is not an ancestor of {goal.commit[:12]}"
            return Blocked(code="commit", why=f"{why}; `apply --accept-history` takes it up")
    return None
