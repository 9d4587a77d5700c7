"""What stands above every spec."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from reconciler.core.base import Name, Spec, StringMap, Time
from reconciler.core.problem import RefusedError


class Suspend(Spec):
    """Nothing is written until a time, or until this is taken out; a rollout in flight still goes back."""

    reason: str = Field(
        min_length=1, max_length=200, description="Why; it is told wherever something is held."
    )
    by: str = Field("", max_length=60, description="Whom to ask.")
    until: Time | None = Field(
        None, description="When it ends by itself; until it is taken out, without this."
    )


class Metadata(Spec):
    """Name, labels and protection of a document."""

    name: Name = Field(description="Unique for its kind. Lower-case letters, digits and hyphens, at most 31.")
    labels: StringMap = Field(
        (), description="Select in the command line and stand in logs; never become tags."
    )
    protect: bool = Field(
        default=False, description="Not retired by the commit that removes it: take this off first."
    )
    suspend: Suspend | None = Field(
        None,
        description="Read, planned and its drift reported, and nothing written, save that a rollout in "
        "flight goes back when it fails. On a Target: everything in it.",
    )


def _nowhere(value: object) -> None:
    if value is not None:
        raise RefusedError(
            "a profile is suspended",
            "a profile is nothing that is live: it is merged into fleets",
            "write suspend in the metadata of each fleet, or of the Target",
        )


class ProfileMetadata(Metadata):
    """Name and labels of a Profile."""

    suspend: Annotated[None, BeforeValidator(_nowhere)] = Field(
        None, description="Refused: a profile is nothing that is live. Suspend its fleets, or the Target."
    )
