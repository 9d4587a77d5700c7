from dataclasses import replace

from reconciler.core.ids import TargetName
from reconciler.core.redact import Redactor
from reconciler.plan.limits import digest
from reconciler.plan.model import ActionKind, Because, Item


def changed(because: Because, to: str = "v1.2") -> Item:
    return Item(
        kind="Fleet",
        name="web",
        target=TargetName("prod"),
        action=ActionKind.REPLACE,
        was="v1.1",
        to=to,
        because=(because,),
    )


def secret(key: bytes) -> Because:
    told = Redactor(key)
    return Because(
        path="spec.launch.userData", old=told.secret(b"old\n"), new=told.secret(b"new\n"), secret=True
    )


def test_a_digest_with_a_secret_is_the_same_in_every_process() -> None:
    one, other = secret(b"one"), secret(b"other")
    assert one != other
    assert digest([changed(one)]) == digest([changed(other)])


def test_another_secret_gives_another_digest_because_the_revision_differs() -> None:
    assert digest([changed(secret(b"k"))]) != digest([changed(secret(b"k"), to="v1.3")])


def test_what_is_no_secret_counts_by_its_values() -> None:
    because = Because(path="spec.image", old="ami-1", new="ami-2")
    assert digest([changed(because)]) != digest([changed(replace(because, new="ami-3"))])


def test_steps_and_order_do_not_count() -> None:
    one, other = changed(Because(path="a", old="", new="b")), replace(changed(secret(b"k")), name="api")
    assert digest([one, other]) == digest([other, replace(one, begun=True, notes=("seen",))])
