"""Reasons: which value of git differs, and on which line. Redacted here, before any rendering."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from reconciler.core.duration import format_duration
from reconciler.core.redact import Redactor
from reconciler.kinds.template.live import LiveTemplate
from reconciler.plan.body import differences
from reconciler.plan.model import Because
from reconciler.plan.part import Part, Row
from reconciler.spec.desired import DesiredFleet
from reconciler.strategies.wanted import Wanted

PATHS: Final = {
    "min": "spec.capacity",
    "max": "spec.capacity",
    "desired": "spec.capacity",
    "health": "spec.health",
    "settings": "spec.group",
    "policies": "spec.scaling",
    "schedules": "spec.scaling",
    "tags": "Target.spec",
    "target group": "spec.traffic.targetGroup",
    "balancer": "spec.traffic.balancer",
    "attach": "spec.traffic.attach",
    "rule": "spec.traffic.listener",
    "dns": "spec.traffic.dns",
    "protect": "metadata.protect",
}
"""Where in the documents each part stands."""

FIELDS: Final = {
    "HealthCheckType": "check",
    "HealthCheckGracePeriod": "grace",
    "DefaultInstanceWarmup": "warmup",
    "CapacityRebalance": "capacityRebalance",
    "MaxInstanceLifetime": "maxInstanceLifetime",
    "attributes.deregistration_delay.timeout_seconds": "drain",
}
"""Fields of AWS that the documents name otherwise."""

WHOLE: Final = ("policies", "schedules", "rule", "dns", "attach")
"""Parts whose fields are named by us, not by the documents: the field follows the path in brackets."""

LONGEST: Final = 80  # characters of a value in a reason


@dataclass(frozen=True, slots=True)
class Reasons:
    """Makes reasons with secrets redacted."""

    redactor: Redactor

    def born(self, fleet: DesiredFleet) -> tuple[Because, ...]:
        """Nothing of this fleet is live."""
        return (Because(path="metadata.name", old="", new=fleet.name, at=_at(fleet, "metadata.name")),)

    def changed(self, fleet: DesiredFleet, parts: tuple[Part, ...]) -> tuple[Because, ...]:
        """Parts that git changed beside the revision."""
        return tuple(dict.fromkeys(because for part in parts for because in _changed(fleet, part)))

    def replaced(
        self, fleet: DesiredFleet, old: LiveTemplate | None, want: Wanted, paths: tuple[str, ...]
    ) -> tuple[Because, ...]:
        """Parts of the revision that differ from the serving one."""
        before: dict[str, Any] = json.loads(old.body) if old else {}
        after: dict[str, Any] = json.loads(want.template.body)
        found: list[Because] = []
        for path in paths:
            at = _at(fleet, f"spec.{path}")
            if path == "image":
                found.append(
                    Because(path="spec.image", old=old.image if old else "", new=want.template.image, at=at)
                )
            elif path == "launch.userData":
                was, now = (self.redactor.user_data(body.get("UserData")) for body in (before, after))
                found.append(Because(path=f"spec.{path}", old=was, new=now, at=at, secret=True))
            else:
                # What the bodies do not show, or show alike (ids by another selector), differs as written.
                rows = differences(path, before, after) or [(path, *_written(fleet, path, before))]
                found += [
                    Because(path=f"spec.{p}", old=_cut(was), new=_cut(now), at=at) for p, was, now in rows
                ]
        return tuple(found)


def _written(fleet: DesiredFleet, path: str, before: dict[str, Any]) -> tuple[str, str]:
    launch = fleet.spec.launch
    if path == "launch.generation":
        return "another", launch.generation
    if path == "launch.instanceTypes":
        new = ", ".join(launch.instanceTypes)
        was = str(before.get("InstanceType", ""))
        return (was if was != new else "another list"), new
    return "", "changed in git"


def _changed(fleet: DesiredFleet, part: Part) -> Iterator[Because]:
    base = _base(fleet, part)
    if not part.rows:  # live is so already, or is another revision's
        path = f"{base}.{part.name}" if base == "spec.capacity" else base
        new = str(part.want) if isinstance(part.want, int) else "changed in git"
        yield Because(path=path, old="", new=new, at=_at(fleet, path))
    for row in part.rows:
        path = _path(base, part, row)
        at = "" if part.name == "tags" else _at(fleet, path if part.name not in WHOLE else base)
        yield Because(path=path, old=_value(row.field, row.live), new=_value(row.field, row.want), at=at)


def _base(fleet: DesiredFleet, part: Part) -> str:
    if part.name == "target group" and fleet.spec.traffic and fleet.spec.traffic.balancer:
        return "spec.traffic.balancer.targetGroup"
    return PATHS[part.name]


def _path(base: str, part: Part, row: Row) -> str:
    if part.name in WHOLE:
        return f"{base}[{row.field.partition('.')[2] or row.field}]"
    field = FIELDS.get(row.field, row.field)
    return f"{base}.extra.{field}" if part.name == "settings" and field == row.field else f"{base}.{field}"


def _value(field: str, value: str) -> str:
    if field.endswith("_seconds") and value.isdecimal():
        return format_duration(timedelta(seconds=int(value)))
    return _cut(value)


def _at(fleet: DesiredFleet, path: str) -> str:
    place = fleet.where(path)
    return f"{place.file}:{place.line}" if place else ""


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
