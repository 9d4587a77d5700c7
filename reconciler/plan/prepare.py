"""What a document says of a fleet before anything live is looked at: the parts of its revision."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from reconciler.core.digest import canonical, pruned, sha, short
from reconciler.strategies.wanted import NO_GATES, Gates, MetricGate, ProbeGate

if TYPE_CHECKING:
    from reconciler.core.ids import AmiId
    from reconciler.spec.desired import DesiredFleet
    from reconciler.spec.launch import Launch, Selector
    from reconciler.spec.rollout import Rollout
    from reconciler.spec.traffic import Traffic

VERSION: Final = "v1"
"""Version of the digest. A better digest gets a new one, and live revisions are compared by their own."""

PARTS: Final = (
    "image",
    "launch.generation",
    "launch.instanceTypes",
    "launch.purchase",
    "launch.securityGroups",
    "launch.instanceProfile",
    "launch.keyPair",
    "launch.userData",
    "launch.metadata",
    "launch.volumes",
    "launch.enclave",
    "launch.monitoring",
    "launch.publicIp",
    "launch.tags",
    "launch.extra",
    "hooks",
    "placement",
    "traffic",
)
"""Paths below `spec` that make a revision. Only ever appended to: `reconciler:parts` is by position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The parts of a revision but the image, each as canonical JSON, and the rest of a template's body."""

    parts: tuple[tuple[str, str], ...]
    body: str  # RequestLaunchTemplateData without ImageId and security groups
    spec_hash: str  # of the whole merged spec, contents of files included


def prepare(fleet: DesiredFleet) -> Prepared:
    """Return what a fleet's document gives before any id is resolved."""
    spec, launch = fleet.spec, fleet.spec.launch
    whole = spec.model_dump(mode="json", exclude={"profiles", "targets", "overrides"})
    values: dict[str, Any] = {f"launch.{k}": v for k, v in whole["launch"].items() if k != "userData"}
    values["launch.securityGroups"] = [written(g) for g in launch.securityGroups]
    values["launch.userData"] = sha(fleet.user_data.hex()) if fleet.user_data is not None else None
    values["hooks"] = whole["hooks"]
    values["placement"] = [written(s) for s in spec.placement.subnets]
    values["traffic"] = _traffic(spec.traffic)
    parts = tuple((p, canonical(values[p])) for p in PARTS if p != "image")
    return Prepared(
        parts=parts,
        body=canonical(_body(launch, fleet.user_data)),
        spec_hash=short([whole, values["launch.userData"]]),
    )


def gates_of(rollout: Rollout) -> Gates:
    """Return the gates of a rollout. They are no part of a revision."""
    gates = rollout.gates
    if gates is None:
        return NO_GATES
    probe = gates.probe
    return Gates(
        alarms=gates.alarms,
        metrics=tuple(
            MetricGate(metric=m.metric or "", query=m.query or "", max=m.max, over=m.over)
            for m in gates.metrics
        ),
        probe=ProbeGate(path=probe.path, status=probe.status, times=probe.times) if probe else None,
        missing=gates.missing,
    )


def revision_of(fleet: DesiredFleet, prepared: Prepared, ami: AmiId) -> str:
    """Return the revision: its version, and 40 hex digits over what an instance would be, and where."""
    parts = [["image", ami], *([p, v] for p, v in prepared.parts if p != "image")]
    return f"{VERSION}.{sha([fleet.name, fleet.target, parts], 40)}"


def parts_text(prepared: Prepared, ami: AmiId) -> str:
    """Return what `reconciler:parts` holds: four hex digits for each part, by position."""
    values = {"image": canonical(ami), **dict(prepared.parts)}
    return "1:" + "".join(_digits(values[p]) for p in PARTS)


@lru_cache(maxsize=1024)
def _digits(part: str) -> str:
    """Most parts are the same in most fleets."""
    return sha(part, 4)


def parts_that_differ(old: str, new: str) -> tuple[str, ...]:
    """Return the paths whose digits differ between two texts of `reconciler:parts`."""
    if not old.startswith("1:") or not new.startswith("1:"):
        return ()
    pairs = zip(range(2, 2 + 4 * len(PARTS), 4), PARTS, strict=True)
    return tuple(p for at, p in pairs if old[at : at + 4] != new[at : at + 4])


def written(selector: Selector) -> Any:
    """Return a selector as it was written."""
    if selector.id is not None:
        return selector.id
    return {"name": selector.name} if selector.name is not None else {"tag": dict(selector.tag)}


def _traffic(traffic: Traffic | None) -> Any:
    """What of the traffic is part of the revision; the rest is changed in place."""
    if traffic is None:
        return None
    balancer = traffic.balancer
    group = balancer.targetGroup if balancer else traffic.targetGroup
    return {
        "balancer": {
            "type": balancer.type,
            "scheme": balancer.scheme,
            "subnets": [written(s) for s in balancer.subnets],
            "ipAddressType": balancer.ipAddressType,
            "listeners": sorted([x.port, x.protocol] for x in balancer.listeners),
        }
        if balancer
        else None,
        "targetGroup": {
            "port": group.port,
            "protocol": group.protocol,
            "health": group.health.model_dump(mode="json"),
        }
        if group
        else None,
    }


def _body(launch: Launch, user_data: bytes | None) -> dict[str, Any]:
    options = launch.metadata
    tags = [{"Key": k, "Value": v} for k, v in launch.tags]
    body: dict[str, Any] = {
        "InstanceType": launch.instanceTypes[0],
        "IamInstanceProfile": {"Name": launch.instanceProfile} if launch.instanceProfile else None,
        "KeyName": launch.keyPair,
        "UserData": base64.b64encode(user_data).decode() if user_data else None,
        "MetadataOptions": {
            "HttpEndpoint": "enabled" if options.enabled else "disabled",
            "HttpTokens": options.tokens,
            "HttpPutResponseHopLimit": options.hopLimit,
            "InstanceMetadataTags": "enabled" if options.tags else "disabled",
        },
        "BlockDeviceMappings": [
            {
                "DeviceName": v.device,
                "Ebs": {
                    "VolumeSize": v.sizeGiB,
                    "VolumeType": v.type,
                    "Iops": v.iops,
                    "Throughput": v.throughput,
                    "Encrypted": v.encrypted,
                    "KmsKeyId": v.kmsKey,
                    "DeleteOnTermination": True,
                },
            }
            for v in launch.volumes
        ],
        "EnclaveOptions": {"Enabled": True} if launch.enclave else None,
        "Monitoring": {"Enabled": launch.monitoring},
        "TagSpecifications": [{"ResourceType": kind, "Tags": tags} for kind in ("instance", "volume")]
        if tags
        else None,
    }
    made = pruned(body)
    return {**(made if isinstance(made, dict) else {}), **json.loads(launch.extra)}
