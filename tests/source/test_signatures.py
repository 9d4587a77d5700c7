"""What must be signed before it is adopted: any history, with real keys of ssh."""

import random

import pytest

from reconciler.core.ids import Commit
from tests.signing import Signer, commit, make
from tests.source.conftest import Place

pytestmark = pytest.mark.slow

EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git's name of a tree without files


def web(text: str | None = "1") -> dict[str, str | None]:
    return {"fleets/web.yaml": text}


# -- one file ------------------------------------------------------------------------------------


def test_a_commit_that_an_allowed_key_signed_is_good(place: Place) -> None:
    commit(place.company, web(), place.people.ann)
    assert place.told() == []


@pytest.mark.parametrize("who", ["eve", "nobody", "gpg_ann"])
def test_a_commit_of_anybody_else_is_told_with_its_file_what_to_do_and_by_which_rule(
    place: Place, who: str
) -> None:
    made = commit(place.company, {**web(), "fleets/a.sh": "1"}, getattr(place.people, who, None))
    judge = place.judge()
    assert place.told(judge) == [("fleets/a.sh", made)]
    (problem,) = judge.problems(Commit(made))
    assert made[:12] in problem.what
    assert "and 1 more" in problem.what
    assert "rule 1 of verify_signatures asks for it on fleets/**" in problem.why
    assert f"git revert -S {made[:12]}" in problem.fix


def test_only_the_newest_commit_of_a_file_counts(place: Place) -> None:
    commit(place.company, web("1"))
    commit(place.company, web("2"), place.people.ann)
    assert place.told() == []
    made = commit(place.company, web("3"))
    assert place.told() == [("fleets/web.yaml", made)]


def test_a_signature_on_another_file_vouches_for_none_beneath(place: Place) -> None:
    made = commit(place.company, web())
    commit(place.company, {"fleets/other.yaml": "1"}, place.people.ann)
    assert place.told() == [("fleets/web.yaml", made)]


def test_what_no_pattern_names_may_be_changed_by_anybody(place: Place) -> None:
    commit(place.company, web(), place.people.ann)
    commit(place.company, {"README.md": "1", "fleet.yaml": "1"})
    assert place.told() == []


def test_a_file_that_anybody_took_away_is_missed(place: Place) -> None:
    commit(place.company, web(), place.people.ann)
    gone = commit(place.company, web(None))
    commit(place.company, {"x": "1"}, place.people.ann)
    assert place.told() == [("fleets/web.yaml", gone)]


def test_a_file_that_an_allowed_key_took_away_is_not(place: Place) -> None:
    commit(place.company, web())
    commit(place.company, web(None), place.people.ann)
    assert place.told() == []


def test_a_file_that_is_moved_out_of_what_is_guarded_is_missed(place: Place) -> None:
    commit(place.company, web(), place.people.ann)
    moved = commit(place.company, {**web(None), "other/web.yaml": "1"})
    assert place.told() == [("fleets/web.yaml", moved)]


def test_a_changed_mode_is_a_change(place: Place) -> None:
    commit(place.company, web(), place.people.ann)
    (place.company.clone / "fleets/web.yaml").chmod(0o755)
    made = commit(place.company, {})
    assert place.told() == [("fleets/web.yaml", made)]


def test_patterns_are_relative_to_the_folder_of_the_desired_state(place: Place) -> None:
    commit(place.company, web())
    made = commit(place.company, {"state/fleets/web.yaml": "1"})
    assert place.told(place.judge(path="/state/")) == [("fleets/web.yaml", made)]


# -- merges --------------------------------------------------------------------------------------


def side(place: Place, files: dict[str, str | None], signer: Signer | None) -> None:
    place.company._git("checkout", "--quiet", "-B", "side")
    commit(place.company, files, signer)
    place.company._git("checkout", "--quiet", "main")


def merge(place: Place, signer: Signer | None) -> str:
    make(place.company, ("merge", "--quiet", "--no-ff", "-m", "Merge", "side"), signer)
    place.company.push()
    return place.company.head()


def test_a_signed_merge_vouches_for_what_it_brings(place: Place) -> None:
    commit(place.company, {"x": "1"})
    side(place, web(), None)
    merge(place, place.people.ann)
    assert place.told() == []


def test_an_unsigned_merge_of_signed_commits_is_not_good(place: Place) -> None:
    commit(place.company, {"x": "1"})
    side(place, web(), place.people.ann)
    made = merge(place, None)
    assert place.told() == [("fleets/web.yaml", made)]


def test_an_unsigned_merge_that_brings_nothing_guarded_is(place: Place) -> None:
    commit(place.company, web(), place.people.ann)
    side(place, {"x": "1"}, None)
    merge(place, None)
    assert place.told() == []


# -- since ---------------------------------------------------------------------------------------


def test_what_came_before_since_is_trusted_and_nothing_after_it(place: Place) -> None:
    commit(place.company, web())
    since = commit(place.company, {"fleets/a.yaml": "1"})
    assert place.told() == [
        ("fleets/a.yaml", since),
        ("fleets/web.yaml", place.company._git("rev-parse", "HEAD^")),
    ]
    judge = place.judge(place.rule(since=since))
    assert place.told(judge) == []
    made = commit(place.company, {"fleets/b.yaml": "1"})
    assert place.told(judge) == [("fleets/b.yaml", made)]


@pytest.mark.parametrize("known", [True, False])
def test_a_history_without_since_is_not_trusted_at_all(place: Place, known: bool) -> None:
    base = commit(place.company, web(), place.people.ann)
    dropped = commit(place.company, {"x": "1"}, place.people.ann)
    since = dropped if known else "a" * 40
    judge = place.judge(place.rule(since=since))
    if known:
        assert place.told(judge) == []
    place.company.back_to(base)
    made = commit(place.company, {"x": "2"}, place.people.ann)
    assert place.told(judge) == [("fleets/**", made)]
    assert "was history rewritten" in judge.problems(Commit(made))[0].why


def test_a_branch_that_was_merged_before_since_is_no_history_to_trust(place: Place) -> None:
    commit(place.company, {"x": "1"}, place.people.ann)
    side(place, web("side"), None)
    merge(place, place.people.ann)
    since = commit(place.company, web("2"), place.people.ann)
    judge = place.judge(place.rule(since=since))
    assert place.told(judge) == []
    place.company.back_to("side")
    place.company.push()
    assert place.told(judge) == [("fleets/**", place.company.head())]


# -- any history ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_a_history_that_is_followed_step_by_step_is_judged_as_one_that_is_met_whole(
    place: Place, seed: int
) -> None:
    chance = random.Random(seed)
    judge, good = place.judge(), set[str]()
    for step in range(12):
        signer = chance.choice([place.people.ann, place.people.ann, place.people.eve, None])
        name = f"fleets/{chance.choice('abc')}.yaml"
        there = (place.company.clone / name).exists()
        files: dict[str, str | None] = {name: None if there and chance.random() < 0.3 else f"{step}"}
        if chance.random() < 0.3 and step:
            side(place, files, None)
            made = merge(place, signer)
        else:
            made = commit(place.company, files, signer)
        if signer is place.people.ann:
            good.add(made)
        if chance.random() < 0.6:
            assert place.told(judge) == place.told()
    last: dict[str, str] = {}
    for one in reversed(judge.repository.first_parents(judge.repository.head(), 100)):
        parent = judge.repository.first_parents(one, 2)[1:]
        changed = judge.repository.changed(parent[0] if parent else EMPTY, one)
        last.update(dict.fromkeys(changed, one))
    assert {by for _, by in place.told()} == {by for by in last.values() if by not in good}
