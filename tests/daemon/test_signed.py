"""What is in force where commits must be signed: the daemon's follower, the command line, and the desk."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.daemon.follow import UNKNOWN, Follower, Standing
from reconciler.daemon.session import InvalidCommitError, open_session
from reconciler.daemon.settings import Settings, SettingsError
from reconciler.report.event import Event
from reconciler.report.events import CommitAdopted, CommitRejected, CommitStale
from reconciler.source.git import Repository, SourceError
from reconciler.source.policy import Rule
from reconciler.source.repository import Library
from reconciler.source.signatures import Signatures
from tests.daemon.office import Office
from tests.plan.house import fleet
from tests.repositories import Company, broken, target
from tests.signing import Signer, allowed, commit, ssh_signer

pytestmark = pytest.mark.slow

Look = Callable[[], tuple[str | None, list[type[Event]]]]


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path / "git")


@pytest.fixture
def ann(tmp_path: Path) -> Signer:
    signer = ssh_signer(tmp_path, "ann")
    allowed(tmp_path / "signers", signer)
    return signer


def judged(repository: Repository, folder: Path, *paths: str, path: str = "") -> Signatures:
    rule = Rule(paths=paths or ("**",), signers=folder / "signers")
    return Signatures(repository=repository, rules=(rule,), cache=folder / "cache", path=path)


@pytest.fixture
def follower(company: Company, tmp_path: Path) -> Follower:
    repository = Repository(str(company.bare), tmp_path / "mirror")
    return Follower(library=Library(repository, signatures=judged(repository, tmp_path)), ref=None)


@pytest.fixture
def look(follower: Follower) -> Look:
    """Follow once more; return what is in force and what was told."""
    standing: list[Standing] = [UNKNOWN]

    def once() -> tuple[str | None, list[type[Event]]]:
        standing[0], events = follower.look(standing[0])
        adopted = standing[0].adopted
        return (adopted.commit if adopted else None), [type(e) for e in events]

    return once


def test_what_nobody_signed_is_not_adopted_and_a_signed_change_brings_it(
    company: Company, ann: Signer, look: Look
) -> None:
    good = commit(company, {"t.yaml": target()}, ann)
    assert look() == (good, [CommitAdopted])
    commit(company, {"t.yaml": target() + "# more\n"})
    assert look() == (good, [CommitRejected, CommitStale])
    assert look() == (good, [])
    signed = commit(company, {"t.yaml": target() + "# mine\n"}, ann)
    assert look() == (signed, [CommitAdopted])


def test_the_refusal_names_the_file_the_commit_and_what_to_do(
    company: Company, ann: Signer, follower: Follower
) -> None:
    made = commit(company, {"t.yaml": target()})
    newest = commit(company, {"u.yaml": broken()}, ann)
    _, events = follower.look(UNKNOWN)
    invalid, unsigned = [e for e in events if isinstance(e, CommitRejected)]
    assert (invalid.commit, invalid.at, invalid.unsigned) == (newest, "u.yaml:2:7", "")
    assert (unsigned.commit, unsigned.at, unsigned.unsigned) == (newest, "t.yaml:1:1", made)
    assert (unsigned.number, unsigned.problems) == (2, 2)
    assert "git revert -S" in unsigned.fix


def test_at_a_start_the_newest_ancestor_that_is_signed_is_in_force_and_none_where_there_is_none(
    company: Company, ann: Signer, look: Look
) -> None:
    good = commit(company, {"t.yaml": target()}, ann)
    commit(company, {"t.yaml": target() + "# 1\n"})
    commit(company, {"t.yaml": target() + "# 2\n"})
    assert look() == (good, [CommitRejected, CommitAdopted, CommitStale])


def test_at_a_start_without_any_signed_commit_none_is_in_force(
    company: Company, ann: Signer, look: Look
) -> None:
    commit(company, {"t.yaml": target()})
    assert look() == (None, [CommitRejected, CommitStale])


def test_a_key_that_is_put_in_or_taken_out_counts_without_a_new_commit(
    company: Company, ann: Signer, look: Look, tmp_path: Path
) -> None:
    eve = ssh_signer(tmp_path, "eve")
    good = commit(company, {"t.yaml": target()}, ann)
    look()
    second = commit(company, {"u.yaml": target("other", "us-east-1")}, eve)
    assert look() == (good, [CommitRejected, CommitStale])
    allowed(tmp_path / "signers", ann, eve)
    assert look() == (second, [CommitAdopted])
    allowed(tmp_path / "signers", ann)
    assert look() == (second, [CommitRejected, CommitStale]), "what is in force is not undone"


def test_a_file_of_keys_that_vanishes_stops_every_news(
    company: Company, ann: Signer, look: Look, tmp_path: Path
) -> None:
    good = commit(company, {"t.yaml": target()}, ann)
    assert look() == (good, [CommitAdopted])
    (tmp_path / "signers").rename(tmp_path / "away")
    with pytest.raises(SourceError, match="signers can't be read"):
        look()
    signed = commit(company, {"t.yaml": target() + "# mine\n"}, ann)
    with pytest.raises(SourceError, match="nothing more is adopted until it can"):
        look()
    (tmp_path / "away").rename(tmp_path / "signers")
    assert look() == (signed, [CommitAdopted])


# -- settings and the command line ---------------------------------------------------------------


def settings(company: Company, folder: Path, signers: Path) -> Settings:
    rules = [{"paths": ["**"], "signers": str(signers)}]
    return Settings(repo=str(company.bare), cache=folder / "cache", verify_signatures=rules)


def test_the_command_line_takes_no_commit_that_is_not_signed(
    company: Company, ann: Signer, tmp_path: Path
) -> None:
    commit(company, {"t.yaml": target()})
    with pytest.raises(InvalidCommitError) as raised:
        open_session(settings(company, tmp_path, tmp_path / "signers"), writes=False)
    assert "no allowed key signed that commit" in str(raised.value.problems[0])
    signed = commit(company, {"t.yaml": target() + "# mine\n"}, ann)
    with open_session(settings(company, tmp_path, tmp_path / "signers"), writes=False) as session:
        assert session.adopted.commit == signed


def test_keys_in_the_repository_guard_nothing(company: Company, ann: Signer, tmp_path: Path) -> None:
    commit(company, {"t.yaml": target()}, ann)
    inside = allowed(company.bare / "signers", ann)
    with pytest.raises(SettingsError, match="lies in the repository that it guards"):
        open_session(settings(company, tmp_path, inside), writes=False)


def test_rules_are_read_from_the_file_and_from_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reconciler.toml").write_text(
        '[[verify_signatures]]\npaths = ["a/**"]\nsigners = "/etc/s"\n'
        '[[verify_signatures]]\npaths = ["/b/"]\nkeyring = "/etc/k"\n'
    )
    a = Rule(paths=("a/**",), signers="/etc/s")
    assert Settings().verify_signatures == (a, Rule(paths=("b",), keyring="/etc/k"))
    monkeypatch.setenv("RECONCILER_VERIFY_SIGNATURES", '[{"paths": ["a/**"], "signers": "/etc/s"}]')
    assert Settings().verify_signatures == (a,)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("yes", "no JSON; write a list of rules"),
        ('[{"paths": [], "signers": "s"}]', r"0\.paths"),
        ('[{"paths": ["**"]}]', "a rule needs `signers`"),
        ('[{"paths": ["../x"], "signers": "s"}]', "is no pattern of paths"),
    ],
)
def test_a_rule_that_cannot_be_is_one_sentence(
    value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILER_VERIFY_SIGNATURES", value)
    with pytest.raises(SettingsError, match=says) as raised:
        Settings()
    assert "\n" not in str(raised.value)


# -- pull requests -------------------------------------------------------------------------------


@pytest.fixture
def guarded(office: Office, ann: Signer, tmp_path: Path) -> Office:
    """The office, where everything in `prod` must be signed, and where it is."""
    office.library.signatures = judged(office.library.repository, tmp_path, "prod/**")
    return office


def test_a_pull_request_that_touches_guarded_files_is_planned_and_says_who_must_sign(
    guarded: Office,
) -> None:
    head = guarded.propose(7, {"prod/a.yaml": fleet("a"), "prod/b.yaml": fleet("b")})
    guarded.propose(8, {"dev.yaml": fleet("c")})
    guarded.look()
    (first,), (second,) = guarded.host.ours(7), guarded.host.ours(8)
    assert guarded.host.state(head) == "success"
    (line,) = [x for x in first.body.splitlines() if "Signature:" in x]
    assert "rule 1 of `verify_signatures` (`prod/**`) guards `prod/a.yaml` and 1 more" in line
    assert "the merge commit must be signed by a key that it allows" in line
    assert "Signature:" not in second.body


def test_a_guarded_file_that_holds_no_document_is_told_as_well(guarded: Office) -> None:
    guarded.propose(7, {"prod/README.md": "text"})
    guarded.look()
    (note,) = guarded.host.ours(7)
    assert "guards `prod/README.md`:" in note.body
    assert "nothing live would change" in note.body
