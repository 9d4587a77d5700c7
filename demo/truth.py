"""What AWS itself says, read past the product: each step of the story is verified against this."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

REGION = "eu-west-1"
ZONE = "example.com."


@dataclass(frozen=True)
class Truth:
    """A plain AWS client of the story's account."""

    url: str

    @cached_property
    def _session(self) -> Any:
        import boto3  # noqa: TID251  # the demo looks at AWS past the product

        return boto3.Session(
            aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="example", region_name=REGION
        )

    def client(self, service: str) -> Any:
        """Return a client of one service."""
        return self._session.client(service, endpoint_url=self.url)

    @cached_property
    def autoscaling(self) -> Any:
        """The Auto Scaling client."""
        return self.client("autoscaling")

    @cached_property
    def route53(self) -> Any:
        """The Route 53 client."""
        return self.client("route53")

    @cached_property
    def elbv2(self) -> Any:
        """The client of balancers."""
        return self.client("elbv2")

    @cached_property
    def zone_id(self) -> str:
        """Id of the company's zone."""
        zones = self.route53.list_hosted_zones()["HostedZones"]
        return str(next(z["Id"].rpartition("/")[2] for z in zones if z["Name"] == ZONE))

    def groups(self, fleet: str = "") -> list[dict[str, Any]]:
        """Return the groups of one fleet, or of all, that are not being deleted."""
        pages = self.autoscaling.get_paginator("describe_auto_scaling_groups").paginate()
        found = []
        for group in (g for page in pages for g in page["AutoScalingGroups"]):
            tags = {t["Key"]: t["Value"] for t in group["Tags"]}
            group["Tagged"] = tags
            name = tags.get("reconciler:fleet")
            if name and (not fleet or name == fleet) and not group.get("Status"):
                found.append(group)
        return found

    def names(self, fleet: str = "") -> list[str]:
        """Return the names of those groups."""
        return sorted(g["AutoScalingGroupName"] for g in self.groups(fleet))

    def ready(self, fleet: str) -> bool:
        """Are all instances of a fleet's only group in service."""
        groups = self.groups(fleet)
        return len(groups) == 1 and in_service(groups[0]) >= groups[0]["DesiredCapacity"] > 0

    def weights(self, name: str) -> dict[str, int]:
        """Return the weights of a name's weighted records, by set identifier."""
        sets = self.route53.list_resource_record_sets(HostedZoneId=self.zone_id)["ResourceRecordSets"]
        wanted = f"{name}.{ZONE}"
        return {r["SetIdentifier"]: r["Weight"] for r in sets if r["Name"] == wanted and "Weight" in r}

    def shares(self, fleet: str) -> dict[str, int]:
        """Return the weights of a fleet's target groups in its rule of the shared listener, by name."""
        found: dict[str, int] = {}
        for rule in self.elbv2.describe_rules(ListenerArn=self.shared_listener)["Rules"]:
            for action in rule["Actions"]:
                groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
                found |= {g["TargetGroupArn"].split("/")[1]: g.get("Weight", 1) for g in groups}
        return {name: weight for name, weight in found.items() if name.startswith(f"{fleet}-")}

    @cached_property
    def shared_listener(self) -> str:
        """ARN of the listener of the balancer `shared`."""
        (balancer,) = self.elbv2.describe_load_balancers(Names=["shared"])["LoadBalancers"]
        (listener,) = self.elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        return str(listener["ListenerArn"])

    def tombstone(self, name: str) -> str:
        """Return what a launch template remembers of the failure of its revision."""
        (found,) = self.client("ec2").describe_launch_templates(LaunchTemplateNames=[name])["LaunchTemplates"]
        return next((str(t["Value"]) for t in found["Tags"] if t["Key"] == "reconciler:failed"), "")

    def record_count(self) -> int:
        """Return how many record sets the zone holds."""
        return len(self.route53.list_resource_record_sets(HostedZoneId=self.zone_id)["ResourceRecordSets"])


def in_service(group: dict[str, Any]) -> int:
    """Count the instances of a group that are in service."""
    return sum(i["LifecycleState"] == "InService" for i in group["Instances"])


@dataclass
class Watch:
    """Watches weights while they move: they may never sum to nothing."""

    look: Callable[[], dict[str, int]]
    seen: list[dict[str, int]] = field(default_factory=list)
    _end: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._look()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._end.set()
        if self._thread:
            self._thread.join(timeout=10)
        self._look()

    def _run(self) -> None:
        while not self._end.wait(0.25):
            self._look()

    def _look(self) -> None:
        now = self.look()
        if not self.seen or self.seen[-1] != now:
            self.seen.append(now)

    @property
    def never_dark(self) -> bool:
        """Did somebody answer at every look."""
        return bool(self.seen) and all(sum(w.values()) > 0 for w in self.seen)
