"""Worlds as a file: what `plan --save-world` writes and `plan --offline` reads, for several targets in one.

The file holds what AWS's Describe calls gave, tags and records included: keep it as you keep those.
User data is the one thing that is not in it. A keyed hash stands in its place, so that a plan from the
file says whether it changes, as a plan from AWS does with the same `RECONCILER_REDACTION_KEY`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

from reconciler.core.digest import canonical
from reconciler.core.errors import ReconcilerError
from reconciler.core.ids import TargetName
from reconciler.core.redact import Redactor
from reconciler.kinds.register import World
from reconciler.kinds.template.live import LiveTemplate

VERSION: Final = 1


class BadWorldError(ReconcilerError):
    """An operator must act: the file is not one that `plan --save-world` wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """The whole file."""

    version: Literal[1]
    worlds: dict[TargetName, World]


_FORM: Final[TypeAdapter[Saved]] = TypeAdapter(Saved)


def dump_worlds(worlds: Mapping[TargetName, World], redactor: Redactor) -> str:
    """Return worlds as JSON text, by target, without user data."""
    found = {name: without_secrets(world, redactor) for name, world in sorted(worlds.items())}
    return _FORM.dump_json(Saved(version=1, worlds=found), indent=1).decode() + "\n"


def load_worlds(text: str) -> dict[TargetName, World]:
    """Return the worlds of a file, by target.

    Raises: BadWorldError where it is no such file, or one of another version.
    """
    way = "write it again with `reconciler plan --save-world FILE`"
    try:
        head = json.loads(text)
    except ValueError as error:
        raise BadWorldError(f"the saved world is not JSON: {error}; {way}") from None
    version = head.get("version") if isinstance(head, dict) else None
    if version != VERSION:
        raise BadWorldError(
            f"the saved world has version {version!r}, and this program reads {VERSION}; {way}"
        )
    try:
        return _FORM.validate_json(text).worlds
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadWorldError(f"the saved world can't be read at {where}: {first['msg']}; {way}") from None


def without_secrets(world: World, redactor: Redactor) -> World:
    """Return a world whose templates hold a keyed hash where their user data was."""
    if not isinstance(world.templates, tuple):
        return world
    return replace(world, templates=tuple(_without_user_data(t, redactor) for t in world.templates))


def _without_user_data(template: LiveTemplate, redactor: Redactor) -> LiveTemplate:
    body = json.loads(template.body)
    if "UserData" not in body:
        return template
    return replace(template, body=canonical({**body, "UserData": redactor.user_data(body["UserData"])}))
