"""`simulate` says what AWS does: after each step, and after each wait, both come to the same facts.

Left out, since they are AWS's to choose: ids, ARNs, addresses, the zones of instances, and members that
AWS adds by itself. Compared by name: everything that a strategy or a plan rests on.
"""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from reconciler.daemon.passes import writer
from reconciler.daemon.session import Session
from reconciler.kinds.record.live import LiveZone
from reconciler.kinds.register import Wait, World
from reconciler.plan.settle import USUAL, settle
from reconciler.plan.simulate import do, follow_up
from tests.product import Product, converge, world_of
from tests.wire.company import NEW_AMI, TRAFFIC, base, files

pytestmark = pytest.mark.wire

MOST = 120  # moves of any of these stories


def facts(world: World, *, instances: bool) -> dict[str, Any]:
    """Return what is compared of a world. `instances`: also who is in service and healthy."""
    names = {t.arn: t.name for t in world.target_groups}
    found: dict[str, Any] = {}
    for group in world.groups:
        found[f"group {group.name}"] = {
            "sizes": group.sizes,
            "tags": group.tags,
            "template": (group.template, group.template_version),
            "subnets": group.subnets,
            "registered": sorted(names.get(a, a) for a in group.target_groups),
            "health": group.health,
            "policies": group.policies,
            "schedules": group.schedules,
            "deleting": group.deleting,
            **({"in service": group.in_service, "all": len(group.instances)} if instances else {}),
        }
    found |= {f"template {t.name}": (t.image, t.tags, t.default_version) for t in world.templates}
    for balancer in world.balancers:
        ports = {x.port for x in balancer.listeners or ()}
        if balancer.name.startswith("web-"):
            found[f"balancer {balancer.name}"] = (balancer.type, balancer.scheme, ports)
    found |= {
        f"target group {t.name}": (t.port, t.protocol, t.check.path, t.check.interval)
        for t in world.target_groups
        if t.name.startswith("web-")
    }
    for rule in world.rules:
        found[f"rule {rule.priority}"] = {names.get(a, a): w for a, w in rule.weights if w or a in names}
    for zone in world.zones:
        assert isinstance(zone, LiveZone)
        for record in zone.records:
            if record.weight is not None:
                found[f"record {record.identifier}"] = (record.name, record.type, record.weight)
    return found


def assert_alike(said: World, live: World, what: str, *, instances: bool) -> None:
    simulated, read = facts(said, instances=instances), facts(live, instances=instances)
    assert simulated == read, f"after {what}"


def tell_the_story(product: Product, session: Session) -> Counter[str]:
    """Do what the plan says, step by step, beside what simulate says; return how often what was done."""
    did: Counter[str] = Counter()
    (target,) = session.targets
    live = world_of(session)
    for _ in range(MOST):
        look = session.look_at(target)
        assert look.seen
        item = next(i for i in look.plan.items if i.kind == "Fleet")
        write = writer(session.runtime(target).aws, look.seen.keeper)
        for step in item.now:
            said, _ = do(live, step)
            receipt = write(step)
            epoch = int(look.plan.as_of.timestamp())
            if follow := follow_up(step, receipt.change, epoch):
                said, _ = do(said, follow)
                write(follow)
            live = world_of(session)
            assert_alike(said, live, step.op, instances=False)
            did[step.op] += 1
        if not item.now and item.wait:
            live = wait_beside(product, session, live, item.wait)
            did["wait"] += 1
        elif not item.now:
            return did
    raise AssertionError("the story does not end")


def wait_beside(product: Product, session: Session, before: World, wait: Wait) -> World:
    """Let simulate and AWS wait alike, as long as simulate says that it takes; return what AWS has then."""
    said = settle(before, USUAL, wait.until)
    product.aws.control.advance(max(said.as_of - before.as_of, timedelta(seconds=1)) + timedelta(seconds=2))
    live = world_of(session)
    assert_alike(said, live, f"wait: {wait.why}", instances=True)
    return live


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_simulate_and_aws_come_to_the_same_after_every_move_of_a_replacement(
    product: Product, traffic: str
) -> None:
    product.commit(files(TRAFFIC[traffic]))
    with product.session() as session:
        converge(session, product.aws)
    product.commit({"target.yaml": base(NEW_AMI)})
    with product.session() as session:
        did = tell_the_story(product, session)
    assert {"create-template", "create-group", "delete-group", "delete-template", "wait"} <= set(did)
