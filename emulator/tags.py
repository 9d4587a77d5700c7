"""Tags of EC2 resources: AWS's bounds, and a look-up that doesn't walk through every tag there is."""

from collections.abc import Mapping
from typing import Any, Final

from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.responses.tags import TagResponse
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

from emulator.patch import patch
from emulator.wire import Refused

TAGS: Final = 50  # of one resource; those that begin with `aws:` don't count
KEY: Final = 128  # characters
VALUE: Final = 256  # characters


def check(tags: Mapping[str, str], there: Mapping[str, str]) -> None:
    """Check tags that are put on a resource which has some.

    Raises: Refused, InvalidParameterValue or TagLimitExceeded.
    """
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            raise Refused(
                "InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use"
            )
        if not 1 <= len(key) <= KEY:
            raise Refused("InvalidParameterValue", f"Tag key exceeds the maximum length of {KEY} characters")
        if len(value) > VALUE:
            raise Refused(
                "InvalidParameterValue", f"Tag value exceeds the maximum length of {VALUE} characters"
            )
    if len([k for k in there.keys() | tags.keys() if not k.startswith("aws:")]) > TAGS:
        raise Refused(
            "TagLimitExceeded",
            f"The maximum number of Tags for a resource has been reached. ({TAGS})",
        )


def _get_tags(resource: Any) -> list[dict[str, str]]:
    identifier = resource.id
    if not identifier:
        return []
    kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(identifier), "")
    tags = resource.ec2_backend.tags.get(identifier, {})
    return [{"resource_id": identifier, "key": k, "value": v, "resource_type": kind} for k, v in tags.items()]


_MOTO: Final[dict[str, Any]] = {}


def _create_tags(response: Any) -> Any:
    tags = {t["Key"]: t.get("Value", "") for t in response._get_param("Tags", [])}
    for resource in response._get_param("Resources", []):
        check(tags, response.ec2_backend.tags.get(resource, {}))
    return _MOTO["create_tags"](response)


def install() -> None:
    """Put this in the place of moto's."""
    _MOTO.setdefault("create_tags", TagResponse.create_tags)
    patch(TagResponse, create_tags=_create_tags)
    patch(TaggedEC2Resource, get_tags=_get_tags)
