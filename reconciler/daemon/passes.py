"""One pass of one target: observe, plan, and where it is asked for, apply."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import assert_never

from reconciler.apply.executor import Done, Failed, execute
from reconciler.core.errors import WrongAccountError
from reconciler.core.facts import Keeper
from reconciler.core.ids import ZoneId, ZoneName
from reconciler.core.redact import Redactor
from reconciler.daemon.again import looks_again
from reconciler.daemon.lenders import Lenders, lenders, place_of, with_borrowed
from reconciler.daemon.observe import Memory, look, observe, tagged_commits
from reconciler.gateway.errors import ENDS_TARGET, classify
from reconciler.gateway.session import Aws, for_commit, open_aws
from reconciler.kinds.balancer import write as balancer_write
from reconciler.kinds.balancer.steps import BalancerStep
from reconciler.kinds.group import write as group_write
from reconciler.kinds.group.steps import GroupStep
from reconciler.kinds.receipt import Receipt
from reconciler.kinds.record import aws as record_aws
from reconciler.kinds.record.live import LiveZone, ZoneProblem
from reconciler.kinds.record.steps import RecordStep
from reconciler.kinds.record.want import RecordSet
from reconciler.kinds.register import Step, World
from reconciler.kinds.template import aws as template_aws
from reconciler.kinds.template.steps import TemplateStep
from reconciler.plan.freeze import Freeze
from reconciler.plan.kept import Kept
from reconciler.plan.limits import Limits
from reconciler.plan.model import TargetPlan
from reconciler.plan.needs import needs, nothing
from reconciler.plan.planner import Goal, plan_target
from reconciler.plan.reach import Reports
from reconciler.plan.reasons import Reasons
from reconciler.plan.zone_records import wanted_records
from reconciler.source.repository import Adopted, Library
from reconciler.spec.desired import Desired, DesiredTarget
from reconciler.strategies.wanted import Hold

DEADLINE = timedelta(minutes=5)  # five intervals of the default minute


@dataclass(slots=True)
class Runtime:
    """One target's connection and memory, kept from pass to pass."""

    aws: Aws
    redactor: Redactor
    memory: Memory = field(default_factory=Memory)
    kept: Kept = field(default_factory=Kept)
    kept_for: str = ""  # commit


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a pass saw, and what it makes of it."""

    world: World
    plan: TargetPlan
    goal: Goal

    @property
    def keeper(self) -> Keeper:
        """Who we are there."""
        return self.goal.keeper


def open_target(target: DesiredTarget, redactor: Redactor, *, writes: bool) -> Runtime:
    """Return the connection to a target. Without `writes`, none of its calls can write."""
    return Runtime(open_aws(place_of(target), writes=writes), redactor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a target is looked at."""

    ahead: bool = True  # with the whole way of each rollout
    deadline: timedelta = DEADLINE
    pruning: Hold | None = None  # why nothing may be pruned: rewritten history
    audited: frozenset[str] = frozenset()  # fleets whose turn it is to be looked at in full
    approved: tuple[str, ...] = ()  # digests that people approved on the git host, beside those in git
    waves: Reports | None = None  # how far the fleets are in other targets; None: nothing waits for them


USUAL = Manner()


def look_and_plan(
    runtime: Runtime, adopted: Adopted, library: Library, target: DesiredTarget, manner: Manner
) -> Seen:
    """Observe one target and plan it. Two looks: the bulk reads, then what is under way or audited.

    Raises: what ends the target's pass: credentials, a wrong account, throttling, the deadline.
    """
    aws = runtime.aws
    aws.begin(manner.deadline)
    with for_commit(adopted.commit):
        world = observe(aws, adopted.desired, target, runtime.memory)
        world = with_borrowed(aws, adopted.desired, target, world)
        keeper = keeper_of(adopted, target)
        world = with_ancestry(world, library, adopted.desired)
        if runtime.kept_for != adopted.commit:
            runtime.kept, runtime.kept_for = Kept(), adopted.commit
        made = replace(
            approving(goal(adopted, library, target, world, runtime.redactor), manner.approved),
            kept=runtime.kept,
            pruning=manner.pruning,
            waves=manner.waves,
        )
        plan = plan_target(made, world, ahead=False)
        wanted = needs(plan, world, keeper, manner.audited)
        again = manner.ahead and any(i.now or i.wait or i.blocked for i in plan.items)  # else no way is ahead
        if not nothing(wanted):
            world, again = look(aws, world, wanted), True
        if again:
            plan = plan_target(made, world, ahead=manner.ahead)
    return Seen(world=world, plan=plan, goal=made)


