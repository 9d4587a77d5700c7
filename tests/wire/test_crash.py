"""A rollout in which the process is killed after every mutating call, and started again.

Each life of the product ends with SIGKILL while AWS holds the reply of a write whose effect is there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.gateway.allow import ALLOWED
from reconciler.plan.standing import Standing
from tests.emulated import Emulated
from tests.lives import Lives, lives
from tests.product import Product, assert_in_sync
from tests.wire.company import LISTENER, NEW_AMI, SHARED, TRAFFIC, base, files, fleet, zone

pytestmark = pytest.mark.wire

READ = ALLOWED["ec2", "DescribeImages"]  # what stands for a call of the test's own that is on no list
LEAST = 2  # instances that git asks for
MOST = 80  # mutating calls of any of these stories


@dataclass(slots=True)
class Watch:
    """Reads AWS past the product at every kill, and holds the invariants against what it says."""

    aws: Emulated
    kind: str
    served: bool = False  # since then somebody must answer
    seen: list[dict[str, int]] = field(default_factory=list)

    def look(self) -> None:
        """Check: weights never all zero, and what serves is never smaller than git asks."""
        weights = self.weights()
        if weights and weights not in self.seen[-1:]:
            self.seen.append(weights)
        serving = self.serving(weights)
        assert not self.served or sum(weights.values()) > 0, "nobody has weight"
        assert not self.served or serving >= LEAST, f"{serving} instances serve, {weights}"
        self.served = self.served or serving >= LEAST

    def groups(self) -> dict[str, Any]:
        """Return the fleet's groups by name."""
        raws = self.aws.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        return {g["AutoScalingGroupName"]: g for g in raws if g["AutoScalingGroupName"].startswith("web-")}

    def target_groups(self) -> dict[str, str]:
        """Return ARN to name of the fleet's target groups."""
        raws = self.aws.client("elbv2").describe_target_groups()["TargetGroups"]
        return {
            t["TargetGroupArn"]: t["TargetGroupName"] for t in raws if t["TargetGroupName"].startswith("web-")
        }

    def rule(self) -> dict[str, int]:
        """Return the weights of the fleet's rule, by group."""
        raws = self.aws.client("elbv2").describe_rules(ListenerArn=LISTENER)["Rules"]
        ours = next((r for r in raws if r["Priority"] == "10"), None)
        names = self.target_groups()
        found = ours["Actions"][0]["ForwardConfig"]["TargetGroups"] if ours else []
        return {names[t["TargetGroupArn"]]: t["Weight"] for t in found}

    def records(self) -> list[dict[str, Any]]:
        """Return the fleet's records."""
        client = self.aws.client("route53")
        zone_id = client.list_hosted_zones()["HostedZones"][0]["Id"]
        raws = client.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
        return [r for r in raws if r["Name"] == "web.example.com." and "Weight" in r]

    def weights(self) -> dict[str, int]:
        """Return who has how much traffic, by group."""
        if self.kind == "balancer":
            return {r["SetIdentifier"].partition(".")[2]: r["Weight"] for r in self.records()}
        if self.kind == "listener":
            return self.rule()
        if self.kind == "attach":
            return {n: 1 for n, g in self.groups().items() if SHARED in g["TargetGroupARNs"]}
        return {n: 1 for n, g in self.groups().items() if g["DesiredCapacity"]}

    def serving(self, weights: dict[str, int]) -> int:
        """Count instances in service of the groups that have traffic."""
        groups = self.groups()
        return sum(
            i["LifecycleState"] == "InService"
            for name, weight in weights.items()
            if weight and name in groups
            for i in groups[name]["Instances"]
        )

    def left(self) -> dict[str, list[str]]:
        """Return all that AWS holds of the fleet, by kind, by name."""
        templates = self.aws.client("ec2").describe_launch_templates()["LaunchTemplates"]
        balancers = self.aws.client("elbv2").describe_load_balancers()["LoadBalancers"]
        found = {
            "groups": list(self.groups()),
            "templates": [t["LaunchTemplateName"] for t in templates],
            "target groups": list(self.target_groups().values()),
            "balancers": [
                b["LoadBalancerName"] for b in balancers if b["LoadBalancerName"].startswith("web-")
            ],
            "records": [r["SetIdentifier"].partition(".")[2] for r in self.records()],
            "rule": list(self.rule()),
        }
        return {kind: names for kind, names in found.items() if names}


WHOLE = {
    "balancer": {"groups", "templates", "target groups", "balancers", "records"},
    "listener": {"groups", "templates", "target groups", "rule"},
    "attach": {"groups", "templates"},
    "none": {"groups", "templates"},
}
"""What a fleet that is in sync has, of each kind exactly one."""


