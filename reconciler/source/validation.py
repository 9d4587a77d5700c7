"""From a node to a model, or to problems in plain words."""

import json
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from reconciler.core.base import LATER, WORDS, said, said_of_secret
from reconciler.core.problem import Position, Problem, RefusedError
from reconciler.source.documents import Node, find, plain

M = TypeVar("M", bound=BaseModel)

SECRET = frozenset(("userData", "tags", "extra"))  # below these a value is never told
KINDS_OF_VALUE = {
    "string_type": ("a string", "quote it"),
    "int_type": ("a whole number", "write a number without quotes"),
    "int_from_float": ("a whole number", "write it without a fraction"),
    "float_type": ("a number", "write a number without quotes"),
    "bool_type": ("true or false", "write true or false without quotes"),
    "dict_type": ("a map", "write key: value lines below it"),
    "model_type": ("a map", "write key: value lines below it"),
    "model_attributes_type": ("a map", "write key: value lines below it"),
    "tuple_type": ("a list", "write [...], or lines that begin with -"),
    "list_type": ("a list", "write [...], or lines that begin with -"),
}
BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "less_than_equal": ("le", "at most"),
    "greater_than": ("gt", "above"),
    "less_than": ("lt", "below"),
}


def build(model: type[M], node: Node, *, partial: bool = False) -> tuple[M | None, list[Problem]]:
    """Return the model that a node describes, or every problem with it.

    `partial`: a part of a document, so what is missing, and what is wrong between fields, is not told.
    """
    try:
        return model.model_validate_json(json.dumps(plain(node))), []
    except ValidationError as error:
        found = [p for e in error.errors() for p in _problems(model, node, e, partial=partial)]
        return None, sorted(set(found))


def _problems(model: type[BaseModel], node: Node, error: ErrorDetails, *, partial: bool) -> Iterator[Problem]:
    kind, loc = error["type"], error["loc"]
    place, _ = find(node, loc)
    name = _named(loc)
    if kind == "missing":
        if not partial:
            about = _described(model, loc)
            why = f"it is required: {about}" if about else "it is required"
            yield Problem(place.key, f"`{name}` is missing", why, f"add {name}: here")
        return
    if kind == "value_error":
        cause = (error.get("ctx") or {}).get("error")
        if isinstance(cause, RefusedError):
            if partial and _between(model, loc):
                return
            inner, _ = find(place, cause.path)
            yield Problem(inner.at if cause.path else _best(inner), cause.what, cause.why, cause.fix)
        return
    if kind == "extra_forbidden":
        yield _unknown(model, loc, place)
        return
    if kind == "none_required":
        why = _described(model, loc).removeprefix(LATER).rstrip(".")
        yield Problem(place.key, f"`{name}` is not supported yet", why, "leave it out")
        return
    least = (error.get("ctx") or {}).get("min_length")
    if kind == "too_short" and isinstance(place.value, list) and len(place.value) >= int(least or 0):
        return  # long enough as written: what is wrong with its items is told at them
    yield _of_value(kind, error, name, place)


def _named(loc: tuple[str | int, ...]) -> str:
    """Name a value as its author knows it: by the last key on the way, and its place in a list."""
    names = [str(x) for x in loc if not isinstance(x, int)]
    return names[-1] if names else "document"


def _best(place: Node) -> Position:
    """An error of a whole map stands at its key: that is the line a reader looks for."""
    return place.key if isinstance(place.value, dict) else place.at


def _between(model: type[BaseModel], loc: tuple[str | int, ...]) -> bool:
    """Is this an error between fields of a model, which a part of a document need not satisfy."""
    return bool(_fields(model, loc)) or not loc


def _unknown(model: type[BaseModel], loc: tuple[str | int, ...], place: Node) -> Problem:
    name, known = str(loc[-1]), _fields(model, loc[:-1])
    close = get_close_matches(name, known, 1, 0.6)
    fix = f"did you mean `{close[0]}`?" if close else f"fields here are {', '.join(sorted(known))}"
    return Problem(
        place.key, f"unknown field `{name}`", "fields are closed, so that a typo can't pass unseen", fix
    )


def _of_value(kind: str, error: ErrorDetails, name: str, place: Node) -> Problem:
    ctx = error.get("ctx") or {}
    secret = SECRET & {str(x) for x in error["loc"]}
    found = said_of_secret(place.value) if secret else said(place.value)
    if kind in KINDS_OF_VALUE:
        wanted, fix = KINDS_OF_VALUE[kind]
        return Problem(place.at, f"`{name}` is {found}", f"{wanted} is needed", fix)
    if kind == "string_pattern_mismatch":
        pattern = str(ctx.get("pattern"))
        wanted, fix = WORDS.get(pattern, (f"text that fits {pattern}", f"write text that fits {pattern}"))
        return Problem(
            place.at,
            f"`{name}` is {found}",
            f"{wanted} is needed",
            f"write {fix}".replace("write write", "write"),
        )
    if kind == "literal_error":
        choices = str(ctx.get("expected")).replace("'", "").replace(" or ", ", ")
        close = get_close_matches(str(place.value), choices.split(", "), 1)
        fix = f"did you mean {close[0]}?" if close else f"write one of {choices}"
        return Problem(place.at, f"`{name}` is {found}", f"it is one of {choices}", fix)
    if kind in BOUNDS:
        key, word = BOUNDS[kind]
        return Problem(
            place.at,
            f"`{name}` is {found}",
            f"it must be {word} {ctx.get(key)}",
            f"write a number {word} {ctx.get(key)}",
        )
    if kind in ("too_short", "too_long", "string_too_short", "string_too_long"):
        least, most = ctx.get("min_length"), ctx.get("max_length")
        bound = f"at least {least}" if least is not None else f"at most {most}"
        return Problem(place.key, f"`{name}` has the wrong length", f"{bound} are needed", f"write {bound}")
    return Problem(
        place.at, f"`{name}` is {found}", str(error["msg"]).lower(), "see the reference of this field"
    )


def _fields(model: type[BaseModel], loc: tuple[str | int, ...]) -> dict[str, str]:
    """Return the field names, as documents write them, of the model at `loc`, with their descriptions."""
    found: dict[str, str] = {}
    for inner in _models(model, loc):
        for name, info in inner.model_fields.items():
            found[info.alias or name] = info.description or ""
    return found


def _models(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[type[BaseModel]]:
    here = [model]
    for segment in loc:
        if isinstance(segment, int):
            continue
        inner = [
            found
            for one in here
            for name, info in one.model_fields.items()
            if (info.alias or name) == segment
            for found in _inside(info.annotation)
        ]
        if not inner and segment not in {n for one in here for n in one.model_fields}:
            continue
        here = inner
    return here


def _inside(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for a in get_args(annotation) for m in _inside(a)]


def _described(model: type[BaseModel], loc: tuple[str | int, ...]) -> str:
    about = _fields(model, loc[:-1]).get(str(loc[-1]), "") if loc else ""
    return (about[:1].lower() + about[1:] if not about.startswith(LATER) else about).rstrip(
        "."
    ) or "a part of it"
