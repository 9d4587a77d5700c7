"""Zones of other targets: who reads and writes them, and what becomes of one that can't be read."""

from dataclasses import replace

from reconciler.core.facts import TRAFFIC, Unread
from reconciler.core.ids import TargetName
from reconciler.daemon.lenders import lenders, place_of, with_borrowed
from reconciler.gateway.session import Place, open_aws
from reconciler.kinds.record.live import ZoneProblem
from reconciler.source.load import load
from reconciler.spec.desired import Desired
from tests.plan.house import BALANCED, HEAD, House, empty_world, fleet, zone

ROLE = "arn:aws:iam::210987654321:role/reconciler"
AWAY = f'{{account: "210987654321", region: us-east-1, owner: shop, assumeRole: "{ROLE}"}}'
NEAR = '{account: "123456789012", region: eu-west-2, owner: shop}'
HOME = '{account: "123456789012", region: eu-west-1, owner: shop}'


def desired(*, named: bool = True) -> Desired:
    """Two targets with one's credentials and one with others; fleet web is named in the zone of `prod`."""
    targets = [
        HEAD.format(kind="Target", name=name, more="") + f"  {spec}\n"
        for name, spec in (("prod", HOME), ("near", NEAR), ("away", AWAY))
    ]
    image = HEAD.format(kind="Image", name="base", more="") + (
        "  {targets: [prod, near, away], architecture: arm64, newest: {owner: self, name: base}}\n"
    )
    web = fleet("web", BALANCED % "web" if named else "").replace("[prod]", "[away]")
    found = load({"all.yaml": "---\n".join([*targets, image, zone(), web]).encode()})
    assert isinstance(found, Desired), [str(p) for p in found]
    return found


def test_a_zone_is_lent_only_to_targets_of_other_credentials() -> None:
    documents = desired()
    prod, near, away = (documents.target(n) for n in ("prod", "near", "away"))
    assert prod
    assert near
    assert away
    assert lenders(documents, prod) == lenders(documents, near) == {}
    assert lenders(documents, away) == {"example-com": place_of(prod)}
    assert place_of(away) == Place(
        target="away", account="210987654321", region="us-east-1", assume_role=ROLE
    )


def test_a_zone_that_can_not_be_read_is_unread_and_ends_no_pass() -> None:
    documents = desired()
    away = documents.target("away")
    assert away
    world = replace(empty_world(), target=TargetName("away"), zones=())
    with open_aws(place_of(away), writes=False) as aws:
        aws.stop()  # no call is sent any more
        (found,) = with_borrowed(aws, documents, away, world).zones
        assert [other.place.target for other in aws.beside] == ["prod"]
    assert isinstance(found, ZoneProblem)
    assert isinstance(found.unread, Unread)


def test_a_fleet_that_lost_its_name_in_git_is_still_looked_for_where_it_was() -> None:
    documents = desired(named=False)
    away = documents.target("away")
    assert away
    house = House().merge(
        HEAD.format(kind="Target", name="prod", more="") + f"  {HOME}\n",
        HEAD.format(kind="Image", name="base", more="")
        + "  {targets: [prod], architecture: arm64, ami: ami-0001}\n",
        zone(),
        fleet("web", "balancer"),
    )
    world = replace(house.converge().world, target=TargetName("away"), zones=())
    assert world.groups[0].tag(TRAFFIC) == "example-com"
    with open_aws(place_of(away), writes=False) as aws:
        aws.stop()
        assert [z.zone for z in with_borrowed(aws, documents, away, world).zones] == ["example-com"]
        nothing = replace(world, groups=())
        assert with_borrowed(aws, documents, away, nothing) is nothing
