"""Nothing that a person meets is undocumented."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from reconciler.plan.explain import WAYS
from reconciler.report.events import all_events

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()


@cache
def codes() -> set[str]:
    """Every code by which the product says that something is blocked or held, from its source."""
    found: set[str] = set()
    for file in (ROOT / "reconciler").rglob("*.py"):
        text = file.read_text()
        for node in ast.walk(ast.parse(text)) if "Blocked(" in text or "Hold(" in text else ():
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Blocked", "Hold"):
                for keyword in node.keywords:
                    parts = ast.walk(keyword.value) if keyword.arg == "code" else ()
                    found |= {
                        p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)
                    }
    return found


def test_the_source_has_codes_to_document() -> None:
    assert {"conflict", "limit", "freeze", "failed"} <= codes()


@pytest.mark.parametrize("code", sorted(codes()))
def test_every_code_stands_in_the_runbook_and_has_a_way_out(code: str) -> None:
    assert f"| `{code}` |" in RUNBOOK
    assert code in WAYS


@pytest.mark.parametrize("event", [e.event for e in all_events()])
def test_every_event_stands_in_the_runbook(event: str) -> None:
    assert f"`{event}`" in RUNBOOK


def test_the_runbook_names_no_event_that_is_not_there() -> None:
    named = set(re.findall(r"`([a-z]+\.[a-z_]+)`", RUNBOOK))
    known = {e.event for e in all_events()}
    limits = {"limits.approved", "limits.failures", "limits.rollouts"}
    fields = {*limits, "capacity.min", "launch.generation"}
    fields |= {"metadata.protect", "metadata.suspend", "rollout.order"}
    assert named <= known | fields


@pytest.mark.parametrize(
    "page", sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("**/*.md") if ".venv" not in p.parts)
)
def test_every_link_between_pages_leads_somewhere(page: str) -> None:
    file = ROOT / page
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", file.read_text()):
        if "://" not in target:
            assert (file.parent / target).exists(), target
