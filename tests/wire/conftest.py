"""One emulator for the session, begun anew with the company's world for each test."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulated import Emulated, emulator
from tests.lives import Lives, mother_of_lives
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


@pytest.fixture(scope="session")
def mother(server: Emulated) -> Iterator["subprocess.Popen[bytes]"]:
    """A mother of lives, warm once for the session's tests."""
    with mother_of_lives(server) as process:
        yield process


@pytest.fixture
def born(product: Product, mother: "subprocess.Popen[bytes]", tmp_path: Path) -> Iterator[Lives]:
    """Lives over the product's repository."""
    lives = Lives(mother, product.aws, product.company.bare, tmp_path / "cache")
    yield lives
    lives.end()
