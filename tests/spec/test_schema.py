"""The JSON Schemas are fresh, valid, and agree with the loader on the sample company."""

from pathlib import Path

import jsonschema
import pytest
from referencing import Registry, Resource

from reconciler.cli.schema import stale
from reconciler.source.documents import plain, read_documents
from reconciler.spec.schema import MODELS, schemas

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "desired-state").rglob("*.yaml"))


def test_the_written_schemas_are_fresh() -> None:
    assert stale(ROOT / "schemas") == []


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas()[name])


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_an_editor_finds_nothing_wrong_with_the_sample_company(file: Path) -> None:
    made = schemas()
    registry = Registry().with_resources((f"{n}.json", Resource.from_contents(s)) for n, s in made.items())
    check = jsonschema.Draft202012Validator(made["documents"], registry=registry)
    nodes, _ = read_documents(file.name, file.read_bytes())
    for node in nodes:
        check.validate(plain(node))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_each_file_names_its_schema_for_editors(file: Path) -> None:
    first = file.read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../schemas/documents.json"


def test_every_field_says_what_it_means() -> None:
    bare = [
        f"{name}.{definition}.{field}"
        for name, schema in schemas().items()
        for definition, inner in schema.get("$defs", {}).items()
        for field, about in inner.get("properties", {}).items()
        if not about.get("description") and definition != "Selector"
    ]
    assert bare == []


def test_the_schema_of_a_refused_field_offers_nothing() -> None:
    spec = schemas()["fleet"]["$defs"]["FleetSpec"]["properties"]
    assert spec["adopt"]["type"] == "null"
