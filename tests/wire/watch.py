"""What AWS holds of one fleet, read past the product, and the invariants that it keeps at every moment."""

from dataclasses import dataclass, field
from typing import Any, Final

from tests.emulated import Emulated
from tests.product import tags
from tests.wire.company import LISTENER, SHARED

LEAST: Final = 2  # instances that git asks for


@dataclass(slots=True)
class Watch:
    """Reads AWS past the product at every write or kill, and holds the invariants against what it says."""

    aws: Emulated
    kind: str
    least: int = LEAST
    swaps: bool = False  # `recreate`: the old one goes first, so nothing serves for a while
    served: bool = False  # since then somebody must answer
    seen: list[dict[str, int]] = field(default_factory=list)  # weights, each time that they were others
    most: int = 0  # instances that ran at a time

    def look(self) -> None:
        """Check: weights never all zero, and what serves is never smaller than git asks."""
        groups = self.groups()
        weights = self.weights(groups)
        if weights and weights not in self.seen[-1:]:
            self.seen.append(weights)
        running = {n: sum(_runs(i) for i in g["Instances"]) for n, g in groups.items()}
        assert not self.swaps or sum(n > 0 for n in running.values()) <= 1, f"{running} run side by side"
        self.most = max(self.most, sum(running.values()))
        lost = self.swaps and self.kind in ("attach", "none")  # there what serves is what runs
        assert not self.served or lost or sum(weights.values()) > 0, "nobody has weight"
        serving = self.serving(weights, groups)
        assert not self.served or self.swaps or serving >= self.least, f"{serving} instances serve, {weights}"
        self.served = self.served or serving >= self.least

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

    def weights(self, groups: dict[str, Any] | None = None) -> dict[str, int]:
        """Return who has how much traffic, by group."""
        if self.kind == "balancer":
            return {r["SetIdentifier"].partition(".")[2]: r["Weight"] for r in self.records()}
        if self.kind == "listener":
            return self.rule()
        groups = self.groups() if groups is None else groups
        if self.kind == "attach":
            return {n: 1 for n, g in groups.items() if SHARED in g["TargetGroupARNs"]}
        return {n: 1 for n, g in groups.items() if g["DesiredCapacity"]}

    def serving(self, weights: dict[str, int], groups: dict[str, Any] | None = None) -> int:
        """Count instances that answer, of the groups that have traffic.

        Of weights it is what the one that is worst off for its share can carry: a tenth of the traffic
        needs a tenth of what git asks for.
        """
        groups = self.groups() if groups is None else groups
        ready = {n: sum(_serves(i) for i in g["Instances"]) for n, g in groups.items()}
        total = sum(weights.values())
        if self.kind == "attach":
            healthy = self.healthy()
            return sum(i["InstanceId"] in healthy for n in weights for i in groups[n]["Instances"])
        if self.kind == "none" or not total:
            return sum(ready.get(n, 0) for n, w in weights.items() if w)
        return min(int(ready.get(n, 0) * total / w) for n, w in weights.items() if w)

    def healthy(self) -> set[str]:
        """Return the targets that pass their checks in the target group of others."""
        found = self.aws.client("elbv2").describe_target_health(TargetGroupArn=SHARED)
        return {
            d["Target"]["Id"]
            for d in found["TargetHealthDescriptions"]
            if d["TargetHealth"]["State"] == "healthy"
        }

    def instances(self, name: str) -> set[str]:
        """Return the ids of a group's instances."""
        return {i["InstanceId"] for i in self.groups()[name]["Instances"]}

    def stages(self) -> dict[str, str]:
        """Return what each group remembers of its rollout: the stage alone."""
        return {name: _stage(g).partition("/")[0] for name, g in self.groups().items()}

    def stage(self, name: str) -> str:
        """Return all that a group remembers of its rollout."""
        group = self.groups().get(name)
        return _stage(group) if group else ""

    def tombstones(self) -> dict[str, str]:
        """Return what each failed revision's template remembers: the reason alone."""
        found = self.aws.client("ec2").describe_launch_templates()["LaunchTemplates"]
        marks = {t["LaunchTemplateName"]: tags(t).get("reconciler:failed", "") for t in found}
        return {name: text.split(";", 2)[2] for name, text in marks.items() if text}

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


def _stage(group: dict[str, Any]) -> str:
    return tags(group).get("reconciler:stage", "")


def _runs(instance: dict[str, Any]) -> bool:
    return not str(instance["LifecycleState"]).startswith("Terminat")


def _serves(instance: dict[str, Any]) -> bool:
    return bool(instance["LifecycleState"] == "InService")


def assert_one_whole(watch: Watch, *, dead: tuple[str, ...] = ()) -> None:
    """One revision is left with all that its kind of traffic needs, and nothing of any other but tombstones."""
    left = watch.left()
    assert set(watch.tombstones()) == set(dead), watch.tombstones()
    left["templates"] = [n for n in left["templates"] if n not in dead]
    assert {kind: len(names) for kind, names in left.items()} == dict.fromkeys(WHOLE[watch.kind], 1), left
    assert {n for names in left.values() for n in names} == set(watch.groups())
