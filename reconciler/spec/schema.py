"""JSON Schemas of the documents, for editors."""

from typing import Any

from pydantic import BaseModel

from reconciler.spec.fleet import Fleet, Profile
from reconciler.spec.image import Image
from reconciler.spec.target import Target
from reconciler.spec.zone import Zone

MODELS: dict[str, type[BaseModel]] = {
    "target": Target,
    "image": Image,
    "profile": Profile,
    "fleet": Fleet,
    "zone": Zone,
}
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """Return a schema for each kind, and `documents`, which tells them apart by `kind`."""
    made = {name: _schema(name, model) for name, model in MODELS.items()}
    made["documents"] = {
        "$schema": DIALECT,
        "title": "A document of a desired state",
        "oneOf": [{"$ref": f"{name}.json"} for name in MODELS],
    }
    return made


def _schema(name: str, model: type[BaseModel]) -> dict[str, Any]:
    above = "ProfileMetadata" if name == "profile" else "Metadata"
    schema: dict[str, Any] = {"$schema": DIALECT, **model.model_json_schema()}
    if name == "fleet":
        # What a fleet leaves out may come from its profiles, so editors can't require it.
        _relax(schema["$defs"])
        schema["$defs"]["FleetSpec"]["required"] = ["targets"]
    if name == "profile":
        fleet = Fleet.model_json_schema()["$defs"]
        part = dict(fleet.pop("FleetSpec"))
        part["properties"] = {
            k: v for k, v in part["properties"].items() if k not in ("targets", "profiles", "overrides")
        }
        schema["$defs"] = {**fleet, "ProfileSpec": part, above: schema["$defs"][above]}
        _relax(schema["$defs"])
    schema["$defs"][above]["required"] = ["name"]
    return schema


def _relax(defs: dict[str, Any]) -> None:
    for inner in defs.values():
        inner.pop("required", None)
