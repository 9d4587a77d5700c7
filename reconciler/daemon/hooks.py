"""`POST /hooks/github` and `/hooks/gitlab`: checked, and then only a reason to look now.

Nothing in the body is believed: what there is to know is asked of the repository and of the host.
"""

import hmac
from collections import deque
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

MOST: Final = 1_000_000  # bytes of a body; GitHub's own cap is 25 MB, and nothing of it is read
REMEMBERED: Final = 1_000  # ids of deliveries, so that one that is sent again wakes nobody
Endpoint = Callable[[Request], Awaitable[Response]]


def hooks(secret: str, wake: Callable[[], None]) -> list[Route]:
    """Return the routes of the webhooks; none without a secret."""
    if not secret:
        return []
    seen: deque[str] = deque(maxlen=REMEMBERED)

    async def github(request: Request) -> Response:
        """Check GitHub's HMAC over the raw bytes (Validating webhook deliveries)."""
        body = await _body(request)
        if body is None:
            return Response("too large", status_code=413)
        wanted = "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()
        said = request.headers.get("X-Hub-Signature-256", "")
        return _woken(request, "X-GitHub-Delivery", good=hmac.compare_digest(wanted.encode(), said.encode()))

    async def gitlab(request: Request) -> Response:
        """Check GitLab's secret token (Webhooks)."""
        if await _body(request) is None:
            return Response("too large", status_code=413)
        said = request.headers.get("X-Gitlab-Token", "")
        good = hmac.compare_digest(secret.encode(), said.encode())
        return _woken(request, "X-Gitlab-Event-UUID", good=good)

    def _woken(request: Request, header: str, *, good: bool) -> Response:
        if not good:
            return Response("the signature is not ours", status_code=401)
        delivery = request.headers.get(header, "")[:100]
        if not delivery or delivery not in seen:
            seen.append(delivery)
            wake()
        return Response(status_code=202)

    return [
        Route("/hooks/github", github, methods=["POST"]),
        Route("/hooks/gitlab", gitlab, methods=["POST"]),
    ]


async def _body(request: Request) -> bytes | None:
    """Return the raw body, or None once it is too large."""
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > MOST:
            return None
    return bytes(found)
