"""What differs between two launch templates, in the words of the documents instead of AWS's members."""

import json
from collections.abc import Iterator
from typing import Any, Final

from reconciler.spec.launch import TYPED_LAUNCH

MEMBERS: Final = {
    "launch.instanceProfile": "IamInstanceProfile",
    "launch.keyPair": "KeyName",
    "launch.securityGroups": "SecurityGroupIds",
    "launch.metadata": "MetadataOptions",
    "launch.volumes": "BlockDeviceMappings",
    "launch.enclave": "EnclaveOptions",
    "launch.monitoring": "Monitoring",
}
"""Parts of a revision that a template's body shows by value."""

WORDS: Final = {
    "Ebs": "",
    "Enabled": "",
    "Name": "",
    "HttpEndpoint": "enabled",
    "HttpTokens": "tokens",
    "HttpPutResponseHopLimit": "hopLimit",
    "InstanceMetadataTags": "tags",
    "VolumeSize": "sizeGiB",
    "VolumeType": "type",
    "Iops": "iops",
    "Throughput": "throughput",
    "Encrypted": "encrypted",
    "KmsKeyId": "kmsKey",
}
"""AWS's names and ours; an empty word is a level that the documents do not have."""

Difference = tuple[str, str, str]
"""Path below `spec`, old and new; one that is not there is empty."""


def differences(path: str, before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """Return what differs in one part of a revision, value by value..

    Of tags and `extra`, which may hold secrets, only the keys are told.
    """
    if path == "launch.tags":
        return _by_key(path, _tags(before), _tags(after))
    if path == "launch.extra":
        return _by_key(path, _extra(before), _extra(after))
    if path not in MEMBERS:
        return []
    old, new = (dict(_leaves(path, body.get(MEMBERS[path]))) for body in (before, after))
    found = [(p, old.get(p, ""), new.get(p, "")) for p in dict.fromkeys((*old, *new))]
    return [row for row in found if row[1] != row[2]]


def _by_key(path: str, old: dict[str, Any], new: dict[str, Any]) -> list[Difference]:
    keys = sorted(k for k in {*old, *new} if old.get(k) != new.get(k))
    return [
        (f"{path}.{k}", "set" if k in old else "", ("other value" if k in old else "set") if k in new else "")
        for k in keys
    ]


def _tags(body: dict[str, Any]) -> dict[str, Any]:
    tags = (
        s.get("Tags", []) for s in body.get("TagSpecifications", []) if s.get("ResourceType") == "instance"
    )
    return {t["Key"]: t.get("Value", "") for own in tags for t in own}


def _extra(body: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in body.items() if k not in TYPED_LAUNCH}


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case None:
            return
        case dict():
            for key, inner in value.items():
                word = WORDS.get(key, key)
                told = inner == "enabled" if inner in ("enabled", "disabled") else inner
                yield from _leaves(f"{path}.{word}" if word else path, told)
        case [dict(), *_]:
            for one in value:
                rest = {k: v for k, v in one.items() if k != "DeviceName"}
                yield from _leaves(f"{path}[{one.get('DeviceName', '')}]", rest)
        case list():
            yield path, ", ".join(sorted(map(str, value)))
        case str():
            yield path, value
        case _:
            yield path, json.dumps(value)
