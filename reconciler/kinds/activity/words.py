"""What AWS's words for a failed launch mean. Pure.

Source: EC2 Auto Scaling User Guide, "Troubleshoot Amazon EC2 Auto Scaling: EC2 instance launch failures" and
"AMI issues"; EC2 API Reference, "Error codes". Activities of today put the option and the error code before
the message (`Could not launch Spot Instances. MaxSpotInstanceCountExceeded - ...`), older ones do not.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from reconciler.kinds.activity.live import LaunchFailure

LONGEST: Final = 160  # characters of AWS's words that are told
UNKNOWN: Final = "unknown"

PROPAGATES: Final = timedelta(minutes=2)
"""For how long a new instance profile may be unknown to EC2: the next launch after it has to fail as well."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One kind of failure."""

    code: str
    told: str
    found: re.Pattern[str]
    final: bool = False
    lasting: timedelta = timedelta()  # only final once it was seen for so long


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE)


REASONS: Final = (
    Reason(
        "profile",
        "the instance profile does not exist",
        _any(r"Invalid IAM ?Instance ?Profile", r"parameter iamInstanceProfile\S* is invalid"),
        final=True,
        lasting=PROPAGATES,
    ),
    Reason("image-pending", "the AMI is not ready yet", _any(r"\bAMI\b.* is pending, and cannot be run")),
    Reason(
        "image",
        "the AMI is not there, disabled, or not shared with this account",
        _any(
            r"InvalidAMIID\.(NotFound|Unavailable)",
            r"not authorized for images",
            r"The (image id|AMI ID) .* does not exist",
            r"\bAMI\b.* is disabled, and cannot be run",
        ),
        final=True,
    ),
    Reason(
        "architecture",
        "the AMI is of another architecture than the instance type",
        _any(r"architecture .* does not match the architecture"),
        final=True,
    ),
    Reason(
        "security-group",
        "a security group does not exist",
        _any(r"InvalidGroup\.NotFound", r"The security group .* does not exist"),
        final=True,
    ),
    Reason(
        "key-pair",
        "the key pair does not exist",
        _any(r"InvalidKeyPair\.NotFound", r"The key pair .* does not exist"),
        final=True,
    ),
    Reason(
        "subnet",
        "a subnet does not exist",
        _any(r"InvalidSubnetID\.NotFound", r"The subnet ID .* does not exist"),
        final=True,
    ),
    Reason(
        "device",
        "a volume is wrong for the AMI or the instance type",
        _any(
            r"Invalid device name",
            r"parameter virtualName is invalid",
            r"EBS block device mappings not supported",
        ),
        final=True,
    ),
    Reason(
        "subnet-full",
        "a subnet has no free addresses",
        _any(r"InsufficientFreeAddressesInSubnet", r"not enough free addresses in subnet"),
    ),
    Reason(
        "quota",
        "a quota of this account is used up",
        _any(
            r"VcpuLimitExceeded",
            r"more vCPU capacity than your current vCPU limit",
            r"InstanceLimitExceeded",
            r"than your current instance limit",
            r"instance\(s\) are already running",
            r"MaxSpotInstanceCountExceeded",
            r"Max spot instance count exceeded",
            r"reached your quota",
        ),
    ),
    Reason(
        "capacity",
        "not enough capacity",
        _any(
            r"Insufficient(Instance|Host|Reserved\w*)?Capacity",
            r"do not have sufficient .*capacity",
            r"no Spot capacity available",
            r"UnfulfillableCapacity",
            r"does not have sufficient compatible and available capacity",
            r"Capacity Block reservation .* is not active",
        ),
    ),
    Reason(
        "type",
        "the instance type, or an option with it, is not offered there",
        _any(
            r"instance type .* is not supported in your requested Availability Zone",
            r"requested configuration is currently not supported",
            r"Placement groups may not be used with instances of type",
            r"requested Availability Zone is no longer supported",
        ),
    ),
    Reason(
        "key",
        "EC2 ended it at once; mostly the key of its volumes may not be used",
        _any(r"Client\.InternalError", r"Client\.InvalidKMSKey", r"Client error on launch"),
    ),
    Reason(
        "hook",
        "its launch hook abandoned it",
        _any(r"failed to complete user's Lifecycle Action"),
    ),
)
"""Every kind; the first that is found counts. What is not final may come: Auto Scaling tries again."""

_OPTION: Final = re.compile(r"^Could not launch (On-Demand|Spot) Instances\.\s*")
_CODE: Final = re.compile(r"^(\w+(?:\.\w+)*) - (?=\S)")
_END: Final = re.compile(r"\s*Launching EC2 instance failed\.?\s*$", re.IGNORECASE)
_SENTENCE: Final = re.compile(r"(?<=[\w)\]'\"])[.!?](?=\s|$)")


def reason_of(message: str) -> Reason | None:
    """Return what a StatusMessage means; None: nothing that is known."""
    return next((r for r in REASONS if r.found.search(message)), None)


def first_sentence(message: str) -> str:
    """Return what AWS says of the cause, without what every failed launch says."""
    text = " ".join(message.split())
    text = _END.sub("", _CODE.sub("", _OPTION.sub("", text)))
    text = _SENTENCE.split(text, maxsplit=1)[0]
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def told(failure: LaunchFailure) -> str:
    """Return a failure in words: since when, what it means, and what AWS says."""
    known = next((r.told for r in REASONS if r.code == failure.code), "")
    means = (
        f"{known} ({failure.why})"
        if known and failure.why
        else known or failure.why or "AWS does not say why"
    )
    return f"launches fail since {failure.since:%H:%M} UTC: {means}"
