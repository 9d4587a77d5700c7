"""Reasons: which value of git differs, and on which line. Redacted here, before any rendering."""

import json
from dataclasses import dataclass

from reconciler.core.redact import Redactor
from reconciler.kinds.template.live import LiveTemplate
from reconciler.plan.model import Because
from reconciler.plan.part import Part
from reconciler.spec.desired import DesiredFleet
from reconciler.strategies.wanted import Wanted

BODY = {
    "launch.instanceTypes": "InstanceType",
    "launch.instanceProfile": "IamInstanceProfile",
    "launch.keyPair": "KeyName",
    "launch.metadata": "MetadataOptions",
    "launch.volumes": "BlockDeviceMappings",
    "launch.enclave": "EnclaveOptions",
    "launch.monitoring": "Monitoring",
    "launch.securityGroups": "SecurityGroupIds",
}
"""Parts that the live template's body still shows; of the others only that they differ is known."""

PATHS = {
    "min": "spec.capacity.min",
    "max": "spec.capacity.max",
    "desired": "spec.capacity.desired",
    "health": "spec.health",
    "settings": "spec.group",
    "policies": "spec.scaling",
    "schedules": "spec.scaling",
    "tags": "spec.targets",
    "target group": "spec.traffic",
    "balancer": "spec.traffic.balancer",
    "rule": "spec.traffic.listener",
    "dns": "spec.traffic.dns",
    "protect": "metadata.protect",
}
SECRET = ("launch.userData", "launch.extra", "launch.tags")
LONGEST = 80  # characters of a value in a reason


@dataclass(frozen=True, slots=True)
class Reasons:
    """Makes reasons with secrets redacted."""

    redactor: Redactor

    def born(self, fleet: DesiredFleet) -> tuple[Because, ...]:
        """Nothing of this fleet is live."""
        return (Because(path="metadata.name", old="", new=fleet.name, at=_at(fleet, "metadata.name")),)

    def changed(self, fleet: DesiredFleet, parts: tuple[Part, ...]) -> tuple[Because, ...]:
        """Parts that git changed beside the revision."""
        found = []
        for part in parts:
            path = PATHS[part.name]
            rows = part.rows or ()
            if not rows:
                found.append(
                    Because(path=path, old="applied before", new="changed in git", at=_at(fleet, path))
                )
            found += [
                Because(
                    path=f"{path} {row.field}", old=_cut(row.live), new=_cut(row.want), at=_at(fleet, path)
                )
                for row in rows
            ]
        return tuple(found)

    def replaced(
        self, fleet: DesiredFleet, old: LiveTemplate | None, want: Wanted, paths: tuple[str, ...]
    ) -> tuple[Because, ...]:
        """Parts of the revision that differ from the serving one."""
        before = json.loads(old.body) if old else {}
        after = json.loads(want.template.body)
        found = []
        for path in paths:
            at = _at(fleet, f"spec.{path}")
            pair: tuple[str, str]
            if path == "image":
                pair = (old.image if old else "", want.template.image)
            elif path == "launch.userData":
                told = self.redactor.user_data
                pair = (told(before.get("UserData")), told(after.get("UserData")))
            elif path in SECRET or path not in BODY:
                pair = ("other", "as written")
            else:
                member = BODY[path]
                pair = (_cut(_said(before.get(member))), _cut(_said(after.get(member))))
            secret = path == "launch.userData"
            found.append(Because(path=f"spec.{path}", old=pair[0], new=pair[1], at=at, secret=secret))
        return tuple(found)


def _at(fleet: DesiredFleet, path: str) -> str:
    place = fleet.where(path)
    return f"{place.file}:{place.line}" if place else ""


def _said(value: object) -> str:
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
