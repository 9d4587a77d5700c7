"""Two of us at the same time, and what is saved of what they saw."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.product import Product
from tests.wire.company import BALANCER, NEW_AMI, base, files, fleet
from tests.wire.watch import WHOLE, Watch

pytestmark = pytest.mark.wire


def test_two_that_apply_at_once_double_nothing(product: Product) -> None:
    product.commit(files(BALANCER))
    product.aws.control.set_speed(120)
    for ami in ("", NEW_AMI):
        if ami:
            product.commit({"target.yaml": base(ami)})
        caches = [{"RECONCILER_CACHE": str(product.folder / f"cache-{n}")} for n in range(2)]
        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(product.cli, "apply", "--wait", "--every", "1s", **c) for c in caches]
            ended = [b.result() for b in both]
        assert [e.code for e in ended] == [0, 0], [e.err for e in ended]
    product.aws.control.set_speed(0)
    product.settle()
    made = [
        (c["operation"], json.dumps(c["params"])) for c in product.aws.control.calls() if c["status"] == 200
    ]
    # AWS answers an equal CreateLoadBalancer, or a repeated client token, with what is there already:
    # two births are two names, however often they were asked for.
    for operation, name in (
        ("CreateAutoScalingGroup", "AutoScalingGroupName"),
        ("CreateLaunchTemplate", "LaunchTemplateName"),
        ("CreateLoadBalancer", "Name"),
        ("CreateTargetGroup", "Name"),
    ):
        names = [json.loads(params)[name] for op, params in made if op == operation]
        assert len(set(names)) == 2, (operation, names)
    assert [op for op, _ in made].count("CreateAutoScalingGroup") == 2
    left = Watch(product.aws, "balancer").left()
    assert {kind: len(names) for kind, names in left.items()} == dict.fromkeys(WHOLE["balancer"], 1)


def test_no_script_stands_in_a_saved_world_yet_its_change_is_planned_from_it(product: Product) -> None:
    script = "#!/bin/sh\necho sesame\n"
    web = fleet(launch="userData: {file: web.sh}")
    product.commit({**files(""), "fleets/web.yaml": web, "fleets/web.sh": script})
    product.settle()
    product.commit({"fleets/web.sh": script + "echo more\n"})
    key = {"RECONCILER_REDACTION_KEY": "a key"}
    live = product.cli("plan", "--format", "json", "--save-world", "world.json", **key)
    offline = product.cli("plan", "--format", "json", "--offline", "world.json", **key)
    assert (live.code, offline.code) == (0, 0)
    assert json.loads(offline.out) == json.loads(live.out)
    assert json.loads(live.out)["summary"]["replace"] == 1
    assert "sesame" not in (product.folder / "world.json").read_text() + live.out


@pytest.mark.parametrize("command", ["plan", "apply", "drift", "status"])
def test_what_can_not_be_read_ends_every_command_with_1_and_is_named(product: Product, command: str) -> None:
    product.commit(files(""))
    product.settle()
    product.aws.control.fault(
        "error", operation="DescribeAutoScalingGroups", code="AccessDenied", message="not you", times=None
    )
    done = product.cli(command)
    assert done.code == 1
    assert "AccessDenied" in done.err
    assert "groups" in done.err


def test_a_write_that_is_refused_ends_apply_with_1_and_says_why(product: Product) -> None:
    product.commit(files(""))
    product.aws.control.fault("error", operation="CreateLaunchTemplate", code="UnauthorizedOperation")
    done = product.cli("apply")
    assert done.code == 1
    assert "UnauthorizedOperation" in done.out + done.err
    assert product.cli("apply").code == 0
