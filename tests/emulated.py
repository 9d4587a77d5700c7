"""What tests need of the emulator: a server in a process of its own, boto3 clients, its control API.

Use `emulator()` as a context manager (a fixture per session or module), then for each test:

    with emulator(company=True) as aws:          # time stands still until `aws.control.advance(...)`
        ec2 = aws.client("ec2")                  # eu-west-1, account 123456789012
        env = aws.env()                          # for a subprocess of the product
        aws.control.fault("lost", service="ec2", operation="CreateLaunchTemplate")
        aws.control.reset()                      # between tests that share a server

The server ends with the block, and by itself when this process dies. At its end every call that the
product made is judged (`tests.recorded`); tests of the emulator itself say `product=False`.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from emulator.client import Client
from tests import recorded

ROOT = Path(__file__).resolve().parents[1]
ACCOUNT = "123456789012"
REGION = "eu-west-1"
START = "2026-06-01T08:00:00+00:00"  # a Monday, outside the sample company's freeze


@dataclass(frozen=True, slots=True)
class Control(Client):
    """The control API, which keeps the calls that it is told to forget: all are judged at the end."""

    kept: list[recorded.Call] = field(default_factory=list)

    def clear_calls(self) -> None:
        """See `Client.clear_calls`."""
        self.kept.extend(self.calls())
        super(Control, self).clear_calls()  # slots make another class of this one

    def reset(self) -> None:
        """See `Client.reset`."""
        self.kept.extend(self.calls())
        super(Control, self).reset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulated:
    """A running emulator."""

    url: str
    control: Control
    opened: dict[Any, Any] = field(default_factory=dict, repr=False)  # the product's connections to it
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)

    def client(self, service: str, region: str = REGION) -> Any:
        """Return a boto3 client with test credentials that sends each call once; made once."""
        key = (service, region)
        if key not in self._clients:
            self._clients[key] = client(self.url, service, region)
        return self._clients[key]

    def env(self, region: str = REGION) -> dict[str, str]:
        """Return the environment in which any AWS tool reaches this emulator and nothing else."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            **_VARIABLES,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": region,
        }


_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@cache
def _session() -> Any:
    import boto3  # noqa: TID251  # tests look at AWS past the product

    return boto3.Session(aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="example")


def client(url: str, service: str, region: str = REGION, **credentials: str) -> Any:
    """Return a boto3 client of an endpoint. `credentials` may name those of an assumed role."""
    from botocore.config import Config

    once = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)
    return _session().client(service, region_name=region, endpoint_url=url, config=once, **credentials)


@contextmanager
def emulator(
    *,
    company: bool = False,
    plain: bool = False,
    speed: float = 0,
    start: str = START,
    product: bool = True,
) -> Iterator[Emulated]:
    """Run an emulator in a process of its own. With `speed` 0 only `control.advance` moves time.

    Plain moto keeps real time, whatever `speed` and `start` say: its own timestamps do.
    Raises: AssertionError at the end for a call that the product may not make, or if it made none.
    """
    options = [f"--parent={os.getpid()}", *["--company"] * company]
    options += ["--plain"] if plain else [f"--speed={speed}", f"--start={start}"]
    server = subprocess.Popen(
        [sys.executable, "-m", "emulator", *options], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout
    try:
        url = server.stdout.readline().strip()
        if not url:
            raise RuntimeError(f"the emulator did not start (exit {server.wait(timeout=10)})")
        aws = Emulated(url=url, control=Control(url))
        yield aws
        for connection in aws.opened.values():
            connection.close()
        if product:
            recorded.check([*aws.control.kept, *aws.control.calls()])
    finally:
        server.terminate()
        server.wait(timeout=10)
        server.stdout.close()
