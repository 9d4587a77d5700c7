"""No secret stands in a plan, in whichever form it is told: births, replacements, changes and drift."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.core.facts import retagged
from reconciler.core.redact import Redactor
from reconciler.kinds.register import World
from reconciler.plan.explain import explain_item
from reconciler.plan.model import Plan
from reconciler.plan.pulls import compare
from reconciler.plan.saved import dump_worlds
from reconciler.report.as_json import drift_json, plan_json
from reconciler.report.ended import Ended, ended
from reconciler.report.markdown import drift_markdown, plan_markdown
from reconciler.report.metrics import Metrics
from reconciler.report.outcome import Outcome, step_event
from reconciler.report.pull import Planned, Stamp, planned
from reconciler.report.story import NOTHING_TOLD, tell
from reconciler.report.text import drift_text, plan_text
from tests.golden.cases import folder, groups
from tests.report.drive import TARGET, converged, empty, plan

OLD, NEW, BY_HAND = "hunter2old", "hunter2new", "hunter2hand"


def company(to: Path, secret: str) -> Path:
    """The golden company with a secret wherever a document may hold one."""
    to.mkdir()
    for file in folder("nothing-to-do").iterdir():
        text = file.read_text()
        for where, more in (
            ("systemctl start checkout", f"export PASSWORD={secret}"),
            ("tags: {service: checkout}", f"tags: {{service: {secret}}}\n    extra: {{KernelId: {secret}}}"),
            ("tags: {env: prod}", f"tags: {{env: {secret}}}"),
            (
                "  health: {check: elb",
                f"  group: {{extra: {{TerminationPolicies: [{secret}]}}}}\n  health: {{check: elb",
            ),
            ("v=spf1 -all", secret),
        ):
            text = text.replace(where, more)
        (to / file.name).write_text(text)
    return to


def told(made: Plan) -> str:
    documents = json.dumps([plan_json(made), drift_json(made)])
    return documents + plan_text(made) + drift_text(made) + plan_markdown(made) + drift_markdown(made)


def by_hand(world: World) -> World:
    return replace(
        world,
        groups=tuple(
            replace(
                g,
                tags=retagged(g.tags, {"env": BY_HAND}),
                settings=(("TerminationPolicies", f'["{BY_HAND}"]'),),
            )
            for g in groups(world)
        ),
    )


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> World:
    return converged(company(tmp_path_factory.mktemp("live") / "old", OLD), empty())


def test_no_form_of_a_plan_tells_a_secret(tmp_path: Path, live: World) -> None:
    old, new = company(tmp_path / "old", OLD), company(tmp_path / "new", NEW)
    for made in (plan(new, empty()), plan(new, live), plan(old, by_hand(live)), plan(new, by_hand(live))):
        text = told(made)
        for secret in (OLD, NEW, BY_HAND):
            assert secret not in text
            assert base64.b64encode(f"#!/bin/sh\nexport PASSWORD={secret}\n".encode()).decode() not in text


def test_what_changed_is_told_by_its_key(tmp_path: Path, live: World) -> None:
    text = plan_text(plan(company(tmp_path / "new", NEW), live))
    paths = ("launch.userData", "launch.tags.service", "launch.extra.KernelId", "group: changed in git")
    assert [p for p in paths if f"spec.{p}" not in text] == []
    assert "env" in drift_text(plan(company(tmp_path / "old", OLD), by_hand(live)))


def test_a_saved_world_holds_no_user_data(live: World) -> None:
    text = dump_worlds({TARGET: live}, Redactor(b"key"))
    assert "PASSWORD" not in text
    assert base64.b64encode(b"#!/bin/sh").decode()[:10] not in text


def lines(made: Plan) -> str:
    """All that the log and the metrics tell of a pass that did, or failed to do, each step of a plan."""
    metrics, found = Metrics(), []
    for target in made.targets:
        steps = [(i, s) for i in target.items for s in i.now]
        for failure in ("", "later"):
            outcomes = [
                Outcome(kind=i.kind, name=i.name, revision=i.to, step=s, failure=failure) for i, s in steps
            ]
            _, events = tell(NOTHING_TOLD, made.commit, target, outcomes)
            found += [*events, *(step_event(made.commit, target.target, o) for o in outcomes)]
    for event in found:
        metrics.see(event)
    assert any(e.event == "step.applied" for e in found)
    return repr(found) + metrics.text().decode()


def test_no_comment_status_log_line_or_metric_tells_a_secret(tmp_path: Path, live: World) -> None:
    old, new = company(tmp_path / "old", OLD), company(tmp_path / "new", NEW)
    stamp = Stamp(head="a" * 40, base="b" * 40, tree="c" * 40, engine="0.1.0")
    for world in (empty(), live, by_hand(live)):
        base, merged = plan(old, world), plan(new, world)
        found = tuple(compare(b, m) for b, m in zip(base.targets, merged.targets, strict=True))
        told = planned(Planned(stamp=stamp, found=found, files=("web.yaml",)))
        rows = tuple(Ended(item=i, result="going on") for c in found for i in c.caused)
        end = ended("d" * 40, rows, as_planned=True, since=merged.targets[0].as_of)
        explained = [line for t in merged.targets for i in t.items for line in explain_item(i, t)]
        text = told.body + told.title + end.body + end.title + lines(merged) + "\n".join(explained)
        assert [s for s in (OLD, NEW, BY_HAND) if s in text] == []
