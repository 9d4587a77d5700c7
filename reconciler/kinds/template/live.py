"""What was observed of launch templates."""

from dataclasses import dataclass

from reconciler.core.facts import FAILED, Tags, tag
from reconciler.core.ids import AmiId, ResourceName
from reconciler.core.lazy import lazy


@dataclass(frozen=True, kw_only=True)
class LiveTemplate:
    """A launch template with the body of its default version.

    Source: ec2:DescribeLaunchTemplates and ec2:DescribeLaunchTemplateVersions (`$Default`).
    """

    id: str
    name: ResourceName
    default_version: int
    latest_version: int
    image: AmiId
    body: str  # canonical JSON of ResponseLaunchTemplateData
    tags: Tags

    @lazy
    def failed(self) -> str:
        """What `reconciler:failed` says (`hash;epoch;code`), or nothing."""
        return tag(self.tags, FAILED)
