"""What was observed of images."""

from dataclasses import dataclass

from reconciler.core.ids import AmiId, ImageName


@dataclass(frozen=True, slots=True, kw_only=True)
class Ami:
    """An AMI. Source: ec2:DescribeImages."""

    id: AmiId
    name: str
    architecture: str
    state: str  # available | pending | failed | disabled | ...
    created: str  # ISO 8601, as AWS gives it
    owner: str
    deprecated: str  # ISO 8601, or nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What an Image document's source gives now, in one target."""

    image: ImageName
    ami: AmiId | None
    why: str = ""  # why there is none
