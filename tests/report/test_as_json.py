import json

import jsonschema
from hypothesis import given, settings

from reconciler.core.ids import Commit, TargetName
from reconciler.plan.model import ActionKind, Drift, Plan, TargetPlan
from reconciler.report.as_json import drift_json, plan_json, plan_schema
from reconciler.report.summary import summary
from tests.effort import tries
from tests.report.plans import plans
from tests.worlds import NOON

SCHEMA = jsonschema.Draft202012Validator(plan_schema())


@settings(max_examples=tries(50))
@given(plans)
def test_every_plan_fits_the_schema_and_survives_json(plan: Plan) -> None:
    made = plan_json(plan)
    SCHEMA.validate(made)
    assert json.loads(json.dumps(made)) == made


@settings(max_examples=tries(50))
@given(plans)
def test_every_document_has_one_change_and_the_counts_add_up(plan: Plan) -> None:
    made = plan_json(plan)
    counts: dict[str, int] = {**summary(plan).as_dict()}
    assert dict(made["summary"]) == counts
    assert sum(counts.values()) - counts["drifted"] == len(made["changes"])
    assert counts["drifted"] <= len(made["drift"])
    for action in ActionKind:
        name = "unchanged" if action is ActionKind.NONE else action.value
        assert counts[name] == sum(c["action"] == action for c in made["changes"])


@settings(max_examples=tries(50))
@given(plans)
def test_drift_has_the_same_rows_in_both_documents(plan: Plan) -> None:
    assert drift_json(plan)["drift"] == plan_json(plan)["drift"]


def test_sizes_are_numbers_and_other_values_text() -> None:
    def row(field: str) -> Drift:
        return Drift(
            kind="Fleet",
            name="web",
            target=TargetName("prod"),
            resource="group/web-1",
            field=field,
            want="10",
            live="12",
        )

    target = TargetPlan(
        target=TargetName("prod"),
        as_of=NOON,
        digest="3f9c21ab07",
        complete=True,
        items=(),
        drift=(row("max"), row("tags.count")),
    )
    size, tag = drift_json(Plan(commit=Commit("c"), targets=(target,)))["drift"]
    assert (size["want"], size["live"]) == (10, 12)
    assert (tag["want"], tag["live"]) == ("10", "12")
