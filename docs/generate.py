"""Write the reference pages, from code: documents, settings, commands, events, IAM policies."""

import json
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import typer.main

from reconciler.cli.iam_policy import iam_policy_json
from reconciler.cli.main import app
from reconciler.core.duration import format_duration
from reconciler.daemon.settings import FILE, PREFIX, Settings
from reconciler.report.events import all_events
from reconciler.spec.schema import MODELS, schemas

HERE = Path(__file__).parent
MADE = "Made from the code by `make docs`.\n"


def documents() -> str:
    """Return the page of every field of every kind."""
    lines = ["# Documents", "", MADE]
    lines += [
        "Every document has `apiVersion: reconciler/v1`, a `kind`, `metadata` and a `spec`.",
        "Unknown fields and duplicate keys are errors. Durations are strings: `90s`, `5m`, `1h30m`.",
        "`schemas/*.json` say the same to editors.",
        "",
    ]
    made = schemas()
    defs = made["target"]["$defs"]
    lines += ["## metadata", "", *_table(defs["Metadata"], defs, "metadata."), ""]
    for name in MODELS:
        schema = made[name]
        spec = f"{name.capitalize()}Spec"
        model = schema["$defs"].get(spec)
        if model is None:
            continue
        lines += [f"## {name.capitalize()}", "", model.get("description", ""), ""]
        if name == "profile":
            lines += ["Any part of a Fleet's `spec`, but `targets`, `profiles` and `overrides`.", ""]
            continue
        lines += [*_table(model, schema["$defs"], "spec."), ""]
    return "\n".join(lines).rstrip() + "\n"


def _table(model: dict[str, Any], defs: dict[str, Any], prefix: str) -> list[str]:
    rows = ["| field | type | default | meaning |", "| --- | --- | --- | --- |"]
    return rows + [
        f"| `{p}` | {_cell(t)} | {_cell(d)} | {_cell(m)} |" for p, t, d, m in _fields(model, defs, prefix)
    ]


def _fields(model: dict[str, Any], defs: dict[str, Any], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    required = set(model.get("required", []))
    for name, schema in model.get("properties", {}).items():
        inner, listed = _inner(schema, defs)
        path = f"{prefix}{name}{'[]' if listed and inner else ''}"
        default = "required" if name in required else _default(schema)
        meaning = schema.get("description") or (inner or {}).get("description", "")
        yield path, _type(schema), "" if inner and default.startswith("`{") else default, meaning
        if inner:
            yield from _fields(inner, defs, f"{path}.")


def _inner(schema: dict[str, Any], defs: dict[str, Any]) -> tuple[dict[str, Any] | None, bool]:
    """Return the object below a field, and whether it is in a list."""
    for one in (schema, *schema.get("anyOf", []), *schema.get("allOf", [])):
        if "$ref" in one:
            found = defs[one["$ref"].rpartition("/")[2]]
            return (found if "properties" in found else None), False
        if "items" in one and "$ref" in one["items"]:
            found = defs[one["items"]["$ref"].rpartition("/")[2]]
            return (found if "properties" in found else None), True
    return None, False


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f"`{v}`" for v in schema["enum"])
    if "const" in schema:
        const = schema["const"]
        return f"`{const if isinstance(const, str) else json.dumps(const)}`"
    if "$ref" in schema:
        return "map"
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            found = [_type(s) for s in schema[key] if s.get("type") != "null"]
            return " or ".join(dict.fromkeys(found)) or "-"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if schema.get("pattern", "").startswith("^(?=.)"):
        return "duration"
    return {"object": "map", "null": "-"}.get(schema.get("type", ""), schema.get("type", "any"))


def _default(schema: dict[str, Any]) -> str:
    value = schema.get("default")
    if value is None or value in ([], {}, "{}", ""):
        return ""
    return f"`{json.dumps(value, sort_keys=True) if not isinstance(value, str) else value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def settings() -> str:
    """Return the page of every setting."""
    lines = [
        "# Settings",
        "",
        MADE,
        f"Every option is also a variable `{PREFIX}*` and a key of `{FILE}` in the working directory.",
        "The command line goes before the environment, that before the file.",
        "",
        "| key | variable | default | meaning |",
        "| --- | --- | --- | --- |",
    ]
    for name, field in Settings.model_fields.items():
        default = field.default
        if field.default_factory is not None:
            shown = "the user's cache folder"
        elif hasattr(default, "total_seconds"):
            shown = f"`{format_duration(default)}`"
        else:
            text = str(getattr(default, "get_secret_value", lambda d=default: d)())
            shown = f"`{text}`" if text and default not in (None, ()) else ""
        lines.append(f"| `{name}` | `{PREFIX}{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Return the page of every command with its options."""
    root = typer.main.get_command(app)
    lines = ["# Commands", "", MADE]
    for name, command in sorted(getattr(root, "commands", {}).items()):
        lines += [f"## reconciler {name}", "", command.help or "", ""]
        rows = [
            (
                ", ".join(f"`{o}`" for o in p.opts)
                if p.param_type_name == "option"
                else f"`{p.name.upper()}`",
                p,
            )
            for p in command.params
        ]
        if rows:
            lines += ["| option | meaning |", "| --- | --- |"]
            lines += [f"| {shown} | {_cell(getattr(p, 'help', '') or '')} |" for shown, p in rows]
            lines.append("")
    return "\n".join(str(x) for x in lines).rstrip() + "\n"


def events() -> str:
    """Return the page of every event of the log."""
    lines = [
        "# Events",
        "",
        MADE,
        "Each line of the log is one event. Names and fields are an interface: they are only ever added to.",
        "",
        "| event | level | meaning | fields |",
        "| --- | --- | --- | --- |",
    ]
    for kind in all_events():
        names = ", ".join(f"`{f.name}`" for f in fields(kind))
        lines.append(f"| `{kind.event}` | {kind.level} | {_cell(kind.__doc__ or '')} | {names} |")
    return "\n".join(lines) + "\n"


def render() -> dict[str, str]:
    """Return each file's text by its path below `docs/`."""
    return {
        "reference/documents.md": documents(),
        "reference/settings.md": settings(),
        "reference/commands.md": commands(),
        "reference/events.md": events(),
        "iam-policy.json": iam_policy_json(read_only=False),
        "iam-policy-read-only.json": iam_policy_json(read_only=True),
    }


def main() -> int:
    """Write the files, or with --check say which are stale."""
    made = render()
    stale = [n for n, text in made.items() if not (HERE / n).exists() or (HERE / n).read_text() != text]
    if "--check" in sys.argv:
        for name in stale:
            print(f"stale: docs/{name}; run `make docs`")
        return 1 if stale else 0
    for name in stale:
        (HERE / name).parent.mkdir(exist_ok=True)
        (HERE / name).write_text(made[name])
        print(f"docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
