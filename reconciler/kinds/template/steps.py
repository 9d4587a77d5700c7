"""All that we may do with launch templates. None of it touches an instance."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from reconciler.core.facts import Tags
from reconciler.core.ids import ResourceName
from reconciler.kinds.template.want import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTemplate:
    """Make the launch template of a revision (ec2:CreateLaunchTemplate)."""

    op: ClassVar[str] = "create-template"
    template: Template

    @property
    def name(self) -> str:
        """The template's name."""
        return self.template.name


@dataclass(frozen=True, slots=True, kw_only=True)
class TagTemplate:
    """Put or drop tags of ours on a template: the tombstone's mark (ec2:CreateTags, ec2:DeleteTags)."""

    op: ClassVar[str] = "tag-template"
    name: ResourceName
    id: str
    put: Tags = ()
    drop: tuple[str, ...] = ()
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTemplate:
    """Delete a template that no group uses any more (ec2:DeleteLaunchTemplate)."""

    op: ClassVar[str] = "delete-template"
    name: ResourceName
    id: str
    born: str  # what `reconciler:born` said when it was read; one that was taken up since stays


TemplateStep: TypeAlias = CreateTemplate | TagTemplate | DeleteTemplate
