"""After each apply: read back, plan again, empty. For every kind, and for all that changes in place."""

from dataclasses import dataclass

import pytest

from tests.product import Product
from tests.wire.company import BALANCER, BEHIND, NEW_AMI, TRAFFIC, base, files, fleet, zone

pytestmark = pytest.mark.wire

CPU = "  scaling: [{metric: cpu, target: 60}]\n"
NIGHT = '  scaling: [{cron: "0 20 * * 1-5", timezone: Europe/Dublin, min: 1, max: 3}]\n'
BACKLOG = (
    "  scaling: [{custom: {MetricName: Backlog, Namespace: Shop, Statistic: Average}, target: 100},"
    " {metric: networkIn, target: 1000000}]\n"
)
REQUESTS = "  scaling: [{metric: requestsPerTarget, target: 500}]\n"


@dataclass(frozen=True)
class Change:
    """A fleet before and after a change that no instance notices."""

    id: str
    old: str
    new: str
    target: str = ""  # more of the Target, after the change
    undone: bool = True  # taking it out of git is a change too


def of(id: str, traffic: str, *pairs: tuple[str, str]) -> Change:
    """Return a change of the fleet's traffic by text."""
    new = traffic
    for a, b in pairs:
        assert a in new
        new = new.replace(a, b)
    return Change(id, fleet(traffic), fleet(new))


PLAIN = fleet()
CHANGES = [
    Change("capacity", PLAIN, fleet(capacity="{min: 1, max: 6, desired: 3}")),
    Change("capacity to zero", PLAIN, fleet(capacity="{min: 0, max: 4, desired: 0}")),
    Change("grace of the health check", PLAIN, fleet(more="  health: {check: ec2, grace: 3m}\n")),
    Change("kind of health check", fleet(BEHIND), fleet(BEHIND, more="  health: {check: elb}\n")),
    Change("a scaling policy", PLAIN, fleet(more=CPU)),
    Change("another scaling policy", fleet(more=CPU), fleet(more=CPU.replace("60", "45"))),
    Change("policies of other metrics", fleet(more=CPU), fleet(more=BACKLOG)),
    Change("a schedule", PLAIN, fleet(more=NIGHT)),
    Change("another schedule", fleet(more=NIGHT), fleet(more=NIGHT.replace("0 20", "30 21"))),
    Change(
        "group settings",
        PLAIN,
        fleet(more="  group: {warmup: 2m, capacityRebalance: true, maxInstanceLifetime: 168h}\n"),
    ),
    Change(
        "other members of the group",
        PLAIN,
        fleet(more="  group: {extra: {TerminationPolicies: [OldestInstance], DefaultCooldown: 120}}\n"),
        undone=False,  # a member that git does not name any more is nobody's: it stays
    ),
    Change("tags of the target", PLAIN, PLAIN, "tags: {env: prod, stage: one}"),
    of("drain of a target group", BALANCER, ("drain: 30s", "drain: 45s")),
    of(
        "attributes of a target group",
        BALANCER,
        ("drain: 30s", "drain: 30s, attributes: {slow_start.duration_seconds: '60'}"),
    ),
    of(
        "attributes of a balancer",
        BALANCER,
        ("scheme: internal", "scheme: internal\n      attributes: {idle_timeout.timeout_seconds: '75'}"),
    ),
    of("security groups of a balancer", BALANCER, ("{name: lb}", "{name: lb}, {name: web}")),
    of("health evaluation of a name", BALANCER, ("name: web}", "name: web, evaluateHealth: false}")),
    Change("requests per target", fleet(BALANCER), fleet(BALANCER, more=REQUESTS)),
    of("hosts of a rule", BEHIND, ("[web.example.com]", "[web.example.com, shop.example.com]")),
    of("paths of a rule", BEHIND, ("[/*]", "[/shop/*, /basket]")),
    of("drain behind a listener", BEHIND, ("drain: 30s", "drain: 15s")),
]


def names_of(old: str) -> str:
    """Return what changes a fleet goes through, by its document."""
    return ", ".join(c.id for c in CHANGES if c.old == old)


@pytest.mark.parametrize("traffic", TRAFFIC)
def test_a_fleet_comes_up_and_is_replaced_and_each_time_the_next_plan_is_empty(
    product: Product, traffic: str
) -> None:
    product.commit(files(TRAFFIC[traffic]))
    product.settle()
    (old,) = groups(product)
    product.commit({"target.yaml": base(NEW_AMI)})
    product.settle()
    (new,) = groups(product)
    assert new != old


@pytest.mark.parametrize("old", dict.fromkeys(c.old for c in CHANGES), ids=names_of)
def test_changes_in_place_and_their_undoing_are_written_once_and_then_the_plan_is_empty(
    product: Product, old: str
) -> None:
    product.commit({"target.yaml": base(), "zone.yaml": zone(), "web.yaml": old})
    product.settle()
    before = groups(product)
    changes = sorted((c for c in CHANGES if c.old == old), key=lambda c: c.undone, reverse=True)
    for change in changes:
        for target, text in ((change.target, change.new), ("", change.old))[: 1 + change.undone]:
            product.commit({"target.yaml": base(target=target), "web.yaml": text})
            planned = product.plan()
            told = [(i.kind, str(i.action)) for i in planned.items if i.because]
            assert told == [("Fleet", "update")], change.id
            product.settle()
            assert groups(product) == before, change.id


def groups(product: Product) -> list[str]:
    """Return the names of all groups."""
    found = product.aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    return sorted(g["AutoScalingGroupName"] for g in found)
