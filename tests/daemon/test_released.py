"""What leaves git is said: nothing there is touched any more."""

from pathlib import Path

from reconciler.daemon.loop import zones_released
from reconciler.source.git import Repository
from reconciler.source.repository import Adopted, Library
from tests.plan.house import IMAGE, TARGET, fleet, zone
from tests.repositories import Company


def test_a_zone_that_left_git_is_told_once_after_a_restart_too(tmp_path: Path) -> None:
    company = Company(tmp_path / "git")
    company.commit({"base.yaml": f"{TARGET}---\n{IMAGE}---\n{fleet()}", "zone.yaml": zone()})
    library = Library(Repository(str(company.bare), tmp_path / "mirror.git"))

    def adopted() -> Adopted:
        library.repository.fetch(library.repository.head())
        found = library.adopt(library.repository.head())
        assert isinstance(found, Adopted)
        return found

    before = adopted()
    assert zones_released(None, before) == ()
    company.commit({"zone.yaml": None})
    now = adopted()
    (event,) = zones_released(before, now)
    assert (event.zone, event.domain) == ("example-com", "example.com")
    assert zones_released(None, now) == (event,)
    assert zones_released(now, now) == ()
