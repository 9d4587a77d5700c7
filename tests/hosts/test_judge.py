"""The judge finds what GitHub would not take, and what it would not answer; and the fake says no where it would."""

import json
import re
from pathlib import Path

import httpx
import pytest

from emulator.githost.forge import Forge
from emulator.githost.wire import Reply, serve
from reconciler.hosts import github, github_app, github_checks
from tests.hosts.conftest import TOKEN
from tests.hosts.fake_github import judged

pytestmark = pytest.mark.slow

HERE = "repos/acme/fleet"
WRONG = {
    "a state that is none": ("POST", f"{HERE}/statuses/HEAD", {"state": "green"}, {}),
    "a description that is too long": (
        "POST",
        f"{HERE}/statuses/HEAD",
        {"state": "success", "description": "x" * 141},
        {},
    ),
    "a word that is unknown": ("POST", f"{HERE}/statuses/HEAD", {"state": "success", "colour": "red"}, {}),
    "a body that is no text": ("POST", f"{HERE}/issues/1/comments", {"body": 5}, {}),
    "a reaction that is none": (
        "POST",
        f"{HERE}/issues/comments/1003/reactions",
        {"content": "thumbsup"},
        {},
    ),
    "a filter that is none": ("GET", f"{HERE}/pulls", None, {"state": "opened"}),
    "a parameter that is none": ("GET", f"{HERE}/pulls", None, {"status": "open"}),
    "a path that is none": ("GET", f"{HERE}/merge_requests", None, {}),
    "a number that is none": ("GET", f"{HERE}/issues/one/comments", None, {}),
    "a mutation that is none": (
        "POST",
        "graphql",
        {
            "query": "mutation($id: ID!) { hideComment(input: {subjectId: $id}) { id } }",
            "variables": {"id": "SXNzdWVDb21tZW50OjEwMDM="},
        },
        {},
    ),
    "a reason that is none": (
        "POST",
        "graphql",
        {"query": github.HIDE.replace("OUTDATED", "OLD"), "variables": {"id": "SXNzdWVDb21tZW50OjEwMDM="}},
        {},
    ),
}


def told(method: str, path: str, body: object, params: dict[str, str]) -> tuple[int, list[str]]:
    """Ask with a plain client; return the status, and what the judge found."""
    forge = Forge()
    me = forge.account("reconciler", "write")
    pull = forge.open(forge.account("ann"))
    forge.comment(pull, me, "a comment")
    fake, site, judge = judged(forge)
    fake.grant(TOKEN, me)
    with serve(site) as url, httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        reply = client.request(method, f"{url}/{path.replace('HEAD', pull.head)}", json=body, params=params)
    return reply.status_code, judge.found


@pytest.mark.parametrize(("method", "path", "body", "params"), WRONG.values(), ids=WRONG)
def test_what_github_would_not_take_is_found(method, path, body, params):
    _, found = told(method, path, body, params)
    assert found


@pytest.mark.parametrize("field", ["id", "user", "created_at", "issue_url"])
def test_an_answer_that_lacks_a_field_is_found(field: str):
    forge = Forge()
    me = forge.account("reconciler", "write")
    forge.comment(forge.open(me), me, "a comment")
    fake, site, judge = judged(forge)
    fake.grant(TOKEN, me)

    def without(request) -> Reply:
        reply = fake(request)
        del reply.body[0][field]
        return reply

    site.app = without
    with serve(site) as url, httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        client.get(f"{url}/{HERE}/issues/1/comments")
    assert len(judge.found) == 1
    assert field in judge.found[0]


@pytest.mark.parametrize(("length", "status"), [(65_536, 201), (65_537, 422)])
def test_the_length_of_a_comment_has_its_end_where_githubs_has(length: int, status: int):
    got, _ = told("POST", f"{HERE}/issues/1/comments", {"body": "x" * length}, {})
    assert got == status


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer ghp_other"}], ids=["nobody", "a stranger"])
def test_a_stranger_is_shown_nothing(headers: dict[str, str]):
    forge = Forge()
    _, site, _ = judged(forge)
    with serve(site) as url, httpx.Client(headers=headers) as client:
        assert client.get(f"{url}/{HERE}/pulls").status_code == 401


def test_the_description_holds_the_operations_that_the_adapter_names_and_no_others():
    text = "".join(Path(module.__file__ or "").read_text() for module in (github, github_app, github_checks))
    named = set(re.findall(r"(GET|POST|PATCH|PUT|DELETE) (/[\w/{}-]+)", text))
    whole = json.loads((Path(__file__).parent / "official/github.json").read_text())
    held = {(m.upper(), p) for p, methods in whole["paths"].items() for m in methods}

    def plain(found: set[tuple[str, str]]) -> list[tuple[str, str]]:
        return sorted((m, re.sub(r"\{\w+\}", "{}", p)) for m, p in found)

    assert plain(named) == plain(held)
