"""What several tests of the daemon share."""

from pathlib import Path

import pytest

from tests.daemon.office import Office, opened


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return opened(tmp_path / "office")
