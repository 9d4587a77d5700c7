"""Plans that read as the specification: a folder and a world give exactly these three renderings.

`make golden` writes them anew, worlds too; the run still fails, so that a person reads the difference.
"""

import json
from datetime import timedelta

import jsonschema
import pytest

from reconciler.core.redact import Redactor
from reconciler.kinds.group.want import Sizes
from reconciler.plan.model import Plan
from reconciler.plan.saved import dump_worlds, load_worlds
from reconciler.plan.settle import pass_time, resized
from reconciler.report.as_json import plan_json, plan_schema
from reconciler.report.markdown import plan_markdown
from reconciler.report.text import plan_text
from tests.golden.cases import CASES, HERE, folder, groups
from tests.report.drive import TARGET, plan


def renderings(plan: Plan) -> dict[str, str]:
    return {
        "plan.json": json.dumps(plan_json(plan), indent=2, ensure_ascii=False) + "\n",
        "plan.txt": plan_text(plan),
        "plan.md": plan_markdown(plan),
    }


@pytest.mark.parametrize("case", CASES)
def test_the_plan_is_the_golden_one(case: str, request: pytest.FixtureRequest) -> None:
    world = HERE / case / "world.json"
    if anew := request.config.getoption("--golden", default=False):
        world.write_text(dump_worlds({TARGET: CASES[case]()}, Redactor(b"golden")))
    made = renderings(plan(folder(case), load_worlds(world.read_text())[TARGET]))
    for name, text in made.items():
        file = world.with_name(name)
        if anew:
            file.write_text(text)
        assert file.read_text() == text
    jsonschema.validate(json.loads(made["plan.json"]), plan_schema())
    assert not anew, "written anew: read the difference, then run without --golden"


@pytest.mark.parametrize("case", CASES)
def test_a_world_without_user_data_gives_the_same_plan(case: str) -> None:
    world = CASES[case]()
    saved = load_worlds(dump_worlds({TARGET: world}, Redactor(b"golden")))[TARGET]
    assert plan(folder(case), saved) == plan(folder(case), world)


def test_a_digest_outlives_autoscaling_time_and_the_process() -> None:
    world, case = CASES["new-ami"](), folder("new-ami")
    before = plan(case, world).targets[0]
    name = next(g.name for g in groups(world) if g.name.startswith("checkout"))
    grown = resized(pass_time(world, timedelta(hours=1)), name, Sizes(min=2, max=10, desired=9))
    after = plan(case, grown, key=b"another").targets[0]
    assert before.items != after.items
    assert before.digest == after.digest


def test_every_folder_is_a_case() -> None:
    assert {p.name for p in HERE.iterdir() if (p / "desired").is_dir()} == set(CASES)
