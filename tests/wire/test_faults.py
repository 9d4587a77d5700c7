"""Faults are normal: replies that are lost after the effect, throttling, errors and cut pages."""

from contextlib import suppress

import pytest
from botocore.exceptions import ClientError

from tests.product import Product, assert_in_sync
from tests.wire.company import NEW_AMI, TRAFFIC, base, files, fleet
from tests.wire.watch import WHOLE, Watch

pytestmark = pytest.mark.wire


def one_of_each(product: Product, traffic: str) -> None:
    left = Watch(product.aws, traffic).left()
    assert {kind: len(names) for kind, names in left.items()} == dict.fromkeys(WHOLE[traffic], 1), left


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_every_reply_of_a_write_is_lost_and_what_happened_is_found_by_looking(
    product: Product, traffic: str
) -> None:
    control = product.aws.control
    for service in ("ec2", "autoscaling", "elbv2"):
        control.fault("lost", service=service, writes=True, times=None)
    product.commit(files(TRAFFIC[traffic]))
    product.converge()
    product.commit({"target.yaml": base(NEW_AMI)})
    product.converge()
    assert sum(f["fired"] for f in control.faults()) >= 8
    control.clear_faults()
    product.settle()
    one_of_each(product, traffic)


@pytest.mark.parametrize("kind", ["throttle", "server-error", "reset"])
def test_a_write_that_fails_now_and_then_is_made_by_a_later_pass(product: Product, kind: str) -> None:
    control = product.aws.control
    for after in (0, 3, 5, 9):
        control.fault(kind, writes=True, times=1, after=after)
    product.commit(files(TRAFFIC["balancer"]))
    for _ in range(8):
        with suppress(ClientError):  # throttling ends the target's pass; the next one goes on
            product.converge()
            break
    assert all(f["fired"] for f in control.faults())
    control.clear_faults()
    product.settle()
    one_of_each(product, "balancer")


def test_what_can_not_be_read_is_never_taken_for_gone(product: Product) -> None:
    product.commit(files(TRAFFIC["balancer"]))
    product.settle()
    before = Watch(product.aws, "balancer").left()
    control = product.aws.control
    for service, operation in (
        ("autoscaling", "DescribeAutoScalingGroups"),
        ("ec2", "DescribeLaunchTemplates"),
        ("elbv2", "DescribeLoadBalancers"),
        ("elbv2", "DescribeTargetGroups"),
        ("route53", "ListResourceRecordSets"),
        ("ec2", "DescribeSubnets"),
    ):
        for kind in ("partial", "server-error"):
            control.fault(kind, service=service, operation=operation, times=None)
            plan = product.plan()
            assert not plan.complete, (operation, kind)
            assert any(i.action.value == "unread" for i in plan.items), (operation, kind)
            assert not any(i.now for i in plan.items), (operation, kind)
            control.clear_faults()
    assert Watch(product.aws, "balancer").left() == before
    assert_in_sync(product.plan())


def test_a_listener_that_is_not_there_blocks_its_own_fleet_alone(product: Product) -> None:
    gone = TRAFFIC["listener"].replace("/50dc6c495c0c9188/", "/0000000000000000/")
    product.commit({**files(TRAFFIC["listener"]), "fleets/lost.yaml": fleet(gone, name="lost")})
    product.converge()
    plan = product.plan()
    assert plan.complete
    found = {i.name: i for i in plan.items if i.kind == "Fleet"}
    assert found["web"].action.value == "none"
    assert found["lost"].blocked
    assert found["lost"].blocked.code == "unresolved"
    assert "there is no listener arn:" in found["lost"].blocked.why
