"""A quick dataclass is the dataclass that it was."""

import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace

import pytest

from reconciler.core import quick as q
from reconciler.core.quick import quick


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    name: str
    tags: tuple[str, ...] = ()
    seen: list[str] = field(default_factory=list, compare=False)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Slotted:
    name: str
    tags: tuple[str, ...] = ()
    seen: list[str] = field(default_factory=list, compare=False)


@quick
@dataclass(frozen=True, kw_only=True)
class Open:
    name: str
    tags: tuple[str, ...] = ()
    seen: list[str] = field(default_factory=list, compare=False)


BOTH = pytest.mark.parametrize("kind", [Slotted, Open])


@BOTH
def test_it_holds_what_it_was_given_and_its_defaults(kind):
    one = kind(name="web")
    assert (one.name, one.tags, one.seen) == ("web", (), [])
    assert repr(one) == repr(Plain(name="web")).replace("Plain", kind.__name__)
    assert [f.name for f in fields(one)] == ["name", "tags", "seen"]


@BOTH
def test_each_has_a_default_of_its_own(kind):
    assert kind(name="web").seen is not kind(name="web").seen


@BOTH
def test_it_is_equal_hashed_replaced_and_pickled_as_before(kind):
    one = kind(name="web", tags=("a",))
    assert one == kind(name="web", tags=("a",), seen=["x"])
    assert hash(one) == hash(Plain(name="web", tags=("a",)))
    assert replace(one, name="api") == q.replace(one, name="api") == kind(name="api", tags=("a",))
    assert pickle.loads(pickle.dumps(one)) == one


@BOTH
def test_what_is_not_replaced_is_the_same_object(kind):
    one = kind(name="web", seen=["x"])
    other = q.replace(one, tags=("b",))
    assert (other.name, other.tags) == ("web", ("b",))
    assert other.seen is one.seen
    assert type(other) is kind
    assert one.tags == ()


def test_any_other_dataclass_is_replaced_too():
    assert q.replace(Plain(name="web"), name="api") == Plain(name="api")


@BOTH
def test_a_field_that_is_not_there_is_not_replaced(kind):
    with pytest.raises(TypeError):
        q.replace(kind(name="web"), other=1)


@BOTH
def test_it_stays_frozen(kind):
    with pytest.raises(FrozenInstanceError):
        kind(name="web").name = "api"


@BOTH
@pytest.mark.parametrize("given", [{}, {"name": "web", "other": 1}])
def test_what_is_missing_or_unknown_is_refused(kind, given):
    with pytest.raises(TypeError):
        kind(**given)


def test_a_class_that_works_something_out_is_refused():
    with pytest.raises(TypeError, match="Worked: quick is for dataclasses of keywords alone"):

        @quick
        @dataclass(frozen=True, kw_only=True)
        class Worked:
            name: str

            def __post_init__(self) -> None:
                raise AssertionError


def test_a_class_of_positions_is_refused():
    with pytest.raises(TypeError, match="Placed"):

        @quick
        @dataclass(frozen=True)
        class Placed:
            name: str
