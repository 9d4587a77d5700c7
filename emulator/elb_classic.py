"""Classic Elastic Load Balancing: moto's, with instances that need time to come into service."""

from collections.abc import Iterable
from typing import Any, Final

from moto.core.utils import get_service_model
from moto.elb.models import ELBBackend, elb_backends
from moto.elb.responses import ELBResponse

from emulator import hands, physics
from emulator.patch import patch
from emulator.region import Body, Region, region_of
from emulator.wire import Params, Refused, replace_one

_REGISTER: Final = ELBBackend.register_instances


def exists(region: Region, name: str) -> bool:
    """Return whether there is a classic balancer of that name."""
    return _backend(region).get_load_balancer(name) is not None


def register(region: Region, name: str, instance: str) -> None:
    """Register an instance of a group; nothing where the balancer is gone."""
    if exists(region, name) and instance not in _backend(region).get_load_balancer(name).instance_ids:
        _backend(region).register_instances(name, [instance], from_autoscaling=True)


def deregister(region: Region, name: str, instance: str) -> None:
    """Take an instance out, at once; nothing where the balancer is gone."""
    if exists(region, name):
        for by_group in (True, False):
            _backend(region).deregister_instances(name, [instance], from_autoscaling=by_group)
    region.classic.get(name, {}).pop(instance, None)


def _backend(region: Region) -> Any:
    return elb_backends[region.account][region.name]


def _register(
    backend: ELBBackend, load_balancer_name: str, instance_ids: Iterable[str], **kwargs: Any
) -> Any:
    region = region_of(backend.account_id, backend.region_name)
    ids = list(instance_ids)
    for one in ids:
        region.classic.setdefault(load_balancer_name, {})[one] = region.at
    return _REGISTER(backend, load_balancer_name, ids, **kwargs)


def states(region: Region, name: str) -> dict[str, str]:
    """Return InService or OutOfService for every registered instance."""
    found = {i.id: i.state for i in region.ec2.all_instances()}
    registered = dict.fromkeys(_backend(region).get_load_balancer(name).instance_ids)
    return {one: _state(region, name, one, found.get(one, "terminated")) for one in registered}


def _state(region: Region, name: str, instance: str, ec2: str) -> str:
    since = region.classic.get(name, {}).get(instance, region.at)
    home = region.homes.get(instance)
    names = (name, instance, *((home.name,) if home else ()))
    passed = region.at >= since + physics.current().healthy
    good = ec2 == "running" and passed and not hands.is_unhealthy(names, since, region.at)
    return "InService" if good else "OutOfService"


def describe_instance_health(region: Region, params: Params) -> Body:
    """elb:DescribeInstanceHealth."""
    name = params["LoadBalancerName"]
    if not exists(region, name):
        raise Refused("LoadBalancerNotFound", f"There is no ACTIVE Load Balancer named '{name}'")
    known = states(region, name)
    wanted = [i["InstanceId"] for i in params.get("Instances", [])] or list(known)
    if strange := [i for i in wanted if i not in known]:
        raise Refused("InvalidInstance", f"Could not find EC2 instance {strange[0]}.")
    return {"InstanceStates": [_described(i, known[i]) for i in wanted]}


def _described(instance: str, state: str) -> Body:
    if state == "InService":
        return {"InstanceId": instance, "State": state, "ReasonCode": "N/A", "Description": "N/A"}
    why = "Instance has failed at least the UnhealthyThreshold number of health checks consecutively."
    return {"InstanceId": instance, "State": state, "ReasonCode": "Instance", "Description": why}


def install() -> None:
    """Let time pass in moto's classic balancers."""
    patch(ELBBackend, register_instances=_register)
    replace_one(ELBResponse, get_service_model("elb"), "DescribeInstanceHealth", describe_instance_health)
