"""`reconciler pr N` and `plan --format markdown`: what reviewers read, without a daemon and without a git host."""

import pytest

from tests.product import Product
from tests.wire.company import NEW_AMI, base, files

pytestmark = pytest.mark.wire


def propose(product: Product, number: int, changed: dict[str, str | None], ref: str = "pull") -> str:
    """Push a head as a git host keeps it, and leave main as it is."""
    company = product.company
    main = company.head()
    head = company.commit(changed, push=False)
    company._git("push", "--quiet", "--force", str(company.bare), f"HEAD:refs/{ref}/{number}/head")
    company.back_to(main)
    return head


def written(product: Product) -> list[str]:
    """Operations by which anything was changed since the calls were forgotten."""
    reads = ("Describe", "Get", "List")
    return [o for c in product.aws.control.calls() if not (o := c["operation"]).startswith(reads)]


@pytest.mark.parametrize("ref", ["pull", "merge-requests"])
def test_the_comment_of_a_pull_request_is_printed_and_nothing_is_written(product: Product, ref: str) -> None:
    product.commit(files(""))
    product.settle()
    head = propose(product, 7, {"target.yaml": base(NEW_AMI)}, ref)
    product.aws.control.clear_calls()
    done = product.cli("pr", "7")
    assert done.code == 0, done.err
    assert "Fleet plan: 1 to replace" in done.out
    assert f"head `{head[:7]}`" in done.out
    assert "status: success: 1 to replace" in done.err
    assert set(written(product)) <= {"AssumeRole"}


def test_a_merge_that_cannot_be_or_is_not_valid_has_its_own_form(product: Product) -> None:
    product.commit({**files(""), "target.yaml": base()})
    propose(product, 1, {"target.yaml": base(NEW_AMI)})
    propose(product, 2, {"broken.yaml": "kind: Fleet\n"})
    propose(product, 3, {"README.md": "hello\n"})
    product.commit({"target.yaml": base("ami-0a1000000000003")})
    conflict, invalid, nothing = (product.cli("pr", str(n)) for n in (1, 2, 3))
    assert "conflicts in 1 file; nothing was planned" in conflict.out
    assert "status: failure: can't be merged: conflicts" in conflict.err
    assert "nothing was planned" in invalid.out
    assert "broken.yaml:1" in invalid.out
    assert nothing.out == "no fleet files changed\n"
    assert [r.code for r in (conflict, invalid, nothing)] == [0, 0, 0]


def test_a_pull_request_that_is_not_there_is_one_sentence(product: Product) -> None:
    product.commit(files(""))
    done = product.cli("pr", "12")
    assert (done.code, done.out) == (1, "")
    assert done.err == "error: the repository has no head of a pull request 12\n"


def test_a_team_without_the_daemon_has_the_plan_as_markdown(product: Product) -> None:
    product.commit(files(""))
    product.settle()
    head = propose(product, 7, {"target.yaml": base(NEW_AMI)})
    product.company._git("push", "--quiet", str(product.company.bare), f"{head}:refs/heads/change")
    product.aws.control.clear_calls()
    done = product.cli("plan", "--ref", head, "--format", "markdown")
    assert done.code == 0, done.err
    assert done.out.startswith("### ⚠️ Fleet plan: 1 to replace")
    assert set(written(product)) <= {"AssumeRole"}
