"""Whose keys count: real ones of ssh and GnuPG; never the machine's own, and none where they are missing."""

import os
import shutil

import pytest

from reconciler.core.ids import Commit
from reconciler.source.git import SourceError
from reconciler.source.policy import Rule
from reconciler.source.signatures import Unsigned
from tests.signing import allowed, commit
from tests.source.conftest import Place

pytestmark = pytest.mark.slow

IN_PAST = "2020-01-05T00:00:00Z"


def web(text: str | None = "1") -> dict[str, str | None]:
    return {"fleets/web.yaml": text}


@pytest.mark.parametrize(
    ("options", "when", "good"),
    [
        ('valid-before="20200201"', IN_PAST, True),
        ('valid-before="20200201"', "", False),
        ('valid-after="20200201"', IN_PAST, False),
        ('namespaces="git"', "", True),
        ('namespaces="file"', "", False),
    ],
)
def test_what_an_allowed_signer_may_is_said_in_the_words_of_ssh(
    place: Place, options: str, when: str, good: bool
) -> None:
    allowed(place.folder / "signers", place.people.ann, options=options)
    made = commit(place.company, web(), place.people.ann, when=when)
    assert place.told() == ([] if good else [("fleets/web.yaml", made)])


@pytest.mark.parametrize(
    ("who", "when", "good"),
    [("gpg_ann", "", True), ("gpg_eve", "", False), ("gpg_late", IN_PAST, False), ("ann", "", False)],
)
def test_a_keyring_allows_its_own_keys_that_are_not_expired(
    place: Place, who: str, when: str, good: bool
) -> None:
    ring = place.people.gpg_late if who == "gpg_late" else place.people.gpg_ann
    made = commit(place.company, web(), getattr(place.people, who), when=when)
    told = place.told(place.judge(place.rule(gpg=ring.public)))
    assert told == ([] if good else [("fleets/web.yaml", made)])


def test_either_kind_of_key_is_enough_where_a_rule_has_both(place: Place) -> None:
    rule = Rule(
        paths=("**",),
        signers=place.folder / "signers",
        keyring=place.rule(gpg=place.people.gpg_ann.public).keyring,
    )
    commit(place.company, web(), place.people.ann)
    commit(place.company, {"x": "1"}, place.people.gpg_ann)
    assert place.told(place.judge(rule)) == []


def test_keys_and_configuration_of_the_machine_do_not_count(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_ssh = commit(place.company, web(), place.people.eve)
    by_gpg = commit(place.company, {"fleets/gpg.yaml": "1"}, place.people.gpg_eve)
    file = allowed(place.folder / "theirs", place.people.eve)
    config = place.folder / "config"
    config.write_text(
        f'[gpg]\n\tprogram = true\n[gpg "ssh"]\n\tprogram = true\n\tallowedSignersFile = {file}\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(config))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", f"'gpg.ssh.allowedsignersfile'='{file}'")
    monkeypatch.setenv("GNUPGHOME", place.people.gpg_eve.env["GNUPGHOME"])
    assert place.told() == [("fleets/gpg.yaml", by_gpg), ("fleets/web.yaml", by_ssh)]


def test_a_certificate_that_the_machine_trusts_is_no_allowed_key(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(place.company, web(), place.people.ann)
    tools = place.folder / "tools"
    tools.mkdir()
    (tools / "gpgsm").write_text(
        "#!/bin/sh\ncat >/dev/null\necho\necho '[GNUPG:] GOODSIG 1 Eve'\necho '[GNUPG:] TRUST_FULLY 0'\n"
    )
    (tools / "gpgsm").chmod(0o755)
    head = place.company._git("cat-file", "commit", "HEAD")
    lines = head[: head.index("gpgsig")], head[head.index("-----END") :].partition("\n")[2]
    signed = (
        f"{lines[0]}gpgsig -----BEGIN SIGNED MESSAGE-----\n x\n -----END SIGNED MESSAGE-----\n{lines[1]}\n"
    )
    (place.folder / "signed").write_text(signed)
    made = place.company._git("hash-object", "-t", "commit", "-w", str(place.folder / "signed"))
    place.company.back_to(made)
    place.company.push()
    monkeypatch.setenv("PATH", str(tools), prepend=os.pathsep)
    assert place.company._git("verify-commit", made) == ""
    assert place.told() == [("fleets/web.yaml", made)]


def test_a_key_that_is_taken_out_of_the_file_does_not_count_any_more(place: Place) -> None:
    made = commit(place.company, web(), place.people.ann)
    judge = place.judge()
    before = judge.fingerprint()
    assert place.told(judge) == []
    allowed(place.folder / "signers", place.people.eve)
    assert judge.fingerprint() != before
    assert place.told(judge) == [("fleets/web.yaml", made)]


def test_every_rule_that_names_a_file_must_hold(place: Place) -> None:
    (place.folder / "theirs").mkdir()
    eves = Rule(paths=("fleets/prod/**",), signers=allowed(place.folder / "theirs" / "f", place.people.eve))
    judge = place.judge(place.rule("fleets/**"), eves)
    commit(place.company, {"fleets/dev/a.yaml": "1"}, place.people.ann)
    assert place.told(judge) == []
    made = commit(place.company, {"fleets/prod/a.yaml": "1"}, place.people.ann)
    assert place.told(judge) == [("fleets/prod/a.yaml", made)]
    assert judge.problems(Commit(made))[0].rule == 2
    made = commit(place.company, {"fleets/prod/a.yaml": "2"}, place.people.eve)
    judge.repository.fetch(Commit(made))
    assert [(p.by, p.rule) for p in judge.problems(Commit(made))] == [(made, 1)]


def test_no_key_is_left_behind(place: Place) -> None:
    commit(place.company, web(), place.people.gpg_ann)
    judge = place.judge(place.rule(gpg=place.people.gpg_ann.public))
    judge.check()
    assert place.told(judge) == []
    assert list((place.folder / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("signers", None, "can't be read: No such file"),
        ("signers", " \n", "is empty"),
        ("keyring", None, "can't be read: No such file"),
        ("keyring", "no key", "holds no public key"),
    ],
)
def test_without_keys_nothing_is_judged_and_the_start_says_why(
    place: Place, name: str, content: str | None, says: str
) -> None:
    made = commit(place.company, web(), place.people.ann)
    file = place.folder / f"my-{name}"
    judge = place.judge(Rule(paths=("**",), **{name: file}))
    judge.repository.fetch(Commit(made))
    if content is not None:
        file.write_text(content)
    with pytest.raises(SourceError, match=says):
        judge.check()
    with pytest.raises(SourceError, match=says):
        judge.problems(Commit(made))


@pytest.mark.parametrize("program", ["ssh-keygen", "gpg"])
def test_a_program_that_is_not_installed_is_an_error_at_the_start(
    place: Place, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = place.folder / "tools"
    tools.mkdir()
    for name in {"git", "ssh-keygen", "gpg"} - {program}:
        (tools / name).symlink_to(str(shutil.which(name)))
    rules = (place.rule(), place.rule(gpg=place.people.gpg_ann.public))
    made = commit(place.company, web(), place.people.ann)
    judge = place.judge(*rules)
    judge.repository.fetch(Commit(made))
    monkeypatch.setenv("PATH", str(tools))
    with pytest.raises(SourceError, match=f"needs {program}, which is not installed"):
        judge.check()
    alone = place.judge(rules[0 if program == "ssh-keygen" else 1])
    try:
        found: tuple[Unsigned, ...] | None = alone.problems(Commit(made))
    except SourceError:
        found = None  # refused as well
    assert found != ()
