"""One emulator for the session, begun anew before each test."""

from collections.abc import Iterator

import pytest

from tests.emulated import Emulated, emulator


@pytest.fixture(scope="session")
def server() -> Iterator[Emulated]:
    """A server of the overlay, shared by the session's tests."""
    with emulator(product=False) as running:
        yield running


@pytest.fixture
def aws(server: Emulated) -> Emulated:
    """An empty world in which time stands still."""
    server.control.reset()
    server.control.set_speed(0)
    return server
