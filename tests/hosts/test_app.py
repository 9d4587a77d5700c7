"""A GitHub App: its tokens last an hour, and nobody notices."""

import time
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from reconciler.hosts.access import Access, open_host
from reconciler.hosts.github import GitHub
from reconciler.hosts.github_app import EARLY, AppToken
from reconciler.hosts.model import HostError, State, Status
from tests.hosts.conftest import Stage, keys

pytestmark = pytest.mark.slow

PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8
PLAIN = serialization.NoEncryption()


def tokens(stage: Stage) -> int:
    """How many were asked for."""
    return sum("access_tokens" in c.path for c in stage.site.calls)


def test_a_token_is_taken_once_and_renewed_before_its_end(by_app: Stage):
    by_app.forge.open(by_app.forge.account("ann"))
    for minute in range(0, 180, 5):
        by_app.host.pulls()
        assert tokens(by_app) == 1 + minute // 50, minute
        by_app.clock.now += 300
    assert [c.status for c in by_app.site.calls if c.status >= 400] == []


def test_a_token_that_is_handed_out_holds_for_ten_minutes(by_app: Stage):
    assert by_app.token
    for _ in range(200):
        token = by_app.token()
        ends = by_app.site.app.tokens[token].ends  # type: ignore[attr-defined]
        assert ends - by_app.forge.now() >= timedelta(seconds=EARLY)
        by_app.clock.now += 61


@pytest.mark.parametrize("write", [False, True], ids=["reading", "writing"])
def test_a_token_that_ended_early_is_replaced_and_the_call_is_made_once(by_app: Stage, write: bool):
    pull = by_app.forge.open(by_app.forge.account("ann"))
    by_app.host.pulls()
    by_app.site.app.tokens.clear()  # type: ignore[attr-defined]
    if write:
        by_app.host.set_status(pull.head, Status(state=State.SUCCESS, description="x"))
        assert len(by_app.forge.statuses) == 1
    else:
        assert len(by_app.host.pulls()) == 1
    assert tokens(by_app) == 2


def test_an_app_that_was_taken_away_is_an_operators_matter(by_app: Stage):
    by_app.host.pulls()
    by_app.site.app.tokens.clear()  # type: ignore[attr-defined]
    by_app.site.app.app = None  # type: ignore[attr-defined]
    with pytest.raises(HostError, match="401 A JSON web token could not be decoded"):
        by_app.host.pulls()


def test_a_permission_that_the_app_lacks_is_named_by_the_host(by_app: Stage):
    by_app.site.app.app.permissions["statuses"] = "read"  # type: ignore[attr-defined]
    with pytest.raises(HostError, match="422 The permissions requested are not granted"):
        by_app.host.pulls()


def test_an_app_is_a_bot_and_does_not_obey_itself(by_app: Stage):
    me = by_app.host.me()
    assert (me.login, me.bot) == ("reconciler[bot]", True)
    assert not by_app.host.may_write(me)


def test_a_clock_that_is_wrong_by_a_minute_does_not_matter(by_app: Stage):
    for wrong in (-59, 59):
        token = AppToken(
            "acme/fleet", "12345", keys()[0], by_app.host.base, now=lambda w=wrong: by_app.clock() + w
        )
        host = GitHub("acme/fleet", token, by_app.host.base)
        assert host.pulls() == ()
        host.close()
        token.close()


BROKEN = {
    "no key at all": "",
    "some text": "-----BEGIN RSA PRIVATE KEY-----\ncanary\n-----END RSA PRIVATE KEY-----\n",
    "the public half": keys()[1],
    "a key of another kind": ec.generate_private_key(ec.SECP256R1())
    .private_bytes(PEM, PKCS8, PLAIN)
    .decode(),
    "a key with a password": rsa.generate_private_key(65_537, 2_048)
    .private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"canary"))
    .decode(),
}


@pytest.mark.parametrize("key", BROKEN.values(), ids=BROKEN)
def test_a_key_that_can_not_sign_is_told_in_a_sentence(by_app: Stage, key: str):
    token = AppToken("acme/fleet", "12345", key, by_app.host.base)
    with pytest.raises(HostError, match="must be the RSA key that GitHub gave") as refused:
        token()
    assert refused.value.__context__ is None
    assert by_app.site.calls == []
    assert not key or key not in repr(token)
    token.close()


def test_a_key_that_is_another_apps_is_refused_by_the_host(by_app: Stage):
    other = rsa.generate_private_key(65_537, 2_048).private_bytes(PEM, PKCS8, PLAIN).decode()
    token = AppToken("acme/fleet", "12345", other, by_app.host.base)
    with pytest.raises(HostError, match="401 A JSON web token could not be decoded"):
        token()
    token.close()


def test_a_host_is_opened_by_what_an_operator_says(by_app: Stage, tmp_path):
    (tmp_path / "app.pem").write_text(keys()[0])
    access = Access(
        kind="github",
        url="https://github.com/acme/fleet.git",
        api=by_app.host.base,
        app="12345",
        app_key=str(tmp_path / "app.pem"),
    )
    by_app.clock.now = time.time()
    host = open_host(access)
    assert isinstance(host, GitHub)
    assert host.me().login == "reconciler[bot]"
    host.close()
    with pytest.raises(HostError, match="private key can't be read"):
        open_host(Access(kind="github", url="git@github.com:acme/fleet.git", app="1", app_key=str(tmp_path)))