def with_ancestry(world: World, library: Library, desired: Desired) -> World:
    """Return the world with what the commits in its zones' tags declared there."""
    zones: list[LiveZone | ZoneProblem] = []
    for zone in world.zones:
        if isinstance(zone, LiveZone):
            owner = _owner(desired, zone.zone)
            keys = (f"reconciler:{owner}:applied", f"reconciler:{owner}:writing")
            commits = [c for k, v in zone.tags if k in keys for c in v.split()]
            found = tuple((c, _declared(library.declared(c), zone)) for c in dict.fromkeys(commits))
            zones.append(replace(zone, ancestry=found))
        else:
            zones.append(zone)
    return replace(world, zones=tuple(zones))


def _owner(desired: Desired, zone: ZoneName) -> str:
    document = desired.zone(zone)
    target = desired.target(document.spec.target) if document else None
    return target.spec.owner if target else ""


def _declared(desired: Desired | None, zone: LiveZone) -> tuple[RecordSet, ...] | None:
    if desired is None:
        return None
    document = desired.zone(zone.zone)
    if document is None:
        return ()
    return tuple(w.record for w in wanted_records(desired, document, ZoneId(zone.id)))


def keeper_of(adopted: Adopted, target: DesiredTarget) -> Keeper:
    """Return who we are in a target."""
    return Keeper(owner=target.spec.owner, source=adopted.source, target=target.name)


def goal(adopted: Adopted, library: Library, target: DesiredTarget, world: World, redactor: Redactor) -> Goal:
    """Return what is planned for: the commit, judged by its own limits and its first parent's."""
    keeper = keeper_of(adopted, target)
    before = adopted.parent.target(target.name) if adopted.parent else None
    own = limits_of(target)
    return Goal(
        desired=adopted.desired,
        target=target,
        keeper=keeper,
        commit=adopted.commit,
        ancestors=library.repository.ancestors(adopted.commit, tagged_commits(world, keeper.owner)),
        limits=own.stricter(limits_of(before)) if before else own,
        freezes=tuple(dict.fromkeys((*freezes_of(target), *(freezes_of(before) if before else ())))),
        reasons=Reasons(redactor),
    )


def approving(made: Goal, digests: tuple[str, ...]) -> Goal:
    """Return the goal with digests approved beside those in git."""
    return replace(made, limits=replace(made.limits, approved=(*made.limits.approved, *digests)))


def limits_of(target: DesiredTarget) -> Limits:
    """Return a Target's limits."""
    spec = target.spec.limits
    return Limits(
        retire=spec.retire,
        dns_deletes=spec.dnsDeletes,
        dns_changes=spec.dnsChanges,
        rollouts=spec.rollouts,
        failures=spec.failures,
        approved=spec.approved,
    )


def freezes_of(target: DesiredTarget) -> tuple[Freeze, ...]:
    """Return a Target's freeze windows."""
    return tuple(
        Freeze(
            holds=f.holds,
            reason=f.reason,
            since=f.from_,
            to=f.to,
            cron=f.cron or "",
            length=f.for_ or timedelta(),
            timezone=f.timezone,
        )
        for f in target.spec.freeze
    )


def writer(aws: Aws, keeper: Keeper, lent: Lenders | None = None) -> Callable[[Step], Receipt]:
    """Return the one function that writes to a target; `lent`: zones that are written as another one."""

    def write(step: Step) -> Receipt:
        if isinstance(step, TemplateStep):
            return template_aws.do(aws, step, keeper)
        if isinstance(step, GroupStep):
            return group_write.do(aws, step, keeper)
        if isinstance(step, BalancerStep):
            return balancer_write.do(aws, step, keeper)
        if isinstance(step, RecordStep):
            place = (lent or {}).get(step.zone)
            return record_aws.do(aws.open_beside(place) if place else aws, step)
        assert_never(step)

    return write


def apply(runtime: Runtime, seen: Seen, commit: str) -> Iterator[Done | Failed]:
    """Do what is safe now. Raises: what ends the target's pass."""
    with for_commit(commit):
        lent = lenders(seen.goal.desired, seen.goal.target)
        again = looks_again(runtime.aws, seen.world, seen.keeper, lent)
        yield from execute(seen.plan, writer(runtime.aws, seen.keeper, lent), again, ends_target)


def ends_target(error: Exception) -> bool:
    """Does this error end the pass of a whole target, rather than one fleet's moves."""
    return isinstance(error, WrongAccountError) or classify(error) in ENDS_TARGET
