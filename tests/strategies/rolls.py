"""Rollouts to stop at a place and look: what serves, and what a pass writes there."""

from dataclasses import replace

from reconciler.kinds.group.live import LiveGroup
from reconciler.kinds.group.want import Sizes
from reconciler.kinds.register import Step
from reconciler.plan.fleet import Way
from reconciler.strategies.wanted import Gates, Rollout, TrafficKind
from tests.strategies.invariants import weights_of
from tests.strategies.life import Life
from tests.strategies.shapes import CANARY, SIZES, Shape

OLD, NEW = "web-0000000001", "web-0000000002"
ERRORS = Gates(alarms=("errors",))


def at_rest(
    kind: TrafficKind, rollout: Rollout, *, gates: Gates = ERRORS, sizes: Sizes = SIZES, hold: bool = False
) -> Life:
    """A fleet at rest at its first revision."""
    shape = Shape(kind=kind, rollout=rollout, gates=gates, sizes=sizes)
    life = Life(replace(shape, on_failure="hold") if hold else shape)
    life.calm()
    return life


def rolling_out(life: Life) -> Life:
    """The same, with a second revision in git."""
    life.commit(2)
    return life


def share(life: Life, name: str = NEW) -> int:
    """Weight of a revision."""
    return weights_of(life.world).get(name, 0)


def holding(kind: TrafficKind, *, gates: Gates = ERRORS, hold: bool = False) -> Life:
    """A canary that holds at its first stage, a tenth of the traffic."""
    life = rolling_out(at_rest(kind, CANARY, gates=gates, hold=hold))
    return stands(life, "holds 10%")


def stands(life: Life, why: str) -> Life:
    """Roll out until there is nothing to write and this is waited for, or blocks."""

    def there(life: Life) -> bool:
        plan = life.plan()
        return not plan.now and (why in waits(plan) or why == blocked(plan))

    return life.until(there)


def group(life: Life, name: str) -> LiveGroup | None:
    """A group that is not being deleted."""
    return next((g for g in life.world.groups if g.name == name and not g.deleting), None)


def running(life: Life, name: str) -> int:
    """Instances of a group, at work or not."""
    found = group(life, name)
    return len(found.instances) if found else 0


def failed(life: Life, name: str = NEW) -> str:
    """What the tombstone of a revision says, "" without one."""
    said = next((t.failed for t in life.world.templates if t.name == name), "")
    return said.partition(";")[2].partition(";")[2]


def done(plan: Way) -> list[str]:
    """What a pass writes, in order: operation and name."""
    return [f"{step.op} {step.name}" for step in plan.now]


def shifts(plan: Way) -> list[Step]:
    """The writes of a pass that move weights."""
    return [step for step in plan.now if step.op in ("change-records", "set-rule-weights", "create-rule")]


def blocked(plan: Way) -> str:
    """Code of what blocks a fleet, "" if nothing does."""
    return plan.blocked.code if plan.blocked else ""


def waits(plan: Way) -> str:
    """What a fleet waits for, "" if for nothing."""
    return plan.wait.why if plan.wait else ""