@pytest.fixture
def born(product: Product, aws: Emulated, tmp_path: Path) -> Iterator[Lives]:
    """A mother of lives over the product's repository."""
    with lives(aws, product.company.bare, tmp_path / "cache") as mother:
        yield mother


def live_and_die(mother: Lives, watch: Watch | None, *, spare: int = 0) -> int:
    """Kill the product after each of its writes until it ends by itself; return how often.

    `spare` lets so many writes go by between two kills. A write that only repeats the one that the last
    life died of (the same records again, whose change id was lost with it) is let by once: the kill
    comes after the write that remembers it.
    """
    control, last, repeated = mother.aws.control, "", 0
    for kills in range(MOST):
        control.clear_faults()
        before = len(control.calls())
        fault = control.fault("hang", writes=True, times=1, after=spare + repeated)
        said = mother.live(fault)
        control.clear_faults()
        if watch:
            watch.look()
        if said is not None:
            assert said == Standing.CONVERGED, said
            return kills
        wrote = [
            c for c in control.calls()[before:] if ALLOWED.get((c["service"], c["operation"]), READ).writes
        ]
        now = f"{wrote[-1]['operation']} {wrote[-1]['params']}"
        repeated, last = int(now == last), now
    raise AssertionError(f"not converged after {MOST} kills")


def births_and_replacement(product: Product, mother: Lives, traffic: str, spare: int) -> int:
    """Tell the story of a fleet's birth and its replacement by a new image; return the kills."""
    watch = Watch(mother.aws, traffic)
    product.commit(files(TRAFFIC[traffic]))
    kills = live_and_die(mother, watch, spare=spare)
    (first,) = watch.groups()
    assert watch.served
    product.commit({"target.yaml": base(NEW_AMI)})
    kills += live_and_die(mother, watch, spare=spare)
    left = watch.left()
    assert set(left) == WHOLE[traffic]
    assert {len(names) for names in left.values()} == {1}, left
    assert len({n for names in left.values() for n in names}) == 1, left
    assert first not in left["groups"]
    assert_in_sync(product.plan())
    return kills


@pytest.mark.crash
@pytest.mark.parametrize("traffic", TRAFFIC)
def test_killed_after_every_write_a_fleet_comes_up_and_is_replaced(
    product: Product, born: Lives, traffic: str
) -> None:
    assert births_and_replacement(product, born, traffic, spare=0) >= 10


@pytest.mark.parametrize("traffic", ["balancer", "listener"])
def test_killed_after_every_third_write_a_fleet_comes_up_and_is_replaced(
    product: Product, born: Lives, traffic: str
) -> None:
    assert births_and_replacement(product, born, traffic, spare=2) >= 5


@pytest.mark.parametrize("traffic", ["attach", "none"])
def test_killed_after_every_write_a_fleet_without_weights_is_replaced(
    product: Product, born: Lives, traffic: str
) -> None:
    product.commit(files(TRAFFIC[traffic]))
    product.settle()
    watch = Watch(born.aws, traffic)
    watch.look()
    product.commit({"target.yaml": base(NEW_AMI)})
    assert live_and_die(born, watch) >= 4
    assert {kind: len(names) for kind, names in watch.left().items()} == dict.fromkeys(WHOLE[traffic], 1)
    assert_in_sync(product.plan())


@pytest.mark.crash
@pytest.mark.parametrize("traffic", TRAFFIC)
def test_killed_after_every_write_a_fleet_that_left_git_leaves_nothing(
    product: Product, born: Lives, traffic: str
) -> None:
    product.commit({**files(TRAFFIC[traffic]), "fleets/other.yaml": fleet(name="other")})
    product.settle()
    product.commit({"fleets/web.yaml": None})
    live_and_die(born, None)
    left = Watch(born.aws, traffic).left()
    assert {n for names in left.values() for n in names if n.startswith("web-")} == set()
    assert_in_sync(product.plan())


RECORDS = """
    - {name: www, type: A, ttl: 60, values: [192.0.2.1]}
    - {name: files, type: A, ttl: 60, weighted: [{id: a, weight: 1, values: [192.0.2.2]}, {id: b, weight: 1, values: [192.0.2.3]}]}
    - {name: "@", type: TXT, ttl: 300, values: [one]}
"""


def test_killed_after_every_write_a_zone_comes_to_what_git_declares(product: Product, born: Lives) -> None:
    product.commit({**files(""), "zone.yaml": zone(RECORDS)})
    assert live_and_die(born, None) >= 4
    changed = RECORDS.replace("192.0.2.1", "192.0.2.9").replace("one", "two")
    product.commit({"zone.yaml": zone(changed)})
    assert live_and_die(born, None) >= 3
    product.commit({"zone.yaml": zone(changed.replace("    - {name: www", "    #"))})
    live_and_die(born, None)
    assert_in_sync(product.plan())
