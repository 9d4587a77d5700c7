"""Judges requests and answers by what GitHub publishes: OpenAPI for REST, the schema for GraphQL."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, build_schema, graphql_sync, parse, validate
from jsonschema_path import SchemaPath
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from openapi_core.validation.request.validators import V30RequestValidator
from openapi_core.validation.response.validators import V30ResponseValidator
from openapi_core.validation.schemas import (
    oas30_read_schema_validators_factory,
    oas30_write_schema_validators_factory,
)
from openapi_core.validation.schemas.factories import SchemaValidatorsFactory
from openapi_core.validation.schemas.validators import SchemaValidator

from emulator.githost.wire import Fault, Reply, Request

HERE = Path(__file__).parent
SERVER = "https://api.github.com"
FAULTLESS: set[int] = set()
"""Exchanges that broke nothing: those that differ in numbers, digests and ids alone are judged once."""
NUMBERS = re.compile(r'(?<="node_id": ")[^"]+|\b[0-9a-f]{7,}\b|\d+')


@cache
def whole() -> dict[str, Any]:
    """Return what GitHub publishes, as it was trimmed."""
    found: dict[str, Any] = json.loads((HERE / "github.json").read_text())
    return found


class Kept(SchemaValidatorsFactory):
    """Makes the validator of a schema once: openapi-core makes classes anew for each value."""

    def __init__(self, of: SchemaValidatorsFactory) -> None:
        super().__init__(of.schema_validator_cls, of.format_checker)
        self._made: dict[object, SchemaValidator] = {}

    def create(self, spec: SchemaPath, schema: SchemaPath, **how: Any) -> SchemaValidator:  # type: ignore[override]
        key = (schema.parts, *how.items())
        if key not in self._made:
            self._made[key] = super().create(spec, schema, **how)
        return self._made[key]


class Asked(V30RequestValidator):
    schema_validators_factory = Kept(oas30_write_schema_validators_factory)


class Said(V30ResponseValidator):
    schema_validators_factory = Kept(oas30_read_schema_validators_factory)


@cache
def description() -> OpenAPI:
    """Return the description; a body of ours may hold nothing that it does not name."""
    config = Config(additional_properties_default_policy="forbid", request_validator_cls=Asked)
    return OpenAPI.from_dict(whole(), config=config)


@cache
def answers() -> OpenAPI:
    """Return the description for answers, which may hold more than it names."""
    return OpenAPI.from_dict(whole(), config=Config(response_validator_cls=Said))


@cache
def schema() -> GraphQLSchema:
    """Return the schema of GraphQL."""
    return build_schema((HERE / "github.graphql").read_text())


class Judge:
    """Collects what GitHub would not take from us, and what it would not answer."""

    def __init__(self, plain: Callable[[str], str]) -> None:
        self.plain = plain
        self.found: list[str] = []

    def __call__(self, request: Request, reply: Reply, fault: Fault | None) -> None:
        """Judge one exchange; an answer that a fault made up is not judged."""
        path = self.plain(request.path)
        if request.method == "GET" and "/pull/" in path:
            return  # the page for people
        asked = (request.method, path, tuple(request.query.items()), request.body)
        exchange = hash((asked, reply.status, reply.content(), fault is None))
        if exchange in FAULTLESS:
            return
        like = (request.method, alike(path), tuple(request.query.items()), alike(request.body))
        kind = hash((like, reply.status, alike(reply.content()), fault is None))
        if kind in FAULTLESS:
            FAULTLESS.add(exchange)
            return
        problems = [
            *(graphql(request, reply) if path.endswith("/graphql") else rest(request, reply, path, fault))
        ]
        self.found += [f"{request.method} {path}: {p}" for p in problems]
        if not problems:
            FAULTLESS.update((exchange, kind))


def alike(text: str | bytes) -> str:
    """Return a text without its numbers, digests and ids: no rule of the description rests on which they are."""
    return NUMBERS.sub("0", text if isinstance(text, str) else text.decode())


def rest(request: Request, reply: Reply, path: str, fault: Fault | None) -> Iterator[str]:
    """Yield what breaks the description."""
    asked = MockRequest(
        SERVER,
        request.method,
        path,
        args=dict(request.query),
        data=request.body,
        headers=dict(request.headers),
    )
    for error in description().iter_request_errors(asked):
        yield f"asked: {why(error)}"
    yield from unknown_words(request, path)
    if fault is None and reply.status < 400 and reply.status != 304:
        said = MockResponse(reply.content(), reply.status, content_type="application/json")
        for error in answers().iter_response_errors(asked, said):
            yield f"answered: {why(error)}"


def why(error: Exception) -> str:
    """Return what is wrong, without the whole body."""
    schemas = getattr(error, "schema_errors", None) or getattr(error.__cause__, "schema_errors", None)
    return (
        "; ".join(e.message[-200:] for e in schemas) if schemas else f"{type(error).__name__} {error}"[:300]
    )


def unknown_words(request: Request, path: str) -> Iterator[str]:
    """Yield words of the query that the operation does not know: a host would pass over them in silence."""
    for pattern, operations in whole()["paths"].items():
        parts, asked = pattern.split("/"), path.split("/")
        if len(parts) == len(asked) and all(
            p.startswith("{") or p == a for p, a in zip(parts, asked, strict=True)
        ):
            known = {_name(p) for p in operations.get(request.method.lower(), {}).get("parameters", [])}
            yield from (f"asked: {word} is no parameter" for word in request.query if word not in known)
            return


def _name(parameter: dict[str, Any]) -> str:
    if "$ref" in parameter:
        parameter = whole()["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
    return str(parameter["name"])


def graphql(request: Request, reply: Reply) -> Iterator[str]:
    """Yield what breaks the schema: the query, its variables, and the answer as the schema would give it."""
    said = request.json()
    document = parse(said["query"])
    yield from (e.message for e in validate(schema(), document))
    if reply.status == 200 and isinstance(reply.body, dict):
        told = graphql_sync(
            schema(),
            said["query"],
            root_value={"minimizeComment": lambda *_, **__: reply.body["data"]["minimizeComment"]},
            variable_values=said.get("variables"),
            type_resolver=lambda *_: "IssueComment",
        )
        yield from (e.message for e in told.errors or [])
        if told.data != reply.body["data"]:
            yield f"answered: {reply.body['data']}"
