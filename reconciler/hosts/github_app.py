"""A GitHub App's tokens: each for one repository, for an hour, renewed before its end."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx
import jwt

from reconciler.hosts.github import API, VERSION
from reconciler.hosts.http import Api, understood
from reconciler.hosts.model import HostError

EARLY: Final = 600  # seconds before its end at which a token is renewed
LIFE: Final = 540  # seconds of the App's own token; GitHub takes at most 600
SKEW: Final = 60  # seconds that clocks may differ
PERMISSIONS: Final = {
    "contents": "read",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}
CHECKS: Final = {"checks": "write"}  # asked for where the installation has it: older ones do without


@dataclass(slots=True)
class AppToken:
    """The token of an App's installation in one repository. Call it for the token to use now."""

    repository: str  # owner/name
    app: str  # App id or client id
    key: str = field(repr=False)  # PEM
    base: str = API
    transport: httpx.BaseTransport | None = None
    now: Callable[[], float] = time.time
    _api: Api = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _installation: int = 0
    _checks: bool = False
    _token: str = field(default="", repr=False)
    _ends: float = 0.0  # seconds since 1970

    def __post_init__(self) -> None:
        """Open the API with the App's own token."""
        self._api = Api(self.base, self._headers, self.transport)

    def close(self) -> None:
        """Let go of the connections."""
        self._api.close()

    def _headers(self) -> Mapping[str, str]:
        now = int(self.now())
        claims = {"iat": now - SKEW, "exp": now + LIFE, "iss": self.app}
        token = ""
        with suppress(ValueError, TypeError, AttributeError, NotImplementedError, jwt.PyJWTError):
            token = jwt.encode(claims, self.key, algorithm="RS256")
        if not token:  # raised here, where no cause holds the key
            raise HostError(
                "the App's private key can't be used: it must be the RSA key that GitHub gave as a .pem file,"
                " unencrypted"
            )
        return {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": VERSION,
        }

    def login(self) -> str:
        """Return the login of the App's bot. Source: GET /app."""
        said = self._api.get("app")
        with understood("the App"):
            return f"{said['slug']}[bot]"

    def may_check(self) -> bool:
        """May it make check runs, as its installation says. Raises: HostError, HostBusyError."""
        self()
        return self._checks

    def forget(self) -> None:
        """Take another token the next time: the host does not take this one."""
        with self._lock:
            self._token, self._ends = "", 0.0

    def __call__(self) -> str:
        """Return a token that holds for ten minutes at least.

        Source: GET /repos/{owner}/{repo}/installation; POST /app/installations/{id}/access_tokens.
        Raises: HostError, HostBusyError.
        """
        with self._lock:
            if self.now() >= self._ends - EARLY:
                self._renew()
            return self._token

    def _renew(self) -> None:
        if not self._installation:
            found = self._api.get(f"repos/{self.repository}/installation")
            with understood("the App's installation"):
                self._installation = int(found["id"])
                self._checks = CHECKS.items() <= found["permissions"].items()
        body: dict[str, Any] = {
            "repositories": [self.repository.partition("/")[2]],
            "permissions": {**PERMISSIONS, **(CHECKS if self._checks else {})},
        }
        said = self._api.send("POST", f"app/installations/{self._installation}/access_tokens", body)
        with understood("the App's token"):
            self._token = str(said["token"])
            self._ends = datetime.fromisoformat(said["expires_at"]).timestamp()
