"""A second daemon is slow: it writes what it planned on a world that another one has changed since."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.apply.executor import Done, Failed
from reconciler.core.errors import ChangedError
from reconciler.daemon.passes import Seen, apply
from reconciler.daemon.session import Session
from reconciler.kinds.register import Step
from tests.product import Product, wait
from tests.wire.company import NEW_AMI, OLD_AMI, TRAFFIC, base, fleet, zone
from tests.wire.watch import Watch, assert_one_whole

pytestmark = pytest.mark.wire

QUICK = "keepOld: 1m, readyWithin: 5m"
WRITES = {
    "ChangeResourceRecordSets",
    "ModifyRule",
    "DetachLoadBalancerTargetGroups",
    "UpdateAutoScalingGroup",
    "DeleteLoadBalancer",
    "DeleteTargetGroup",
    "DeleteLaunchTemplate",
    "CreateTargetGroup",
    "CreateLoadBalancer",
    "CreateListener",
    "CreateAutoScalingGroup",
}


def rolls(product: Product, kind: str) -> Watch:
    """A fleet that serves, and a commit that replaces it."""
    watch = Watch(product.aws, kind)
    product.commit(
        {
            "target.yaml": base(),
            "zone.yaml": zone(),
            "fleets/web.yaml": fleet(TRAFFIC[kind], rollout=QUICK),
        }
    )
    product.converge(watch.look)
    product.commit({"target.yaml": base(NEW_AMI)})
    return watch


def about_to(product: Product, session: Session, chosen: Callable[[Step], bool]) -> Seen:
    """Go on, a write at a time, until such a step comes next; what it rests on was seen, and it is not done."""
    (target,) = session.targets
    for _ in range(100):
        seen = session.look_at(target).seen
        assert seen
        (item,) = [i for i in seen.plan.items if i.kind == "Fleet"]
        if item.now and chosen(item.now[0]):
            return seen
        first = replace(seen.plan, items=(replace(item, now=item.now[:1]),))
        for done in apply(session.runtime(target), replace(seen, plan=first), session.adopted.commit):
            assert isinstance(done, Done), done
        if not item.now:
            wait(seen.plan, product.aws)
    raise AssertionError("it never comes")


def refused(product: Product, session: Session, seen: Seen) -> str:
    """Write what was planned on that look; return why nothing was written."""
    (target,) = session.targets
    product.aws.control.clear_calls()
    results = list(apply(session.runtime(target), seen, session.adopted.commit))
    (failed,) = [r for r in results if isinstance(r, Failed)]
    assert isinstance(failed.error, ChangedError), failed
    assert results == [failed]
    assert not WRITES & {c["operation"] for c in product.aws.control.calls()}
    return str(failed.error)


def gives_traffic(step: Step) -> bool:
    """Does this write move traffic."""
    return getattr(step, "because", "").startswith("all traffic to") or step.op == "detach"


@pytest.mark.parametrize("kind", ["balancer", "listener", "attach"])
def test_traffic_does_not_go_to_a_revision_that_another_daemon_took_down_meanwhile(
    product: Product, kind: str
) -> None:
    watch = rolls(product, kind)
    ((old, _),) = watch.groups().items()
    with product.session() as slow:
        seen = about_to(product, slow, gives_traffic)
        assert product.cli("abort", "web").code == 0
        product.converge(watch.look)
        assert set(watch.groups()) == {old}
        why = refused(product, slow, seen)
    assert why.endswith("when this was planned")
    assert watch.serving(watch.weights()) >= 2


def test_the_balancer_of_a_revision_that_another_daemon_began_anew_is_not_deleted(product: Product) -> None:
    watch = rolls(product, "balancer")
    with product.session() as slow:
        about_to(product, slow, gives_traffic)
        assert product.cli("abort", "web").code == 0
        seen = about_to(product, slow, lambda step: step.op == "delete-balancer")
        assert product.cli("retry", "web").code == 0
        product.converge(watch.look, until=lambda _: len(watch.groups()) == 2)
        why = refused(product, slow, seen)
    assert why.startswith("the group of web-")
    assert why.endswith("is there now, and was gone when this was planned")
    product.settle(watch.look)


@pytest.mark.parametrize("op", ["create-target-group", "create-balancer", "create-listener", "create-group"])
def test_nothing_is_made_for_a_revision_that_another_daemon_took_away_meanwhile(
    product: Product, op: str
) -> None:
    """Without its template nothing would say whose a balancer is: it would stand there, and cost, for ever."""
    watch = rolls(product, "balancer")
    with product.session() as slow:
        seen = about_to(product, slow, lambda step: step.op == op)
        product.commit({"target.yaml": base(OLD_AMI)})
        product.settle(watch.look)
        refused(product, slow, seen)
    assert_one_whole(watch)


@pytest.mark.parametrize("kind", TRAFFIC)
def test_the_old_group_is_not_brought_to_nothing_once_git_went_back_to_it(
    product: Product, kind: str
) -> None:
    watch = rolls(product, kind)
    ((old, _),) = watch.groups().items()
    with product.session() as slow:
        seen = about_to(product, slow, lambda s: s.op == "set-sizes" and s.name == old and not s.sizes.max)
        product.commit({"target.yaml": base(OLD_AMI)})
        product.converge(watch.look, until=lambda p: any(o.step.name == old for o in p.outcomes))
        why = refused(product, slow, seen)
    assert old in why
    product.settle(watch.look)
    assert set(watch.groups()) == {old}


@pytest.mark.parametrize("kind", ["balancer", "listener", "attach"])
def test_traffic_goes_back_though_the_look_before_it_fails_and_nothing_is_taken_away(
    product: Product, kind: str
) -> None:
    """A way back never stands behind a call that fails; the end of what failed waits for one that does not."""
    watch = rolls(product, kind)
    ((old, _),) = watch.groups().items()
    product.converge(watch.look, until=lambda p: any(gives_traffic(o.step) for o in p.outcomes))
    (new,) = set(watch.groups()) - {old}
    assert product.cli("abort", "web").code == 0
    look = {"operation": "DescribeAutoScalingGroups", "match": "tag:reconciler:fleet"}
    product.aws.control.fault("error", **look, code="InternalFailure", times=None)
    product.converge(watch.look, until=lambda p: any(gives_traffic(o.step) for o in p.outcomes))
    assert watch.serving({old: 1}) >= 2
    assert not watch.weights().get(new)
    assert product.aws.control.faults()[0]["fired"]
    assert watch.groups()[new]["DesiredCapacity"] == 2
    product.aws.control.clear_faults()
    product.converge(watch.look)
    assert set(watch.groups()) == {old}
