"""The launch templates' part of simulate."""

from typing import assert_never

from reconciler.core.facts import BORN, retagged, tag
from reconciler.kinds.template.live import LiveTemplate
from reconciler.kinds.template.steps import CreateTemplate, DeleteTemplate, TagTemplate, TemplateStep


def after(step: TemplateStep, live: tuple[LiveTemplate, ...]) -> tuple[LiveTemplate, ...]:
    """Return the templates as they are once `step` took effect; a step done twice is as done once."""
    match step:
        case CreateTemplate(template=want):
            if any(t.name == want.name for t in live):
                return live
            made = LiveTemplate(
                id=f"lt-{want.name}-{tag(want.tags, BORN)}",  # a name that is used again is another template
                name=want.name,
                default_version=1,
                latest_version=1,
                image=want.image,
                body=want.body,
                tags=want.tags,
            )
            return tuple(sorted((*live, made), key=lambda t: t.name))
        case TagTemplate():
            return tuple(_tagged(t, step) if t.id == step.id else t for t in live)
        case DeleteTemplate():
            return tuple(t for t in live if t.id != step.id)
        case _:
            assert_never(step)


def _tagged(live: LiveTemplate, step: TagTemplate) -> LiveTemplate:
    return LiveTemplate(
        id=live.id,
        name=live.name,
        default_version=live.default_version,
        latest_version=live.latest_version,
        image=live.image,
        body=live.body,
        tags=retagged(live.tags, dict(step.put), step.drop),
    )
