"""AMIs, repaired: pages, filters beside ids, visibility, architecture; and a hand that publishes one."""

import re
from datetime import datetime, timedelta
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import Ami
from moto.ec2.responses.amis import AmisResponse
from moto.ec2.utils import generic_filter

from emulator import clock
from emulator.knobs import knob
from emulator.paging import paged
from emulator.patch import patch
from emulator.wire import Refused

PAGE: Final = 1000  # of DescribeImages, at most
AMAZON: Final = "137112412989"  # the account that publishes Amazon Linux
ACCOUNT: Final = "123456789012"
_ID: Final = re.compile(r"ami-[0-9a-f]+")
_AVAILABLE_AT: Final = "emulated_available_at"


def _describe_images(response: Any) -> ActionResult:
    response.error_on_dryrun()
    backend = response.ec2_backend
    identifiers = response._get_param("ImageIds", [])
    if identifiers:
        images = _by_ids(backend, identifiers)
    else:
        images = backend.describe_images(
            exec_users=response._get_param("ExecutableUsers", []), owners=response._get_param("Owners", [])
        )
        images = [i for i in images if _is_listed(response, i)]
    images = generic_filter(response._filters_from_querystring(), images)
    page, token = paged(response, [(i.id, i) for i in images], least=1, most=PAGE)
    return ActionResult({"Images": page} | ({"NextToken": token} if token else {}))


def _by_ids(backend: Any, identifiers: list[str]) -> list[Ami]:
    if bad := [i for i in identifiers if not _ID.fullmatch(i)]:
        raise Refused("InvalidAMIID.Malformed", f'Invalid id: "{bad[0]}" (expecting "ami-...")')
    known = backend.amis
    if missing := [i for i in identifiers if i not in known and i not in backend.deleted_amis]:
        several = len(missing) > 1
        raise Refused(
            "InvalidAMIID.NotFound",
            f"The image id{'s' * several} '[{', '.join(missing)}]' {'do' if several else 'does'} not exist",
        )
    return [known[i] for i in identifiers if i in known]


def _is_listed(response: Any, image: Any) -> bool:
    """Deprecated images of others, and disabled ones, show only to who asks for them."""
    if image.state == "disabled" and not response._get_param("IncludeDisabled"):
        return False
    deprecated = getattr(image, "deprecation_time", None)
    if deprecated is None or datetime.fromisoformat(deprecated) > clock.now():
        return True
    return bool(response._get_param("IncludeDeprecated")) or image.owner_id == response.current_account


def _register_image(response: Any) -> ActionResult:
    response.error_on_dryrun()
    name = response._get_param("Name")
    for image in response.ec2_backend.amis.values():
        if image.name == name and image.owner_id == response.current_account:
            raise Refused("InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {image.id}")
    made = response.ec2_backend.register_image(name, response._get_param("Description", ""))
    made.architecture = response._get_param("Architecture", "i386")
    made.root_device_name = response._get_param("RootDeviceName", "/dev/sda1")
    made.virtualization_type = response._get_param("VirtualizationType", "hvm")
    return ActionResult({"ImageId": made.id})


@knob("add_ami")
def add_ami(
    *,
    region: str,
    id: str,  # noqa: A002  # a knob's arguments are named as people call them
    name: str,
    owner: str = ACCOUNT,
    architecture: str = "arm64",
    created: str = "",
    pending: float = 0,
    deprecated: str = "",
    account: str = ACCOUNT,
) -> dict[str, str]:
    """Publish an AMI with an id of one's choice to an account's region.

    `created` and `deprecated` are ISO times (created now by default, never deprecated); for `pending`
    seconds of the emulator's clock it is not available yet. Raises: ValueError for an id that is taken.
    """
    backend = ec2_backends[account][region]
    if not _ID.fullmatch(id) or id in backend.amis:
        raise ValueError(f"{id} is there already, or is no AMI id")
    at = datetime.fromisoformat(created).replace(tzinfo=None) if created else clock.naive()
    image = Ami(
        backend,
        id,
        name=name,
        owner_id=owner,
        owner_alias="amazon" if owner == AMAZON else None,
        public=owner != account,
        architecture=architecture,
        virtualization_type="hvm",
        hypervisor="xen",
        root_device_type="ebs",
        root_device_name="/dev/xvda",
        creation_date=at,
        image_location=f"{owner}/{name}",
        region_name=f"{region}a",
    )
    if deprecated:
        image.deprecation_time = datetime.fromisoformat(deprecated).isoformat()  # type: ignore[attr-defined]
    if pending:
        image.state = "pending"
        setattr(image, _AVAILABLE_AT, clock.now() + timedelta(seconds=pending))
    backend.amis[id] = image
    return {"id": id, "name": name}


@knob("remove_ami")
def remove_ami(*, region: str, id: str, account: str = ACCOUNT) -> None:  # noqa: A002  # as above
    """Take an AMI away, as its owner does who deregisters it."""
    backend = ec2_backends[account][region]
    if id not in backend.amis:
        raise ValueError(f"there is no {id} in {region}")
    backend.deregister_image(id)


def install() -> None:
    """Put these operations in the place of moto's."""
    patch(AmisResponse, describe_images=_describe_images, register_image=_register_image)


def tick(now: datetime) -> None:
    """Make available what was pending long enough."""
    for _, _, backend in ec2_backends.iter_backends():
        amis: dict[str, Ami] = backend.amis  # type: ignore[attr-defined]
        for image in amis.values():
            if image.state == "pending" and getattr(image, _AVAILABLE_AT, now) <= now:
                image.state = "available"
