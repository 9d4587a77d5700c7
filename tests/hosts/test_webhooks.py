"""Webhooks wake the desk, and nothing more: GitHub's own example payloads, signed as it signs them."""

import asyncio
import hmac
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from reconciler.daemon.hooks import MOST, hooks

SECRET = "canary-of-the-hook"
EVENTS = json.loads((Path(__file__).parent / "official/webhooks.json").read_text())
PAYLOADS = [(name, json.dumps(one).encode()) for name, found in EVENTS.items() for one in found]


class Door:
    """What is served, and how often somebody was woken."""

    def __init__(self) -> None:
        self.woken = 0
        self.app = Starlette(routes=hooks(SECRET, self.wake))

    def wake(self) -> None:
        self.woken += 1

    def post(self, path: str, body: bytes, headers: Mapping[str, str | bytes]) -> int:
        async def sent() -> int:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://daemon") as client:
                raw = [(k, v if isinstance(v, bytes) else v.encode()) for k, v in headers.items()]
                return (await client.post(path, content=body, headers=raw)).status_code

        return asyncio.run(sent())

    def github(self, body: bytes, event: str, delivery: str, secret: str = SECRET) -> int:
        signature = hmac.new(secret.encode(), body, sha256).hexdigest()
        headers = {
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery,
            "X-Hub-Signature-256": f"sha256={signature}",
            "Content-Type": "application/json",
        }
        return self.post("/hooks/github", body, headers)


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.mark.parametrize(("event", "body"), PAYLOADS, ids=[f"{n}-{i}" for i, (n, _) in enumerate(PAYLOADS)])
def test_what_github_sends_wakes_the_desk_once(door: Door, event: str, body: bytes):
    assert door.github(body, event, "delivery-1") == 202
    assert door.github(body, event, "delivery-1") == 202
    assert door.woken == 1
    assert door.github(body, event, "delivery-2") == 202
    assert door.woken == 2


def test_a_body_that_was_changed_on_its_way_wakes_nobody(door: Door):
    event, body = PAYLOADS[0]
    signature = hmac.new(SECRET.encode(), body, sha256).hexdigest()
    for sent, said in (
        (body + b" ", f"sha256={signature}"),
        (body, f"sha1={signature}"),
        (body, signature),
        (body, ""),
        (body, "sha256="),
        (body, "sha256=\xe9"),
    ):
        headers = {"X-Hub-Signature-256": said.encode("latin-1"), "X-GitHub-Delivery": event}
        assert door.post("/hooks/github", sent, headers) == 401
    assert door.github(body, event, "d", secret="another") == 401
    assert door.woken == 0


@pytest.mark.parametrize(("length", "status"), [(MOST, 202), (MOST + 1, 413)])
def test_a_body_has_a_largest_size(door: Door, length: int, status: int):
    assert door.github(b"x" * length, "push", "d") == status
    assert door.woken == (status == 202)


@pytest.mark.parametrize(("token", "status"), [(SECRET, 202), ("", 401), ("canary", 401), ("\xe9", 401)])
def test_gitlab_says_the_secret_itself(door: Door, token: str, status: int):
    headers = {"X-Gitlab-Token": token.encode("latin-1"), "X-Gitlab-Event-UUID": "d"}
    assert door.post("/hooks/gitlab", b"{}", headers) == status
    assert door.woken == (status == 202)


def test_without_a_secret_there_is_no_door():
    assert hooks("", lambda: None) == []
