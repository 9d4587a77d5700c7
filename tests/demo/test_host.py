"""The git host of the demo, and how the story reads what stands there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.host import TOKEN, GitHost, git_host
from demo.telling import LASTED, shown, told
from reconciler.hosts.github import GitHub
from reconciler.hosts.model import State, Status
from tests.repositories import Company

COMMENT = """\
### ⚠️ Fleet plan: 1 to replace

| | Document | Result | After |
|:-:|---|---|--:|
| 🔁 | Fleet `web` | replace `1b22` → `3f9c` | 34m |

<details><summary>Reasons (1)</summary>

```diff
- ami-1
+ ami-2
```

</details>
<!-- reconciler:v1 x y -->
"""


@dataclass
class Town:
    """The host, the repository behind it, and the adapter that the program reaches it by."""

    company: Company
    host: GitHost
    adapter: GitHub


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    company = Company(tmp_path / "git")
    company.commit({"fleet.yaml": "one\n"})
    with git_host(company.bare) as host:
        env = host.env()
        adapter = GitHub(env["RECONCILER_HOST_REPOSITORY"], lambda: TOKEN, env["RECONCILER_HOST_API"])
        yield Town(company, host, adapter)
        adapter.close()


def test_a_proposal_is_what_the_program_reads_and_the_merge_stands_on_main(town: Town) -> None:
    town.company.commit({"fleet.yaml": "two\n"}, push=False)
    town.company.push("change")
    pull = town.host.propose("change", "Two of them")
    assert town.host.status(pull) is None
    (read,) = town.adapter.pulls()
    assert (read.number, read.head) == (pull.number, pull.head)
    town.adapter.set_status(read.head, Status(state=State.SUCCESS, description="1 to replace"))
    said = town.host.status(pull)
    assert said
    assert (said.state, said.description) == ("success", "1 to replace")
    merged = town.host.merge(pull)
    assert town.company._git("rev-parse", "refs/heads/main", at=town.company.bare) == merged


def test_only_what_the_program_says_in_sight_is_its_word(town: Town) -> None:
    pull = town.host.propose("main", "Nothing")
    first = town.adapter.add_note(pull.number, COMMENT)
    town.host.say(pull, "Looks good.")
    second = town.adapter.add_note(pull.number, "### 🚀 Applied")
    assert [c.id for c in town.host.ours(pull)] == [first.id, second.id]
    town.adapter.hide_note(first)
    assert [c.id for c in town.host.ours(pull)] == [second.id]


def test_a_saved_page_needs_no_server(town: Town, tmp_path: Path) -> None:
    pull = town.host.propose("main", "Adopt the patched image")
    town.adapter.add_note(pull.number, COMMENT)
    text = town.host.save(pull, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Adopt the patched image" in text
    assert "<h3>⚠️ Fleet plan: 1 to replace</h3>" in text
    assert not re.search(r"(src|href)=|url\(|@import", text), "it refers to nothing elsewhere"


def test_a_comment_is_read_as_a_person_sees_it_and_a_row_by_its_fleet() -> None:
    assert "Fleet plan" in shown(COMMENT)
    assert "ami-1" not in shown(COMMENT)
    assert "reconciler:v1" not in shown("### 🚀 Applied\n<!-- reconciler:v1 x y -->\n")
    assert told(COMMENT, "web", "replace", LASTED)
    assert not told(COMMENT, "web", "done")
    assert not told(COMMENT, "api")
    assert not told(COMMENT + "| | Fleet `web` | replace | 1m |\n", "web"), "one row for each fleet"
