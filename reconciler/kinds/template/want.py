"""What a launch template of ours is to hold."""

from dataclasses import dataclass

from reconciler.core.facts import Tags
from reconciler.core.ids import AmiId, ResourceName


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A launch template of one revision; made once, never given a second version."""

    name: ResourceName
    image: AmiId
    body: str  # canonical JSON of RequestLaunchTemplateData, user data in base64
    tags: Tags
