"""EC2, repaired: whole pages of instances, subnets and security groups; tags; launch templates."""

import copy
from datetime import datetime
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.responses.security_groups import SecurityGroups
from moto.ec2.responses.subnets import Subnets

from emulator import tags, templates
from emulator.paging import paged
from emulator.patch import patch
from emulator.wire import Refused

PAGE: Final = 1000  # of each of these describes, at most
LEAST: Final = 5  # a page asked for is never smaller


def _describe_instances(response: Any) -> ActionResult:
    """Page by instance, as AWS does: a reservation may go on over the edge of a page."""
    response.error_on_dryrun()
    identifiers = response._get_param("InstanceIds", [])
    if identifiers and response._get_param("MaxResults"):
        raise Refused(
            "InvalidParameterCombination",
            "The parameter instancesSet cannot be used with the parameter maxResults",
        )
    filters = response._filters_from_querystring()
    backend = response.ec2_backend
    found = (
        backend.get_reservations_by_instance_ids(identifiers, filters=filters)
        if identifiers
        else backend.describe_instances(filters=filters)
    )
    pairs = [(f"{r.id} {i.id}", (r, i)) for r in found for i in r.instances]
    page, token = paged(response, pairs, least=LEAST, most=PAGE)
    shown: dict[str, Any] = {}
    for reservation, instance in page:
        if reservation.id not in shown:
            shown[reservation.id] = copy.copy(reservation)
            shown[reservation.id].instances = []
        shown[reservation.id].instances.append(instance)
    return _answer("Reservations", list(shown.values()), token)


def _describe_subnets(response: Any) -> ActionResult:
    response.error_on_dryrun()
    found = response.ec2_backend.describe_subnets(
        response._get_param("SubnetIds"), response._filters_from_querystring()
    )
    return _answer("Subnets", *paged(response, [(s.id, s) for s in found], least=LEAST, most=PAGE))


def _describe_security_groups(response: Any) -> ActionResult:
    found = response.ec2_backend.describe_security_groups(
        group_ids=response._get_param("GroupIds", []),
        groupnames=response._get_param("GroupNames", []),
        filters=response._filters_from_querystring(),
    )
    return _answer("SecurityGroups", *paged(response, [(g.id, g) for g in found], least=LEAST, most=PAGE))


def _answer(name: str, items: list[Any], token: str | None) -> ActionResult:
    return ActionResult({name: items} | ({"NextToken": token} if token else {}))


def install() -> None:
    """Put these operations in the place of moto's."""
    tags.install()
    templates.install()
    patch(InstanceResponse, describe_instances=_describe_instances)
    patch(Subnets, describe_subnets=_describe_subnets)
    patch(SecurityGroups, describe_security_groups=_describe_security_groups)


def tick(now: datetime) -> None:
    """Nothing to do: what boots and ends in time belongs to a group, which does it."""
