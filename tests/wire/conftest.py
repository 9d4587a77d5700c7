"""One emulator for the session, begun anew with the company's world for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulated import Emulated, emulator
from tests.lives import Lives, lives
from tests.product import Product


@pytest.fixture(scope="session")
def server() -> Iterator[Emulated]:
    """A server of the overlay, shared by the session's tests."""
    with emulator(company=True) as running:
        yield running


@pytest.fixture
def aws(server: Emulated) -> Emulated:
    """The company's world, in which time stands still."""
    server.control.reset()
    server.control.set_speed(0)
    server.control.seed_company()
    return server


@pytest.fixture
def product(aws: Emulated, tmp_path: Path) -> Product:
    """The program over that world, with an empty repository."""
    return Product(aws=aws, folder=tmp_path)


@pytest.fixture
def born(product: Product, aws: Emulated, tmp_path: Path) -> Iterator[Lives]:
    """A mother of lives over the product's repository."""
    with lives(aws, product.company.bare, tmp_path / "cache") as mother:
        yield mother
