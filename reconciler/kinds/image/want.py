"""Where an image comes from, in one target."""

from dataclasses import dataclass

from reconciler.core.ids import AmiId, ImageName


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An Image document as it stands for one target. One of `ami`, `newest_*` and `parameter` is there."""

    name: ImageName
    architecture: str
    ami: AmiId | None = None
    newest_owner: str = ""
    newest_name: str = ""
    parameter: str = ""
    pin: AmiId | None = None
