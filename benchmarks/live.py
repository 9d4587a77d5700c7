"""Makes a world: the product brings an emulated AWS to what git says, and what a pass reads is recorded.

`python -m benchmarks.live FLEETS FOLDER` leaves in FOLDER the repository, the mirror, `replies.json`, and
`world.json`, which holds how many of each thing there are. The product makes everything itself, so that
nothing of a benchmark rests on somebody's idea of what the product would have made.
"""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.documents import AUDITED, DOMAIN, OWNER, history
from benchmarks.floor import Things
from benchmarks.reader import Reader
from benchmarks.replay import Replies, Server
from tests.emulated import Emulated, emulator
from tests.product import Product, environment

QUICK = dict.fromkeys(("boot", "healthy", "terminate", "delete", "insync", "provision"), 0.0)  # seconds


def network(aws: Emulated) -> None:
    """Make a network with room for thousands of instances, in two availability zones."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.64.0.0/16")["Vpc"]["VpcId"]
    for letter, block in zip("ab", ("10.64.0.0/18", "10.64.64.0/18"), strict=True):
        tags = [{"ResourceType": "subnet", "Tags": [{"Key": "tier", "Value": "bench"}]}]
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=block, AvailabilityZone=f"eu-west-1{letter}", TagSpecifications=tags
        )
    for name in ("app", "balancer"):
        ec2.create_security_group(VpcId=vpc, GroupName=name, Description=f"of the {name}")


def count(aws: Emulated) -> Things:
    """Count what a pass has to read."""

    def entries(service: str, operation: str, key: str, **params: Any) -> int:
        pages = aws.client(service).get_paginator(operation).paginate(**params)
        return sum(len(page[key]) for page in pages)

    ours = [{"Name": "tag:reconciler:owner", "Values": [OWNER]}]
    (zone,) = aws.client("route53").list_hosted_zones_by_name(DNSName=DOMAIN)["HostedZones"]
    record_sets = entries(
        "route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone["Id"]
    )
    return Things(
        groups=entries("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", Filters=ours),
        policies=entries("autoscaling", "describe_policies", "ScalingPolicies"),
        schedules=entries("autoscaling", "describe_scheduled_actions", "ScheduledUpdateGroupActions"),
        templates=entries("ec2", "describe_launch_templates", "LaunchTemplates", Filters=ours),
        balancers=entries("elbv2", "describe_load_balancers", "LoadBalancers"),
        target_groups=entries("elbv2", "describe_target_groups", "TargetGroups"),
        records=(record_sets,),
        subnets=entries("ec2", "describe_subnets", "Subnets"),
        security_groups=entries("ec2", "describe_security_groups", "SecurityGroups"),
        instances=entries("autoscaling", "describe_auto_scaling_instances", "AutoScalingInstances"),
    )


@contextmanager
def recording(aws: Emulated) -> Iterator[tuple[Replies, str]]:
    """Stand between a client and the emulator, and remember every reply."""
    server = Server(Replies(upstream=aws.url))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.replies, server.url
    finally:
        server.shutdown()
        server.server_close()


def record(product: Product, aws: Emulated) -> Replies:
    """Record what a cold pass, a warm pass, a pass with its turn of the audit, and the bare reader read."""
    from benchmarks.passes import look, opened

    with recording(aws) as (replies, url), environment({**aws.env(), "AWS_ENDPOINT_URL": url}):
        with opened(product.company.bare, product.folder / "cache") as passes:
            look(passes)
            plan = look(passes, audited=AUDITED).plan
            look(passes)
        assert plan is not None
        assert not any(i.now or i.wait or i.blocked for i in plan.items), "the world is not in sync"
        assert plan.complete, plan.unread
        assert not plan.drift, plan.drift
        Reader().read(bodies=True)
        return replies


def make(fleets: int, folder: Path) -> None:
    """Make the world and record it."""
    with emulator(company=True) as aws:
        network(aws)
        aws.control.physics(**QUICK)
        product = Product(aws=aws, folder=folder)
        for files in history(fleets):
            product.commit(files)
            product.converge()
            aws.control.clear_calls()
        aws.control.advance(timedelta(hours=1))
        record(product, aws).save(folder / "replies.json")
        (folder / "world.json").write_text(json.dumps(count(aws).as_json()))


if __name__ == "__main__":
    make(int(sys.argv[1]), Path(sys.argv[2]))
