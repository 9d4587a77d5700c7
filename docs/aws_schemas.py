"""Write the AWS shapes that `extra` is checked against, from botocore's own models."""

import json
import sys
from pathlib import Path
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

TARGET = Path(__file__).parent.parent / "reconciler" / "spec" / "aws"
SHAPES = {
    "RequestLaunchTemplateData": ("ec2", "RequestLaunchTemplateData"),
    "CreateAutoScalingGroup": ("autoscaling", "CreateAutoScalingGroupType"),
}
SCALARS = {
    "string": "string",
    "timestamp": "string",
    "blob": "string",
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "boolean": "boolean",
}


def to_schema(shape: Shape, defs: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a shape; structures go to `defs`, once each."""
    if shape.type_name == "structure":
        if shape.name not in defs:
            defs[shape.name] = {}
            members = {n: to_schema(m, defs) for n, m in sorted(shape.members.items())}
            defs[shape.name] = {"type": "object", "additionalProperties": False, "properties": members}
        return {"$ref": f"#/$defs/{shape.name}"}
    if shape.type_name == "list":
        return {"type": "array", "items": to_schema(shape.member, defs)}
    scalar: dict[str, Any] = {"type": SCALARS[shape.type_name]}
    if getattr(shape, "enum", None):
        scalar["enum"] = sorted(shape.enum)
    return scalar


def render() -> dict[str, str]:
    """Return each file's text by its name."""
    found = {}
    for name, (service, shape) in SHAPES.items():
        model = ServiceModel(Loader().load_service_model(service, "service-2"))
        defs: dict[str, Any] = {}
        top = to_schema(model.shape_for(shape), defs)["$ref"].rpartition("/")[2]
        body = {**defs.pop(top), "$defs": dict(sorted(defs.items()))}
        found[f"{name}.json"] = json.dumps(body, indent=1, sort_keys=True) + "\n"
    return found


def main() -> int:
    """Write the files, or with --check say which are stale."""
    TARGET.mkdir(exist_ok=True)
    stale = [
        n for n, text in render().items() if not (TARGET / n).exists() or (TARGET / n).read_text() != text
    ]
    if "--check" in sys.argv:
        print("\n".join(f"stale: {n}; run `make schemas`" for n in stale), file=sys.stderr)
        return 1 if stale else 0
    for name, text in render().items():
        (TARGET / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
