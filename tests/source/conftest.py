"""Somebody's repository, files of allowed keys, and whoever judges by them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.source.git import Repository
from reconciler.source.policy import Rule
from reconciler.source.signatures import Signatures
from tests.repositories import Company
from tests.signing import Signer, allowed, gpg_signer, ssh_signer, stop_agent

PAST = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class People:
    """Ann may sign. Eve may not."""

    ann: Signer
    eve: Signer
    gpg_ann: Signer
    gpg_eve: Signer
    gpg_late: Signer  # expired long ago


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    folder = tmp_path_factory.mktemp("keys")
    homes = [folder / name for name in ("ann", "eve", "late")]
    yield People(
        ssh_signer(folder, "ann"),
        ssh_signer(folder, "eve"),
        gpg_signer(homes[0]),
        gpg_signer(homes[1]),
        gpg_signer(homes[2], at=PAST, expires="30d"),
    )
    for home in homes:
        stop_agent(home)


@dataclass(slots=True)
class Place:
    """A company's repository, files of allowed keys, and whoever judges by them."""

    folder: Path
    company: Company
    people: People

    def rule(self, *paths: str, gpg: str = "", since: str | None = None) -> Rule:
        files: dict[str, Path] = {"signers": self.folder / "signers"}
        if gpg:
            (self.folder / "keyring").write_text(gpg)
            files = {"keyring": self.folder / "keyring"}
        return Rule(paths=paths or ("fleets/**",), since=since, **files)

    def judge(self, *rules: Rule, path: str = "") -> Signatures:
        mirror = Repository(str(self.company.bare), self.folder / "mirror")
        return Signatures(
            repository=mirror, rules=rules or (self.rule(),), cache=self.folder / "cache", path=path
        )

    def told(self, judge: Signatures | None = None) -> list[tuple[str, str]]:
        """Files, and the commits that stand against adopting the newest one."""
        judge = judge or self.judge()
        newest = judge.repository.head()
        judge.repository.fetch(newest)
        return [(p.at.file, p.by) for p in judge.problems(newest)]


@pytest.fixture
def place(tmp_path: Path, people: People) -> Place:
    allowed(tmp_path / "signers", people.ann)
    return Place(tmp_path, Company(tmp_path / "company"), people)
