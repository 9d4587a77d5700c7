"""What was observed of instances."""

from dataclasses import dataclass

from reconciler.core.ids import AmiId, InstanceId


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveInstance:
    """A running instance of a group, as EC2 sees it. Source: ec2:DescribeInstances.

    Its image may be another than it was launched from: a root volume can be replaced under it.
    """

    id: InstanceId
    image: AmiId
    type: str
    security_groups: tuple[str, ...]  # ids, of its primary interface: what else it attaches is its own
    profile: str  # name of the instance profile, or nothing
    metadata: tuple[tuple[str, str], ...]  # options of the metadata service by AWS's names
