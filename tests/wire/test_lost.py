"""A reply of each kind of write is lost after its effect: what happened is found by looking."""

import pytest

from reconciler.gateway.allow import OPERATIONS
from tests.product import Product
from tests.wire.company import NEW_AMI, TRAFFIC, base, files
from tests.wire.watch import WHOLE, Watch

pytestmark = pytest.mark.wire


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_the_first_two_replies_of_every_kind_of_write_are_lost_and_nothing_is_doubled_or_dark(
    product: Product, traffic: str
) -> None:
    control = product.aws.control
    watch = Watch(product.aws, traffic)
    for ami in ("", NEW_AMI):
        for one in OPERATIONS:
            if one.writes:
                control.fault("lost", service=one.service, operation=one.name, times=2)
        product.commit({"target.yaml": base(ami)} if ami else files(TRAFFIC[traffic]))
        product.converge(watch.look)
        lost = {f["operation"]: f["fired"] for f in control.faults() if f["fired"]}
        assert len(lost) >= 3
        control.clear_faults()
    product.settle(watch.look)
    assert {kind: len(names) for kind, names in watch.left().items()} == dict.fromkeys(WHOLE[traffic], 1)
    assert {n for names in watch.left().values() for n in names} == set(watch.groups())
