"""A GitHub App's tokens: each for one repository, for an hour, renewed before its end."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx
import jwt

from reconciler.hosts.github import API, VERSION
from reconciler.hosts.http import Api
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


@dataclass(slots=True)
class AppToken:
    """The token of an App's installation in one repository. Call it for the token to use now."""

    repository: str  # owner/name
    app: str  # App id or client id
    key: str  # PEM
    base: str = API
    transport: httpx.BaseTransport | None = None
    now: Callable[[], float] = time.time
    _api: Api = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _installation: int = 0
    _token: str = ""
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
        try:
            token = jwt.encode(claims, self.key, algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            raise HostError(f"the App's private key can't be used: {type(error).__name__}") from None
        return {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": VERSION,
        }

    def login(self) -> str:
        """Return the login of the App's bot. Source: GET /app."""
        return f"{self._api.get('app')['slug']}[bot]"

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
            self._installation = int(self._api.get(f"repos/{self.repository}/installation")["id"])
        body: dict[str, Any] = {
            "repositories": [self.repository.partition("/")[2]],
            "permissions": PERMISSIONS,
        }
        said = self._api.send("POST", f"app/installations/{self._installation}/access_tokens", body)
        self._token = str(said["token"])
        self._ends = datetime.fromisoformat(said["expires_at"]).timestamp()
