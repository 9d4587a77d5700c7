"""What the library remembers of a history changes what it costs, never what it says."""

from pathlib import Path

import pytest

from reconciler.core.ids import Commit
from reconciler.source.git import Repository
from reconciler.source.load import load
from reconciler.source.repository import MOST_TREES, Library
from reconciler.spec.desired import Desired
from tests.repositories import Company, broken, target

pytestmark = pytest.mark.slow


def library_of(folder: Path, *history: dict[str, str | None]) -> tuple[Library, list[Commit]]:
    company = Company(folder / "git")
    commits = [Commit(company.commit(files)) for files in history]
    library = Library(Repository(str(company.bare), folder / "mirror.git"))
    library.repository.fetch(commits[-1])
    return library, commits


def test_every_commit_reads_as_it_does_alone_however_many_were_read_before(tmp_path: Path) -> None:
    library, commits = library_of(
        tmp_path,
        {"a.yaml": target()},
        {"b.yaml": target("other", "us-east-1")},
        {"a.yaml": broken()},
        {"a.yaml": target("renamed")},
        {"b.yaml": None},
    )
    for commit in (*commits, *reversed(commits)):
        alone = load(library.repository.tree(commit))
        found = library.at(commit)
        assert found == alone
        assert isinstance(found, Desired) == (commit != commits[2])


HEAD = "apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"
IMAGE = HEAD.format(kind="Image", name="base", spec="{targets: [prod], architecture: arm64, ami: ami-0abc}")
FLEET = HEAD.format(
    kind="Fleet",
    name="web",
    spec="{profiles: [common], targets: [prod], image: base, placement: {subnets: [subnet-0abc]},"
    " launch: {instanceTypes: [t4g.small], userData: {file: web.sh}}}",
)


def profile(most: int) -> str:
    return HEAD.format(
        kind="Profile", name="common", spec=f"{{capacity: {{min: 1, max: {most}, desired: 1}}}}"
    )


def test_a_fleet_follows_its_profile_and_its_files_though_its_own_is_as_it_was(tmp_path: Path) -> None:
    library, commits = library_of(
        tmp_path,
        {"a.yaml": target(), "i.yaml": IMAGE, "p.yaml": profile(2), "web.sh": "#!/bin/sh\n", "f.yaml": FLEET},
        {"p.yaml": profile(3)},
        {"web.sh": "#!/bin/sh\nexec web\n"},
        {"p.yaml": "\n" + profile(3)},
    )
    for commit in (*commits, *commits):
        found = library.at(commit)
        assert found == load(library.repository.tree(commit))
        assert isinstance(found, Desired)
        (fleet,) = found.fleets
        assert fleet.spec.capacity.max == (2 if commit == commits[0] else 3)
        assert fleet.user_data == (b"#!/bin/sh\n" if commit in commits[:2] else b"#!/bin/sh\nexec web\n")
        at = fleet.where("spec.capacity.max")
        assert at
        assert (at.file, at.line) == ("p.yaml", 5 if commit == commits[3] else 4)


def test_a_file_that_a_commit_left_as_it_was_is_read_once(tmp_path: Path) -> None:
    library, (first, second) = library_of(
        tmp_path, {"a.yaml": target()}, {"b.yaml": target("other", "us-east-1")}
    )
    library.at(first)
    before = library.documents.files["a.yaml"]
    library.at(second)
    assert library.documents.files["a.yaml"] is before


def test_old_desired_states_are_let_go(tmp_path: Path) -> None:
    history: list[dict[str, str | None]] = [{"a.yaml": target(f"t{n}")} for n in range(MOST_TREES + 3)]
    library, commits = library_of(tmp_path, *history)
    kept = library.at(commits[0])
    for commit in commits[1:]:
        library.at(commit)
        assert library.at(commits[0]) is kept  # what is in use stays
        assert len(library.trees) <= MOST_TREES


def test_ancestry_is_told_of_each_commit_whatever_was_asked_before(tmp_path: Path) -> None:
    library, (first, second, third) = library_of(
        tmp_path, {"a.yaml": target()}, {"a.yaml": target("b")}, {"a.yaml": target("c")}
    )
    repository = library.repository
    nowhere, garbled = "f" * 40, "applied"
    for _ in range(2):
        assert repository.ancestors(second, [first, second, third, nowhere, garbled]) == {first, second}
        assert repository.ancestors(third, [third, nowhere]) == {third}
        assert repository.ancestors(first, [second]) == frozenset()
        assert repository.ancestors(Commit(nowhere), [first]) == frozenset()
