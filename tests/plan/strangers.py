"""What somebody else has under a name that we want."""

from reconciler.core.ids import Arn
from reconciler.kinds.balancer.live import LiveBalancer, LiveTargetGroup
from tests.worlds import CHECK


def foreign_target_group(name: str) -> LiveTargetGroup:
    """A target group of somebody else's under a name that we want."""
    return LiveTargetGroup(
        arn=Arn(f"arn:targetgroup/{name}"),
        name=name,
        port=80,
        protocol="HTTP",
        protocol_version="HTTP1",
        vpc="vpc-1",
        check=CHECK,
        balancers=(),
        tags=(("Name", "theirs"),),
        attributes=(),
    )


def foreign_balancer(name: str) -> LiveBalancer:
    """A balancer of somebody else's under a name that we want."""
    return LiveBalancer(
        arn=Arn(f"arn:loadbalancer/{name}"),
        name=name,
        dns_name="theirs.example",
        zone="ZELB",
        state="active",
        type="application",
        scheme="internal",
        subnets=("subnet-a", "subnet-b"),
        security_groups=(),
        ip_type="ipv4",
        tags=(("Name", "theirs"),),
        listeners=(),
        attributes=(),
        web_acl="",
    )
