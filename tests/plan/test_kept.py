"""What one commit gives again at every plan."""

from dataclasses import replace

from reconciler.kinds.network.live import Subnet
from reconciler.plan.kept import Kept

SUBNET = Subnet(id="subnet-a", vpc="vpc-1", zone="eu-west-1a", free=200, tags=())


def test_a_launch_that_takes_an_address_makes_no_other_network() -> None:
    kept = Kept()
    network = kept.network((SUBNET,), ())
    assert kept.network((replace(SUBNET, free=199),), ()) is network
    assert kept.network((replace(SUBNET, tags=(("tier", "app"),)),), ()) is not network
