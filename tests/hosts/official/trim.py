"""Cut what GitHub publishes down to what the adapter uses, and write it beside this file.

    npm install @octokit/openapi @octokit/graphql-schema @octokit/webhooks-examples
    python tests/hosts/official/trim.py node_modules/@octokit

Repairs, since the description can't be checked against as it is published: its examples break its own
schemas and name other hosts, so they go; replies may carry the media type that callers ask for; the
limits on the length of a comment and of a status' description are written in; the repository of a head
is null once a fork was deleted, and so is the actor of an event whose account was; a conclusion that
is null is among those that a check run may have.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from graphql import parse, print_ast

HERE = Path(__file__).parent
OPERATIONS = {
    "/user": ["get"],
    "/users/{username}": ["get"],
    "/app": ["get"],
    "/repos/{owner}/{repo}/installation": ["get"],
    "/app/installations/{installation_id}/access_tokens": ["post"],
    "/repos/{owner}/{repo}/pulls": ["get"],
    "/repos/{owner}/{repo}/commits/{commit_sha}/pulls": ["get"],
    "/repos/{owner}/{repo}/issues/{issue_number}/comments": ["get", "post"],
    "/repos/{owner}/{repo}/issues/{issue_number}/events": ["get"],
    "/repos/{owner}/{repo}/issues/comments": ["get"],
    "/repos/{owner}/{repo}/issues/comments/{comment_id}": ["get", "patch"],
    "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions": ["post"],
    "/repos/{owner}/{repo}/statuses/{sha}": ["post"],
    "/repos/{owner}/{repo}/commits/{ref}/check-runs": ["get"],
    "/repos/{owner}/{repo}/check-runs": ["post"],
    "/repos/{owner}/{repo}/check-runs/{check_run_id}": ["patch"],
    "/repos/{owner}/{repo}/collaborators/{username}/permission": ["get"],
}
BODY = 65_536  # characters of a comment: "body is too long (maximum is 65536 characters)"
DESCRIPTION = 140  # characters of a status' description
WIDE = "application/vnd.github+json"
FIELDS = {  # of the GraphQL schema: None is every field
    "Query": ("id", "node"),
    "Mutation": ("minimizeComment",),
    "Node": None,
    "IssueComment": ("id", "isMinimized", "minimizedReason", "viewerCanMinimize"),
    "MinimizeCommentInput": None,
    "MinimizeCommentPayload": None,
    "Minimizable": None,
    "ReportedContentClassifiers": None,
}
EVENTS = {"ping": 1, "push": 1, "pull_request": 2, "issue_comment": 1, "merge_group": 1}


def main(packages: Path) -> None:
    """Write github.json, github.graphql, webhooks.json, README.md and LICENSE."""
    source = json.loads((packages / "openapi/generated/api.github.com.json").read_text())
    write("github.json", openapi(source))
    (HERE / "github.graphql").write_text(graphql((packages / "graphql-schema/schema.graphql").read_text()))
    events = json.loads((packages / "webhooks-examples/api.github.com/index.json").read_text())
    write(
        "webhooks.json",
        {e["name"]: e["examples"][: EVENTS[e["name"]]] for e in events if e["name"] in EVENTS},
    )
    about = [json.loads((packages / name / "package.json").read_text()) for name in
             ("openapi", "graphql-schema", "webhooks-examples")]  # fmt: skip
    (HERE / "README.md").write_text(readme(about))
    notices = [
        (packages / name).read_text().strip() for name in ("openapi/LICENSE", "graphql-schema/LICENSE.md")
    ]
    (HERE / "LICENSE").write_text("\n\n".join(notices) + "\n")


def write(name: str, value: Any) -> None:
    """Write JSON that is small, and of which a difference can be read."""
    (HERE / name).write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")


def openapi(source: dict[str, Any]) -> dict[str, Any]:
    """Return the operations, and all that they refer to."""
    paths = {p: {m: source["paths"][p][m] for m in methods} for p, methods in OPERATIONS.items()}
    kept: dict[str, dict[str, Any]] = {}
    waiting = list(refs(paths))
    while waiting:
        _, _, kind, name = waiting.pop().split("/")
        if kind != "examples" and name not in kept.setdefault(kind, {}):
            kept[kind][name] = source["components"][kind][name]
            waiting += refs(kept[kind][name])
    whole = bare({"paths": paths, "components": kept})
    repair(whole)
    return {"openapi": source["openapi"], "info": source["info"], "servers": source["servers"], **whole}


def refs(node: Any) -> Iterator[str]:
    """Yield every reference in a part of the description, those of examples aside."""
    if isinstance(node, list):
        for one in node:
            yield from refs(one)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            elif key not in ("example", "examples"):
                yield from refs(value)


def bare(node: Any, *, names: bool = False) -> Any:
    """Return a part without prose, examples and extensions. Where keys are `names`, all of them stay."""
    if isinstance(node, list):
        return [bare(n) for n in node]
    if not isinstance(node, dict):
        return node
    prose = ("description", "example", "examples", "externalDocs", "tags", "title")
    return {
        k: bare(v, names=k in ("properties", "schemas", "responses") and not names)
        for k, v in node.items()
        if names or not (k in prose or k.startswith("x-"))
    }


def repair(whole: dict[str, Any]) -> None:
    """Write in what the published description lacks."""
    responses = [r for p in whole["paths"].values() for o in p.values() for r in o["responses"].values()]
    for response in [*responses, *whole["components"].get("responses", {}).values()]:
        if "$ref" not in response:
            response.setdefault("description", "")
            response.get("headers", {}).pop("Link", None)
        for kind, content in list(response.get("content", {}).items()):
            if kind == "application/json":
                response["content"][WIDE] = content
    repo = "/repos/{owner}/{repo}/"
    for path, method, field, most in (
        ("issues/{issue_number}/comments", "post", "body", BODY),
        ("issues/comments/{comment_id}", "patch", "body", BODY),
        ("statuses/{sha}", "post", "description", DESCRIPTION),
    ):
        body = whole["paths"][repo + path][method]["requestBody"]["content"]["application/json"]["schema"]
        body["properties"][field]["maxLength"] = most
    schemas = whole["components"]["schemas"]
    schemas["check-run"]["properties"]["conclusion"]["enum"].append(None)
    schemas["nullable-repository"] = {**schemas["repository"], "nullable": True}
    for properties, field, schema in (
        (schemas["pull-request-simple"]["properties"]["head"]["properties"], "repo", "nullable-repository"),
        (schemas["labeled-issue-event"]["properties"], "actor", "nullable-simple-user"),
        (schemas["unlabeled-issue-event"]["properties"], "actor", "nullable-simple-user"),
    ):
        properties[field] = {"$ref": f"#/components/schemas/{schema}"}


def graphql(source: str) -> str:
    """Return the types that marking a comment as outdated needs, without prose."""
    found = [cut(n) for n in parse(source).definitions if name_of(n) in FIELDS]
    return re.sub(r'^ *"""(?:.|\n)*?"""\n', "", "\n\n".join(map(print_ast, found)) + "\n", flags=re.MULTILINE)


def cut(node: Any) -> Any:
    """Return a definition with the fields and interfaces that are named alone."""
    names = FIELDS[name_of(node)]
    if names is None:
        return node
    return replace(
        node,
        fields=tuple(f for f in node.fields if f.name.value in names),
        interfaces=tuple(i for i in (node.interfaces or ()) if i.name.value in FIELDS),
    )


def name_of(node: Any) -> str:
    """Return the name of a definition that has one."""
    return node.name.value if getattr(node, "name", None) else ""


def readme(about: list[dict[str, Any]]) -> str:
    """Return where this comes from."""
    rows = [f"| `{a['name']}` | {a['version']} | {a['license']} |" for a in about]
    return "\n".join(
        [
            "# What GitHub itself publishes, cut to what is used here",
            "",
            "`trim.py` made `github.json` (OpenAPI), `github.graphql` and `webhooks.json` in this folder from these",
            "npm packages, whose licence holds for them. The repairs are named at its top.",
            "",
            "| Package | Version | Licence |",
            "|---|---|---|",
            *rows,
            "",
            "`LICENSE` holds the notices of the packages that bring one.",
            "",
        ]
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
