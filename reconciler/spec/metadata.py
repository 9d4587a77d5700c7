"""What stands above every spec."""

from pydantic import Field

from reconciler.core.base import Name, Spec, StringMap


class Metadata(Spec):
    """Name, labels and protection of a document."""

    name: Name = Field(description="Unique for its kind. Lower-case letters, digits and hyphens, at most 31.")
    labels: StringMap = Field(
        (), description="Select in the command line and stand in logs; never become tags."
    )
    protect: bool = Field(
        default=False, description="Not retired by the commit that removes it: take this off first."
    )
    suspend: None = Field(None, description="Refused for now: it comes with rollouts that can be paused.")
