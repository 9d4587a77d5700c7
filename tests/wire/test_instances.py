"""Instances against their golden state, over the wire: what EC2 shows is read on the audit alone."""

import pytest

from tests.product import Product, world_of
from tests.wire.company import base, fleet

pytestmark = pytest.mark.wire


@pytest.mark.parametrize(
    "launch",
    ["", "publicIp: true", "instanceProfile: shop-web", "metadata: {tokens: required, hopLimit: 2}"],
    ids=["plain", "public", "with a profile", "with metadata options"],
)
def test_instances_are_as_they_were_born_until_somebody_changes_one(product: Product, launch: str) -> None:
    product.commit({"all.yaml": f"{base()}---\n{fleet(launch=launch)}"})
    product.settle()
    with product.session("plan") as session:
        instances = world_of(session).instances
    assert isinstance(instances, tuple)
    assert len(instances) == 2
    assert {i.image for i in instances} == {"ami-0a1000000000001"}
    victim = instances[0].id
    ec2 = product.aws.client("ec2")
    ec2.modify_instance_attribute(InstanceId=victim, InstanceType={"Value": "m7g.large"})
    (row,) = product.plan().drift
    assert (row.resource, row.field) == (f"instance/{victim}", "instances.type")
    assert (row.want, row.live) == ("t4g.small", "m7g.large")
