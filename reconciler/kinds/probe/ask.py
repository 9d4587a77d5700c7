"""Asking a balancer over HTTP, as its clients would: no proxy, no redirect followed, no body read."""

import ssl
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Final

from reconciler.gateway.errors import redacted
from reconciler.gateway.session import Aws
from reconciler.kinds.probe.live import Probed
from reconciler.kinds.probe.want import Probe

if TYPE_CHECKING:
    import httpx

SECONDS: Final = 5.0
"""For one answer, the connection included. A probe of ten answers that are just not late takes 50 s."""

TRIES: Final = 2  # of one request that gets no answer: a lost packet is not the balancer's fault
AGENT: Final = "reconciler-probe"
USUAL_PORTS: Final = {True: 443, False: 80}


def read(aws: Aws, probes: frozenset[Probe]) -> tuple[Probed, ...]:
    """Ask each balancer until it answered as often as wanted, or otherwise once. What
    keeps it from answering is told as its answer.
    """
    return tuple(aws.each(ask, sorted(probes)))


def ask(probe: Probe, seconds: float = SECONDS) -> Probed:
    """Return how a balancer answered: it passes with `times` answers of `status` in a row."""
    import asyncio

    for passes in range(probe.times):
        answer = _answer(lambda: asyncio.run(asyncio.wait_for(_get(probe), seconds)), seconds)
        if answer != str(probe.status):
            return Probed(probe=probe, passes=passes, answer=answer)
    return Probed(probe=probe, passes=probe.times)


def _answer(get: Callable[[], int], seconds: float) -> str:
    import httpx

    why = ""
    for _ in range(TRIES):
        try:
            return str(get())
        except TimeoutError:
            why = f"no answer within {seconds:g} s"
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            why = f"no answer: {redacted(str(error)) or type(error).__name__}"
    return why


async def _get(probe: Probe) -> int:
    scheme = "https" if probe.secure else "http"
    usual = probe.port == USUAL_PORTS[probe.secure]
    headers = {
        "Host": probe.header if usual else f"{probe.header}:{probe.port}",
        "User-Agent": AGENT,
        "Connection": "close",
    }
    url = f"{scheme}://{probe.host}:{probe.port}{probe.path}"
    async with _client() as client:
        request = client.build_request("GET", url, headers=headers, extensions={"sni_hostname": probe.header})
        answer = await client.send(request, stream=True)
        try:
            return answer.status_code
        finally:
            await answer.aclose()


def _client() -> "httpx.AsyncClient":
    import httpx

    # its own time limits are off: they begin anew with each byte, `ask` has one for the whole
    return httpx.AsyncClient(verify=_trusted(), trust_env=False, follow_redirects=False, timeout=None)  # noqa: S113


@cache
def _trusted() -> ssl.SSLContext:
    """Return what OpenSSL trusts here, `SSL_CERT_FILE` included: a private authority can be added."""
    return ssl.create_default_context()
