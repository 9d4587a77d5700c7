import base64
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.digest import canonical
from reconciler.core.facts import Unread
from reconciler.core.ids import AmiId, ImageName, TargetName, ZoneName, resource_name
from reconciler.core.redact import Redactor
from reconciler.kinds.image.live import Resolved
from reconciler.kinds.network.live import SecurityGroup, Subnet
from reconciler.kinds.record.live import ZoneProblem
from reconciler.kinds.register import Blocked, Wait, World
from reconciler.kinds.template.live import LiveTemplate
from reconciler.plan.saved import BadWorldError, dump_worlds, load_worlds, without_secrets
from reconciler.plan.settle import USUAL
from reconciler.plan.simulate import simulate
from reconciler.strategies import machine
from reconciler.strategies.wanted import Allow, TrafficKind
from tests.effort import tries
from tests.worlds import TARGET_NAME, empty_world, sliced, wanted

TOLD = Redactor(b"key")
SECRET = b"#!/bin/sh\nexport PASSWORD=hunter2\n"


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A world in the midst of a rollout of any kind, with some of its reads failed."""
    world = empty_world()
    want = wanted(1, draw(st.sampled_from(TrafficKind)))
    for _ in range(draw(st.integers(0, 12))):
        move = machine.next_move(want, sliced(world, want), Allow())
        if move is None or isinstance(move, Blocked):
            break
        world = simulate(world, Wait(why="") if isinstance(move, Wait) else move, USUAL)
    text = st.text(st.characters(codec="utf-8"), max_size=5)
    lost: dict[str, Any] = {
        name: Unread(what=draw(text), why=draw(text))
        for name in draw(st.sets(st.sampled_from(("groups", "templates", "balancers", "health", "images"))))
    }
    more = (
        ZoneProblem(zone=ZoneName("x"), unread=None, why=draw(text)),
        ZoneProblem(zone=ZoneName("y"), unread=Unread(what="zone", why=draw(text)), why=""),
    )
    world = replace(
        world,
        zones=(*world.zones, *more),
        subnets=(Subnet(id="subnet-a", vpc="vpc-1", zone="a", free=3, tags=((draw(text), draw(text)),)),),
        security_groups=(SecurityGroup(id="sg-1", name=draw(text), vpc="vpc-1"),),
        images=(Resolved(image=ImageName("web"), ami=None, why=draw(text)),),
    )
    return replace(world, **lost)


@settings(max_examples=tries(50), deadline=None)
@given(worlds())
def test_a_saved_world_reads_back_equal(world: World) -> None:
    text = dump_worlds({TARGET_NAME: world, TargetName("other"): empty_world()}, TOLD)
    assert load_worlds(text) == {TARGET_NAME: world, "other": empty_world()}
    assert dump_worlds(load_worlds(text), TOLD) == text


def templated(user_data: str) -> World:
    want = wanted()
    template = LiveTemplate(
        id="lt-1",
        name=resource_name(want.fleet, want.revision),
        default_version=1,
        latest_version=1,
        image=AmiId("ami-1"),
        body=canonical({"ImageId": "ami-1", "UserData": user_data}),
        tags=(),
    )
    return replace(empty_world(), templates=(template,))


def test_user_data_is_saved_as_a_hash_and_its_size() -> None:
    secret = base64.b64encode(SECRET).decode()
    text = dump_worlds({TARGET_NAME: templated(secret)}, TOLD)
    assert secret not in text
    assert "hunter2" not in text
    assert TOLD.secret(SECRET) in text


def test_what_is_told_of_user_data_stays_when_it_is_saved_again() -> None:
    once = without_secrets(templated(base64.b64encode(SECRET).decode()), TOLD)
    assert without_secrets(once, Redactor(b"another key")) == once


@pytest.mark.parametrize("odd", ["hunter2!", "hash hunter2", "hash 00000000, hunter2 lines"])
def test_user_data_that_is_no_base64_is_hidden_as_well(odd: str) -> None:
    assert "hunter2" not in dump_worlds({TARGET_NAME: templated(odd)}, TOLD)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "version None"),
        ('{"version": 2, "worlds": {}}', "version 2"),
        ('{"version": 1}', "worlds"),
        ('{"version": 1, "worlds": {"prod": {"target": "prod"}}}', "worlds.prod.as_of"),
    ],
)
def test_a_bad_file_is_told_with_the_way_out(text: str, says: str) -> None:
    with pytest.raises(BadWorldError, match=says) as error:
        load_worlds(text)
    assert "--save-world" in str(error.value)
