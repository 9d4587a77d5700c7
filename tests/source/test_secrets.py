"""An error says where, what and how to mend it, and never the value of a field that may hold a secret."""

import pytest

from reconciler.core.problem import Problem
from reconciler.source.load import load
from tests.plan.house import IMAGE, TARGET, fleet

SECRET = "hunter2canary"
PLACES = {
    "a member of extra that AWS does not know": f"extra: {{Foo: {SECRET}}}",
    "another type than AWS takes": f"extra: {{EbsOptimized: {SECRET}}}",
    "another type than AWS takes, deeper": f"extra: {{CpuOptions: {{CoreCount: {SECRET}}}}}",
    "text where AWS takes a structure": f"extra: {{CpuOptions: {SECRET}}}",
    "text where AWS takes a list": f"extra: {{LicenseSpecifications: {SECRET}}}",
    "a word that AWS does not know": f"extra: {{InstanceInitiatedShutdownBehavior: {SECRET}}}",
    "extra that is no map": f"extra: {SECRET}",
    "a script without its key": f"userData: {SECRET}",
    "a script under an unknown key": f"userData: {{txt: {SECRET}}}",
    "a script that is neither": f"userData: {{text: {SECRET}}}",
    "a script twice": f'userData: {{text: "#!/bin/sh {SECRET}", file: boot.sh}}',
    "what is not base64": f'userData: {{base64: "{SECRET}!"}}',
    "a list of scripts": f"userData: {{text: [{SECRET}]}}",
    "tags in a list": f"tags: [{SECRET}]",
    "a tag with a map": f"tags: {{a: {{b: {SECRET}}}}}",
    "a tag with a list": f"tags: {{a: [{SECRET}]}}",
    "a tag that is too long": f"tags: {{a: {SECRET * 30}}}",
    "tags that are text": f"tags: {SECRET}",
    "a key twice": f"tags: {{a: {SECRET}, a: {SECRET}}}",
    "a map that does not end": f"tags: {{a: {SECRET}",
}


def problems(launch: str) -> tuple[Problem, ...]:
    text = fleet("web").replace("launch: {", f"launch: {{{launch}, ", 1)
    found = load({"base.yaml": f"{TARGET}---\n{IMAGE}".encode(), "web.yaml": text.encode()})
    return found if isinstance(found, tuple) else ()


def test_the_rest_of_the_document_is_good() -> None:
    assert problems("tags: {a: b}") == ()


@pytest.mark.parametrize("place", PLACES)
def test_no_error_tells_the_value_of_a_field_that_may_hold_a_secret(place: str) -> None:
    found = problems(PLACES[place])
    assert found
    assert SECRET not in repr(found)
    assert all(p.at.line >= 1 and p.what and p.fix for p in found)
