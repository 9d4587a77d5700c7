"""Names that must not be mixed up: each is a string of its own type."""

from typing import NewType

TargetName = NewType("TargetName", str)
FleetName = NewType("FleetName", str)
ImageName = NewType("ImageName", str)
ZoneName = NewType("ZoneName", str)

Revision = NewType("Revision", str)
"""Digest of what an instance would be, and where, with its version: `v1.<40 hex digits>`."""

ResourceName = NewType("ResourceName", str)
"""Name of a group, launch template, target group and balancer alike: `<fleet>-<10 hex digits>`."""

AmiId = NewType("AmiId", str)
Arn = NewType("Arn", str)
ZoneId = NewType("ZoneId", str)
InstanceId = NewType("InstanceId", str)
Commit = NewType("Commit", str)
ChangeId = NewType("ChangeId", str)

DIGITS = 10  # of a revision in a name: 40 bits, so that two revisions of one fleet never meet


def digits(revision: Revision) -> str:
    """Return the hex digits of a revision that stand in names."""
    return revision.partition(".")[2][:DIGITS]


def resource_name(fleet: FleetName, revision: Revision) -> ResourceName:
    """Return the name that everything made for this revision carries."""
    return ResourceName(f"{fleet}-{digits(revision)}")
