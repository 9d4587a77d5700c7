"""Plans of one pull request: base and merge result against one observation of each target, read only."""

from dataclasses import dataclass, field, replace

from reconciler.core.redact import Redactor
from reconciler.daemon.lenders import with_borrowed
from reconciler.daemon.observe import attempt, host_time, images_of, look, observe
from reconciler.daemon.passes import (
    DEADLINE,
    Runtime,
    approving,
    goal,
    open_target,
    with_ancestry,
)
from reconciler.gateway.errors import foreseen, say
from reconciler.gateway.session import for_commit
from reconciler.kinds.image import aws as image_aws
from reconciler.kinds.register import Needs, World
from reconciler.plan.blind import blind_plan
from reconciler.plan.model import TargetPlan
from reconciler.plan.needs import needs, nothing
from reconciler.plan.planner import plan_target
from reconciler.plan.pulls import Compared, compare
from reconciler.source.repository import Adopted, Library
from reconciler.spec.desired import Desired, DesiredTarget

NEW = "this target comes with the pull request; it is not asked before the merge"
MOVED = "the pull request changes how this target is reached; it is asked the old way until the merge"


@dataclass(slots=True, kw_only=True)
class PullPlans:
    """Plans pull requests. Its connections can't write, and lead where the base says, never the head."""

    library: Library
    redactor: Redactor
    _runtimes: dict[str, tuple[DesiredTarget, Runtime]] = field(default_factory=dict)

    def plan(
        self, base: Adopted, merged: Adopted, approved: tuple[str, ...] = (), only: tuple[str, ...] = ()
    ) -> tuple[Compared, ...]:
        """Return what the merge would cause in each target. One that fails is unread, the rest goes on."""
        found = []
        for target in merged.desired.targets:
            if only and target.name not in only:
                continue
            before = base.desired.target(target.name)
            if before is None:
                found.append(compare(None, self._blind(merged, target, NEW, approved)))
                continue
            try:
                found.append(self._compare(base, merged, (before, target), approved))
            except Exception as error:
                if not foreseen(error):
                    raise
                old = blind_plan(base.desired, before, say(error), host_time())
                found.append(compare(old, self._blind(merged, target, say(error), approved)))
        return tuple(found)

    def close(self) -> None:
        """Close every connection."""
        for _, runtime in self._runtimes.values():
            runtime.aws.close()
        self._runtimes = {}

    def _blind(
        self, merged: Adopted, target: DesiredTarget, why: str, approved: tuple[str, ...]
    ) -> TargetPlan:
        plan = blind_plan(merged.desired, target, why, host_time())
        return replace(plan, approved=plan.digest in approved)

    def _compare(
        self,
        base: Adopted,
        merged: Adopted,
        targets: tuple[DesiredTarget, DesiredTarget],
        approved: tuple[str, ...],
    ) -> Compared:
        """Both plans rest on one world; what either leaves open is looked at once."""
        before, after = targets
        runtime = self._runtime(before)
        aws = runtime.aws
        aws.begin(DEADLINE)
        with for_commit(merged.commit):
            # Zones of other targets too are asked for where the base says.
            both = replace(together(base.desired, merged.desired), targets=base.desired.targets)
            world = with_borrowed(aws, both, before, observe(aws, both, before, runtime.memory))
            world = with_ancestry(world, self.library, both)
            goals = (
                goal(base, self.library, before, world, self.redactor),
                approving(goal(merged, self.library, after, world, self.redactor), approved),
            )
            own = self._own_images(runtime, base, before, world, merged)
            wanted = [
                needs(plan_target(g, w, ahead=False), w, g.keeper)
                for g, w in zip(goals, (own, world), strict=True)
            ]
            union = _union(*wanted)
            if not nothing(union):
                world = look(aws, world, union)
                own = replace(world, amis=own.amis, images=own.images)
            plans = (plan_target(goals[0], own, ahead=False), plan_target(goals[1], world))
        moved = _reached(before) != _reached(after)
        new = replace(plans[1], warnings=(*plans[1].warnings, MOVED)) if moved else plans[1]
        return compare(plans[0], new)

    def _own_images(
        self, runtime: Runtime, base: Adopted, target: DesiredTarget, world: World, merged: Adopted
    ) -> World:
        """Return the world with the images as the base names them, where the pull request changes them."""
        images = images_of(base.desired, target.name)
        if images == images_of(merged.desired, target.name):
            return world
        found = attempt("images", lambda: image_aws.read(runtime.aws, images, frozenset()))
        amis, resolved = found if isinstance(found, tuple) else (found, found)
        return replace(world, amis=amis, images=resolved)

    def _runtime(self, target: DesiredTarget) -> Runtime:
        known = self._runtimes.get(target.name)
        if known is None or _reached(known[0]) != _reached(target):
            if known:
                known[1].aws.close()
            known = (target, open_target(target, self.redactor, writes=False))
            self._runtimes[target.name] = known
        return known[1]


def together(base: Desired, merged: Desired) -> Desired:
    """Return all documents of both, so that one observation serves both plans; the merge result's count."""
    return replace(
        merged,
        images=(*merged.images, *(i for i in base.images if merged.image(i.name) is None)),
        zones=(*merged.zones, *(z for z in base.zones if merged.zone(z.name) is None)),
        fleets=(*merged.fleets, *base.fleets),
    )


def _union(a: Needs, b: Needs) -> Needs:
    return Needs(**{name: getattr(a, name) | getattr(b, name) for name in Needs.__dataclass_fields__})


def _reached(target: DesiredTarget) -> tuple[object, ...]:
    spec = target.spec
    return (spec.account, spec.region, spec.assumeRole, spec.externalId)


def ours(library: Library, base: Adopted, merged: Adopted) -> tuple[str, ...]:
    """Return the files of ours that differ.

    None where no document does, nor any file that holds some or must be signed.
    """
    files = library.repository.changed(base.commit, merged.commit, library.path)
    documents = any(f.endswith((".yaml", ".yml")) for f in files) or library.guarded(files)
    return files if documents or base.desired != merged.desired else ()
