"""What the product may have called, judged on the calls that an emulator recorded.

A call is the product's by its user agent, `reconciler/<version> commit/<sha>`. Which command made it is
said there too, as `app/<command>`: tests start each command with `AWS_SDK_UA_APP_ID`.
"""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, Final

from reconciler.gateway.rules import refusal

READERS: Final = ("plan", "validate", "drift", "status", "explain", "run-read-only")
"""Commands that never write."""

_OURS: Final = re.compile(r"^reconciler/\S+( commit/[0-9a-f]{40})? Boto3/")
_APP: Final = re.compile(r" app/(\S+)")

_FORBIDDEN: Final = (
    *(
        f"ec2:{verb}*"
        for verb in [
            "Modify",
            "Stop",
            "Start",
            "Reboot",
            "Attach",
            "Detach",
            "Associate",
            "Replace",
            "Monitor",
        ]
    ),
    *("ec2:RunInstances", "ec2:TerminateInstances", "ec2:CreateLaunchTemplateVersion"),
    *(f"autoscaling:{name}" for name in ("AttachInstances", "DetachInstances", "EnterStandby")),
    *(f"autoscaling:{name}" for name in ("ExitStandby", "SetInstanceHealth", "StartInstanceRefresh")),
    "ssm:*",
)
"""ARCHITECTURE, The gateway, written down a second time: the allow-list can't excuse itself."""

_EXCEPT: Final = ("ec2:ModifyImageAttribute", "ssm:GetParameter", "ssm:GetParameters")

Call = dict[str, Any]


def of_product(calls: Iterable[Call]) -> list[Call]:
    """Return the product's own calls."""
    return [c for c in calls if c["user_agent"].startswith("reconciler/")]


def misdeeds(calls: Iterable[Call]) -> list[str]:
    """Return a sentence for each call of the product that it may not make."""
    found = []
    for call in of_product(calls):
        name, command = f"{call['service']}:{call['operation']}", command_of(call)
        who = f"call {call['n']} {name} of {command or 'the product'}"
        if why := refusal(call["service"], call["operation"], call["params"], writes=command not in READERS):
            found.append(f"{who}: {why}")
        if name not in _EXCEPT and any(fnmatchcase(name, p) for p in _FORBIDDEN):
            found.append(f"{who}: forbidden")
        if not _OURS.match(call["user_agent"]):
            found.append(f"{who}: its user agent is {call['user_agent']!r}")
    return found


def command_of(call: Call) -> str:
    """Return the command that made a call, where the test said so."""
    said = _APP.search(call["user_agent"])
    return said[1] if said else ""


def check(calls: list[Call]) -> None:
    """Fail on every call that the product may not make, and where it made none at all."""
    assert of_product(calls), "the product made no call: this emulator proves nothing"
    assert misdeeds(calls) == []
