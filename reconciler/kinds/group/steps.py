"""All that we may do with Auto Scaling groups. No step edits, stops, reboots or logs in to an instance."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from reconciler.core.facts import Tags
from reconciler.core.ids import Arn, InstanceId, ResourceName
from reconciler.core.quick import quick
from reconciler.kinds.group.want import Group, Members, Policy, Schedule, Sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateGroup:
    """Start a revision beside what runs; what runs is not touched (autoscaling:CreateAutoScalingGroup)."""

    op: ClassVar[str] = "create-group"
    group: Group
    sizes: Sizes
    tags: Tags
    attached: bool  # born in the target groups of `attach`
    because: str = ""

    @property
    def name(self) -> ResourceName:
        """The group's name."""
        return self.group.name


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSizes:
    """Write min, max and desired together (autoscaling:UpdateAutoScalingGroup)."""

    op: ClassVar[str] = "set-sizes"
    name: ResourceName
    expect: Sizes  # what the read said; another live triple refuses the write
    sizes: Sizes
    because: str = ""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateGroup:
    """Change settings that no instance notices (autoscaling:UpdateAutoScalingGroup)."""

    op: ClassVar[str] = "update-group"
    name: ResourceName
    members: Members
    because: str = ""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class TagGroup:
    """Put or drop tags of a group (autoscaling:CreateOrUpdateTags, DeleteTags)."""

    op: ClassVar[str] = "tag-group"
    name: ResourceName
    put: Tags = ()
    drop: tuple[str, ...] = ()
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutPolicy:
    """Write one scaling policy (autoscaling:PutScalingPolicy)."""

    op: ClassVar[str] = "put-policy"
    name: ResourceName
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletePolicy:
    """Take one scaling policy away (autoscaling:DeletePolicy)."""

    op: ClassVar[str] = "delete-policy"
    name: ResourceName
    policy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PutSchedule:
    """Write one scheduled action (autoscaling:PutScheduledUpdateGroupAction)."""

    op: ClassVar[str] = "put-schedule"
    name: ResourceName
    schedule: Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteSchedule:
    """Take one scheduled action away (autoscaling:DeleteScheduledAction)."""

    op: ClassVar[str] = "delete-schedule"
    name: ResourceName
    schedule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeProcesses:
    """Let suspended processes run again, by name (autoscaling:ResumeProcesses)."""

    op: ClassVar[str] = "resume-processes"
    name: ResourceName
    processes: tuple[str, ...]
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach:
    """Register a group in target groups and classic balancers that exist (autoscaling:Attach...)."""

    op: ClassVar[str] = "attach"
    name: ResourceName
    target_groups: tuple[Arn, ...]
    classic: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detach:
    """Take a group out of target groups and classic balancers, drained (autoscaling:Detach...)."""

    op: ClassVar[str] = "detach"
    name: ResourceName
    target_groups: tuple[Arn, ...]
    classic: tuple[str, ...]
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceInstance:
    """Have the group replace one instance (autoscaling:TerminateInstanceInAutoScalingGroup, size kept)."""

    op: ClassVar[str] = "replace-instance"
    name: ResourceName
    instance: InstanceId
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteGroup:
    """Delete a group that holds no instance, gracefully (autoscaling:DeleteAutoScalingGroup)."""

    op: ClassVar[str] = "delete-group"
    name: ResourceName
    because: str = ""


GroupStep: TypeAlias = (
    CreateGroup
    | SetSizes
    | UpdateGroup
    | TagGroup
    | PutPolicy
    | DeletePolicy
    | PutSchedule
    | DeleteSchedule
    | ResumeProcesses
    | Attach
    | Detach
    | ReplaceInstance
    | DeleteGroup
)
