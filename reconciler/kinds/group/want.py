"""What an Auto Scaling group of ours is to be."""

from dataclasses import dataclass, replace

from reconciler.core.facts import Tags
from reconciler.core.ids import Arn, ResourceName
from reconciler.core.quick import quick

Members = tuple[tuple[str, str], ...]
"""Members of an AWS request by name, each value in canonical JSON, sorted by name."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Sizes of a group, in instances."""

    min: int
    max: int
    desired: int

    def floor(self, least: int) -> "Sizes":
        """Return these sizes with at least `least` instances, inside the maximum."""
        low = min(max(self.min, least), self.max)
        desired = max(self.desired, low)
        return self if (low, desired) == (self.min, self.desired) else replace(self, min=low, desired=desired)

    def __str__(self) -> str:
        return f"{self.min}/{self.desired}/{self.max}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A lifecycle hook, given when the group is made."""

    name: str
    on: str  # launch | terminate
    timeout: int  # seconds
    result: str  # continue | abandon


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A target tracking policy."""

    name: str
    body: str  # canonical JSON of TargetTrackingConfiguration; the group's own label is put in when written


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A scheduled action: a switch of the sizes, not a window."""

    name: str
    cron: str
    timezone: str
    min: int
    max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The wanted group of one revision."""

    name: ResourceName
    sizes: Sizes
    autoscaled: bool  # any `scaling`: desired is the autoscaler's
    subnets: tuple[str, ...]
    target_groups: tuple[ResourceName, ...]  # our own, by name: the ARN is known once it is made
    attach_target_groups: tuple[Arn, ...]  # not ours
    attach_classic: tuple[str, ...]
    hooks: tuple[Hook, ...]
    policies: tuple[Policy, ...]
    schedules: tuple[Schedule, ...]
    health: Members  # HealthCheckType, HealthCheckGracePeriod
    settings: Members  # the other members that may change beside the revision
    mixed: str  # canonical JSON of the MixedInstancesPolicy without its template, or nothing
    birth: Members  # members given only when the group is made
    tags: Tags  # identity of this revision, without born, commit, applied
    extra_tags: Tags  # the Target's and the fleet's own
