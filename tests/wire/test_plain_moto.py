"""The same product on moto as it is, without our overlay: it is not fitted to its own emulator.

Plain moto knows no time: everything is ready at once, so only the clients' TTL and drain are waited for,
and its clock can't be moved. The stories here end where a wait would begin that takes real minutes.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.plan.model import ActionKind
from tests.emulated import Emulated, emulator
from tests.product import Product, one_pass
from tests.wire.company import BALANCER, base, fleet, zone

pytestmark = pytest.mark.wire

MOST = 200  # passes: a few seconds of them
SOON = timedelta(seconds=10)  # plain moto keeps real time: what is due by then is worth a few more passes
ATTACHED = '\n  traffic: {{attach: {{targetGroups: ["{arn}"]}}}}\n'
BEHIND = """
  traffic:
    listener: {{arn: "{arn}", priority: 10, hosts: [web.example.com], paths: [/*]}}
    targetGroup: {{port: 8080, protocol: HTTP, health: {{path: /healthz, interval: 10s}}, drain: 0s}}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Emulated]:
    with emulator(plain=True) as running:
        yield running


@pytest.fixture
def world(server: Emulated) -> dict[str, str]:
    """A network, an image, a zone, and a balancer of others, made by plain calls."""
    server.control.reset()
    ec2, elb = server.client("ec2"), server.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"eu-west-1{z}")["Subnet"][
            "SubnetId"
        ]
        for n, z in enumerate("ab")
    ]
    ec2.create_tags(Resources=subnets, Tags=[{"Key": "tier", "Value": "app"}])
    for name in ("web", "lb"):
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)
    ami = ec2.register_image(Name="base", Architecture="arm64")["ImageId"]
    server.client("route53").create_hosted_zone(Name="example.com", CallerReference="one")
    shared = elb.create_load_balancer(Name="shared", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    target = elb.create_target_group(Name="old", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0][
        "TargetGroupArn"
    ]
    listener = elb.create_listener(
        LoadBalancerArn=shared,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target}],
    )["Listeners"][0]["ListenerArn"]
    return {"ami": ami, "target": target, "listener": listener}


@pytest.fixture
def product(server: Emulated, world: dict[str, str], tmp_path: Path) -> Product:
    return Product(aws=server, folder=tmp_path)


def passes(product: Product) -> Any:
    """Make passes until nothing moves and nothing is due within seconds; return the item of the fleet."""
    with product.session() as session:
        for _ in range(MOST):
            last = one_pass(session)
            assert last.failed == ()
            item = next(i for i in last.plan.items if i.kind == "Fleet")
            due = item.wait and (item.wait.until or last.plan.as_of) < last.plan.as_of + SOON
            if not last.outcomes and not due:
                return item
    raise AssertionError(f"it still waits: {item.wait}")


def story(product: Product, ami: str, traffic: str) -> tuple[str, list[str]]:
    """A birth, and a replacement up to where all traffic has moved; return the old name and the names now."""
    documents = {"target.yaml": base(ami).replace("arm64", "x86_64"), "zone.yaml": zone()}
    product.commit({**documents, "fleets/web.yaml": fleet(traffic)})
    born = passes(product)
    assert born.blocked is None
    (old,) = names(product)
    product.commit({"fleets/web.yaml": fleet(traffic, launch='generation: "2"')})
    item = passes(product)
    assert item.action is ActionKind.REPLACE
    assert item.blocked is None
    return old, names(product)


def names(product: Product) -> list[str]:
    raws = product.aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    return sorted(g["AutoScalingGroupName"] for g in raws)


def test_a_worker_fleet_comes_up_and_is_replaced(product: Product, world: dict[str, str]) -> None:
    old, now = story(product, world["ami"], "")
    assert len(now) == 2
    raws = product.aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    sizes = {g["AutoScalingGroupName"]: g["DesiredCapacity"] for g in raws}
    assert sizes.pop(old) == 0, "kept at size 0"
    assert list(sizes.values()) == [2]


def test_a_fleet_behind_its_own_balancer_comes_up_and_takes_all_weight(
    product: Product, world: dict[str, str]
) -> None:
    product.commit(
        {
            "target.yaml": base(world["ami"]).replace("arm64", "x86_64"),
            "zone.yaml": zone(),
            "fleets/web.yaml": fleet(BALANCER),
        }
    )
    assert passes(product).blocked is None
    client = product.aws.client("route53")
    zone_id = client.list_hosted_zones()["HostedZones"][0]["Id"]
    raws = client.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    weights = {r["SetIdentifier"]: r["Weight"] for r in raws if "Weight" in r}
    assert list(weights.values()) == [255]


def test_a_fleet_behind_a_listener_is_replaced_by_weights(product: Product, world: dict[str, str]) -> None:
    old, now = story(product, world["ami"], BEHIND.format(arn=world["listener"]))
    elb = product.aws.client("elbv2")
    arns = {t["TargetGroupArn"]: t["TargetGroupName"] for t in elb.describe_target_groups()["TargetGroups"]}
    rules = elb.describe_rules(ListenerArn=world["listener"])["Rules"]
    (ours,) = [r for r in rules if r["Priority"] == "10"]
    weights = {
        arns[t["TargetGroupArn"]]: t["Weight"] for t in ours["Actions"][0]["ForwardConfig"]["TargetGroups"]
    }
    assert set(weights) <= set(now)
    assert weights[old] == 0
    assert sum(weights.values()) == 100


def test_a_fleet_attached_to_a_target_group_comes_up_registered(
    product: Product, world: dict[str, str]
) -> None:
    old, now = story(product, world["ami"], ATTACHED.format(arn=world["target"]))
    raws = product.aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    attached = [g["AutoScalingGroupName"] for g in raws if world["target"] in g["TargetGroupARNs"]]
    assert attached == [n for n in now if n != old]
