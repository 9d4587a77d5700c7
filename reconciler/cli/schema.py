"""`reconciler schema`: writes the JSON Schemas of the documents, for editors, and of `plan --format json`."""

import json
from pathlib import Path

from reconciler.report.as_json import plan_schema
from reconciler.spec.schema import schemas


def render() -> dict[str, str]:
    """Return each file's text by its name."""
    found = {**schemas(), "plan": plan_schema()}
    return {f"{n}.json": json.dumps(s, indent=2, sort_keys=True) + "\n" for n, s in found.items()}


def stale(folder: Path) -> list[str]:
    """Return the names of files that are not as they would be written."""
    return [
        n for n, text in render().items() if not (folder / n).exists() or (folder / n).read_text() != text
    ]


def write(folder: Path) -> list[str]:
    """Write all files; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in render().items():
        (folder / name).write_text(text)
    return sorted(render())
