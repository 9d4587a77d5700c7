"""Which files a rule is about, and which rules are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reconciler.source.policy import Rule, matches

NAMES = [
    ("fleets/prod/**", "fleets/prod/web.yaml", True),
    ("fleets/prod/**", "fleets/prod/a/b/c.sh", True),
    ("fleets/prod/**", "fleets/prodigal/web.yaml", False),
    ("fleets/prod", "fleets/prod/web.yaml", True),
    ("fleets/*/web.yaml", "fleets/prod/web.yaml", True),
    ("fleets/*/web.yaml", "fleets/a/b/web.yaml", False),
    ("**/web.yaml", "web.yaml", True),
    ("**/web.yaml", "a/b/web.yaml", True),
    ("a/**/z", "a/z", True),
    ("a/**/z", "a/b/c/z", True),
    ("*.yaml", "web.yaml", True),
    ("*.yaml", "fleets/web.yaml", False),
    ("web-?.yaml", "web-1.yaml", True),
    ("web-[12].yaml", "web-3.yaml", False),
    ("Fleets/**", "fleets/web.yaml", False),
    ("**", "anything/at/all", True),
]


@pytest.mark.parametrize(("pattern", "path", "guarded"), NAMES)
def test_a_pattern_guards_what_it_names_and_all_below(pattern: str, path: str, guarded: bool) -> None:
    assert matches(pattern, path) is guarded


@given(st.lists(st.text("ab*?[]\n", min_size=1, max_size=4), min_size=1, max_size=5))
def test_two_stars_leave_no_file_out_whatever_its_name(parts: list[str]) -> None:
    assert Rule(paths=("**",), signers="k").guarded(["/".join(parts)])


REFUSED = [
    ("no paths", {"paths": [], "signers": "k"}),
    ("an empty pattern", {"paths": [""], "signers": "k"}),
    ("a pattern that leaves the folder", {"paths": ["../x"], "signers": "k"}),
    ("no keys at all", {"paths": ["**"]}),
    ("a short commit", {"paths": ["**"], "signers": "k", "since": "4c88a10"}),
    ("a word that no rule knows", {"paths": ["**"], "signers": "k", "principals": ["ann"]}),
]


@pytest.mark.parametrize(("what", "rule"), REFUSED, ids=[w for w, _ in REFUSED])
def test_a_rule_that_would_guard_less_than_it_says_is_refused(what: str, rule: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Rule.model_validate(rule)
