"""The AWS world of the sample company: what its documents name, as it stood before the reconciler came.

Ids are the same each time. The ones that the documents spell out are set; the others follow from the
seed of moto's random ids.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from emulator import clock
from emulator.images import ACCOUNT, AMAZON, add_ami

IRELAND: Final = "eu-west-1"
VIRGINIA: Final = "us-east-1"
SEED: Final = 123_456_789
MARKS: Final = {
    "load_balancer": "50dc6c495c0c9188",
    "listener": "f2f7dc8efc522ab2",
    "target_group": "73e2d6bc24d8a067",
}
"""Ends of the ARNs that fleets/api.yaml and fleets/search.yaml name."""
ALARM: Final = "api-5xx"  # what the gates of fleets/api.yaml name

_AMIS: Final = (
    ("ami-0{r}1000000000001", "web-base-1", ACCOUNT, "arm64", "2026-03-02"),
    ("ami-0{r}1000000000002", "web-base-2", ACCOUNT, "arm64", "2026-05-04"),
    (
        "ami-0{r}2000000000001",
        "al2023-ami-2023.10.20260302.1-kernel-6.1-arm64",
        AMAZON,
        "arm64",
        "2026-03-03",
    ),
    (
        "ami-0{r}2000000000002",
        "al2023-ami-2023.10.20260406.0-kernel-6.1-arm64",
        AMAZON,
        "arm64",
        "2026-04-07",
    ),
    (
        "ami-0{r}2000000000003",
        "al2023-ami-2023.11.20260511.0-kernel-6.1-arm64",
        AMAZON,
        "arm64",
        "2026-05-12",
    ),
    (
        "ami-0{r}2100000000001",
        "al2023-ami-2023.11.20260511.0-kernel-6.1-x86_64",
        AMAZON,
        "x86_64",
        "2026-05-12",
    ),
    ("ami-0{r}3000000000001", "batch-base-1", ACCOUNT, "x86_64", "2026-04-20"),
)
"""Id (`r` is the region's letter), name, owner, architecture, day of creation."""


@dataclass(slots=True, kw_only=True)
class Place:
    """What a region of the company has."""

    vpc: str
    app_subnets: list[str] = field(default_factory=list)
    public_subnets: list[str] = field(default_factory=list)
    security_groups: dict[str, str] = field(default_factory=dict)  # by name


def company(*, balancers: bool = True) -> dict[str, Any]:
    """Build the world in an empty emulator and return its ids; plain moto gets no `balancers`.

    Raises: ValueError where it is there already.
    """
    from moto.ec2.models import ec2_backends
    from moto.moto_api._internal import mock_random
    from moto.route53.models import route53_backends

    zones = route53_backends[ACCOUNT]["aws"]
    if zones.zones:
        raise ValueError("the company's world is there already")
    for region in (IRELAND, VIRGINIA):
        _ = ec2_backends[ACCOUNT][region].vpcs  # the default network takes random ids of its own, once
    mock_random.seed(SEED)
    places = {region: _network(region, octet) for region, octet in ((IRELAND, 20), (VIRGINIA, 30))}
    for region, letter in ((IRELAND, "a"), (VIRGINIA, "b")):
        for identifier, name, owner, architecture, day in _AMIS:
            add_ami(
                region=region,
                id=identifier.format(r=letter),
                name=name,
                owner=owner,
                architecture=architecture,
                created=f"{day}T06:00:00+00:00",
            )
    _profile_and_parameter()
    zone = zones.create_hosted_zone("example.com.", private_zone=False, caller_reference="shop")
    made: dict[str, Any] = {region: asdict(place) for region, place in places.items()}
    made["zone"] = zone.resource_id
    if balancers:
        made |= _shared_balancer(places[IRELAND])
    return made


def _network(region: str, octet: int) -> Place:
    from moto.ec2.models import ec2_backends

    ec2 = ec2_backends[ACCOUNT][region]
    vpc = ec2.create_vpc(f"10.{octet}.0.0/16", tags=[{"Key": "Name", "Value": "shop"}])
    place = Place(vpc=vpc.id)
    for n, letter in enumerate("abc"):
        for tier, third, ids in (("app", n, place.app_subnets), ("public", 100 + n, place.public_subnets)):
            subnet = ec2.create_subnet(
                vpc.id,
                f"10.{octet}.{third}.0/24",
                availability_zone=f"{region}{letter}",
                tags={"subnet": {"tier": tier, "Name": f"shop-{tier}-{letter}"}},
            )
            ids.append(subnet.id)
    for name in ("web", "lb", "worker"):
        group = ec2.create_security_group(name, f"the shop's {name}", vpc_id=vpc.id)
        place.security_groups[name] = group.id
    return place


def _profile_and_parameter() -> None:
    from moto.iam.models import iam_backends
    from moto.ssm.models import ssm_backends

    iam_backends[ACCOUNT]["aws"].create_instance_profile("shop-web", "/", [])
    ssm_backends[ACCOUNT][IRELAND].put_parameter(
        name="/shop/images/batch",
        description="the AMI of the nightly batch",
        value="ami-0a3000000000001",
        parameter_type="String",
        allowed_pattern="",
        keyid="",
        overwrite=False,
        tags=[],
        data_type="text",
        tier=None,
        policies=None,
    )


def _shared_balancer(place: Place) -> dict[str, Any]:
    """Build the balancer `shared`, its alarm, and its rule of search.example.com to `search-legacy`."""
    from emulator import cloudwatch, elb, listeners, rules
    from emulator.region import region_of

    region = region_of(ACCOUNT, IRELAND)
    region.at = clock.now()
    elb.create_load_balancer(
        region,
        {
            "Name": "shared",
            "Type": "application",
            "Scheme": "internet-facing",
            "Subnets": place.public_subnets,
            "SecurityGroups": [place.security_groups["lb"]],
        },
    )
    balancer = _with_mark(region, region.balancers, "load_balancer")
    region.balancers[balancer].body |= {
        "State": {"Code": "active"},
        "DNSName": "shared-1029384756.eu-west-1.elb.amazonaws.com",
    }
    elb.create_target_group(
        region,
        {
            "Name": "search-legacy",
            "Protocol": "HTTP",
            "Port": 8080,
            "VpcId": place.vpc,
            "HealthCheckPath": "/healthz",
        },
    )
    group = _with_mark(region, region.target_groups, "target_group")
    refuse = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    listeners.create_listener(
        region, {"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 80, "DefaultActions": [refuse]}
    )
    listener = _with_mark(region, region.listeners, "listener")
    rules.create_rule(
        region,
        {
            "ListenerArn": listener,
            "Priority": 50,
            "Conditions": [{"Field": "host-header", "HostHeaderConfig": {"Values": ["search.example.com"]}}],
            "Actions": [{"Type": "forward", "TargetGroupArn": group}],
        },
    )
    cloudwatch.alarm(ALARM, "OK", IRELAND, ACCOUNT, watches=balancer.partition(":loadbalancer/")[2])
    return {"load_balancer": balancer, "listener": listener, "target_group": group}


def _with_mark(region: Any, store: dict[str, Any], what: str) -> str:
    """Give the newest thing of a store the end of ARN that the documents name; return its ARN."""
    old = next(reversed(store)).rpartition("/")[2]
    for one in (region.balancers, region.target_groups, region.listeners, region.rules):
        for arn in list(one):
            thing = one.pop(arn)
            thing.body = _replaced(thing.body, old, MARKS[what])
            if hasattr(thing, "listener"):
                thing.listener = thing.listener.replace(old, MARKS[what])
            one[arn.replace(old, MARKS[what])] = thing
    return next(reversed(store))


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {k: _replaced(v, old, new) for k, v in value.items()}
    if isinstance(value, list):
        return [_replaced(v, old, new) for v in value]
    return value.replace(old, new) if isinstance(value, str) else value
