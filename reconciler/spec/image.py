"""Image: a golden AMI."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from reconciler.core.base import AmiId, Name, Spec, said
from reconciler.core.problem import RefusedError
from reconciler.spec.metadata import Metadata

SOURCES = ("ami", "newest", "parameter")


class Newest(Spec):
    """The newest AMI of an owner whose name fits."""

    owner: str = Field(
        pattern=r"^([0-9]{12}|self|amazon|aws-marketplace)$", description="Account id, self or amazon."
    )
    name: str = Field(min_length=3, description="Name of the AMI, with * and ?.")


def _per_target(value: object) -> object:
    if isinstance(value, str):
        return (("*", value),)
    if isinstance(value, dict) and value and all(isinstance(v, str) for v in value.values()):
        return tuple(sorted(value.items()))
    raise RefusedError(
        f"{said(value)} names no AMI",
        "it is one id, or one for each target",
        "write ami-0abc or {prod-seoul: ami-0abc}",
    )


PerTarget = Annotated[
    tuple[tuple[str, AmiId], ...],
    BeforeValidator(_per_target),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "string", "pattern": "^ami-"},
                {"type": "object", "additionalProperties": {"type": "string", "pattern": "^ami-"}},
            ]
        }
    ),
]

_BAKE = "building images comes with golden state"


def _adopt(value: object) -> object:
    if value == "automatic":
        raise RefusedError(
            "`adopt: automatic` is not supported yet", _BAKE, "write propose, and merge its pin"
        )
    return value


Adopt = Annotated[Literal["propose"], BeforeValidator(_adopt)]


class ImageSpec(Spec):
    """Where an AMI comes from, and what pins it."""

    targets: tuple[Name, ...] = Field(min_length=1, description="Targets that it is resolved in.")
    architecture: Literal["x86_64", "arm64"] = Field(description="What the AMI must be.")
    ami: PerTarget | None = Field(None, description="Source: an id, or one for each target.")
    newest: Newest | None = Field(None, description="Source: the newest match of an owner.")
    parameter: str | None = Field(
        None, pattern=r"^/[A-Za-z0-9_./-]+$", description="Source: an SSM parameter that holds an AMI id."
    )
    pin: PerTarget | None = Field(None, description="What is in force, beside any source but `ami`.")
    adopt: Adopt = Field("propose", description="What a newer match does: nothing but a line in the plan.")
    bake: None = Field(
        None, description="Refused for now: building and keeping images comes with golden state."
    )
    pipeline: None = Field(
        None, description="Refused for now: building and keeping images comes with golden state."
    )
    capture: None = Field(
        None, description="Refused for now: building and keeping images comes with golden state."
    )
    share: None = Field(
        None, description="Refused for now: building and keeping images comes with golden state."
    )
    copyTo: None = Field(
        None, description="Refused for now: building and keeping images comes with golden state."
    )
    kmsKey: None = Field(None, description="Refused for now: it belongs to `copyTo`.")
    keep: None = Field(
        None, description="Refused for now: building and keeping images comes with golden state."
    )

    @model_validator(mode="after")
    def _one_source(self) -> "ImageSpec":
        given = [s for s in SOURCES if getattr(self, s) is not None]
        if len(given) != 1:
            what = "has no source" if not given else f"has {len(given)} sources: {', '.join(given)}"
            raise RefusedError(
                f"the image {what}", "exactly one is needed", f"write one of {', '.join(SOURCES)}"
            )
        if self.ami is not None and self.pin is not None:
            raise RefusedError("`pin` stands beside `ami`", "an ami is a pin by itself", "leave `pin` out")
        for field in ("ami", "pin"):
            for target, _ in getattr(self, field) or ():
                if target != "*" and target not in self.targets:
                    raise RefusedError(
                        f"`{field}` names target {target}",
                        "it is not among the image's targets",
                        "add it to `targets`",
                    )
        return self


class Image(Spec):
    """Document of kind Image."""

    apiVersion: Literal["reconciler/v1"]
    kind: Literal["Image"]
    metadata: Metadata
    spec: ImageSpec
