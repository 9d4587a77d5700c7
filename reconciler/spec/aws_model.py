"""`extra`: members of an AWS request, checked against AWS's own model.

The models are JSON Schemas that `make schemas` writes from botocore; this room may not reach botocore.
"""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from reconciler.core.base import said_of_secret
from reconciler.core.digest import canonical
from reconciler.core.problem import RefusedError

SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


A = {"string": "a string", "integer": "an integer", "number": "a number", "boolean": "a boolean"}


@cache
def model(shape: str) -> dict[str, Any]:
    """Return the JSON Schema of one AWS shape."""
    text = files("reconciler.spec").joinpath("aws", f"{shape}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def check_members(shape: str, value: object, typed: Mapping[str, str]) -> str:
    """Return `value` as canonical JSON.

    Raises: RefusedError for a member that the shape does not have, that a field of ours owns, or
    whose value is not of its type.
    """
    if not isinstance(value, dict):
        raise RefusedError(
            f"extra is {said_of_secret(value)}", "it is a map of AWS members", "write {Member: value}"
        )
    schema = model(shape)
    for member in value:
        if member in typed:
            raise RefusedError(
                f"extra names {member}", "a field of ours owns it", f"write {typed[member]} instead"
            )
    _check(schema, schema, value, shape)
    return canonical(value)


def _check(root: dict[str, Any], schema: dict[str, Any], value: object, where: str) -> None:
    if ref := schema.get("$ref"):
        schema = root["$defs"][ref.rpartition("/")[2]]
    kind = schema.get("type")
    if kind == "object":
        _check_object(root, schema, value, where)
    elif kind == "array":
        if not isinstance(value, list):
            raise RefusedError(f"{where} is {said_of_secret(value)}", "AWS takes a list there", "write [...]")
        for one in value:
            _check(root, schema["items"], one, where)
    else:
        _check_scalar(schema, value, where)


def _check_object(root: dict[str, Any], schema: dict[str, Any], value: object, where: str) -> None:
    if not isinstance(value, dict):
        raise RefusedError(
            f"{where} is {said_of_secret(value)}", "AWS takes a structure there", "write {Member: value}"
        )
    members = schema.get("properties", {})
    for name, inner in value.items():
        if name not in members:
            close = get_close_matches(name, members, 1)
            fix = f"did you mean {close[0]}?" if close else f"members are {', '.join(sorted(members)[:8])}"
            raise RefusedError(f"{where} has no member {name}", "AWS's own model does not know it", fix)
        _check(root, members[name], inner, f"{where}.{name}")


def _check_scalar(schema: dict[str, Any], value: object, where: str) -> None:
    wanted = SCALARS[schema["type"]]
    if not isinstance(value, wanted) or (isinstance(value, bool) and schema["type"] != "boolean"):
        raise RefusedError(
            f"{where} is {said_of_secret(value)}", f"AWS takes {A[schema['type']]} there", "write one"
        )
    if (choices := schema.get("enum")) and value not in choices:
        raise RefusedError(
            f"{where} has a value that AWS does not know",
            "its model names them all",
            f"write one of {', '.join(choices)}",
        )
