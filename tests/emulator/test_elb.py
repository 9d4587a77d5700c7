"""Balancers, target groups, listeners and rules as the overlay makes, describes and refuses them."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulated import Emulated
from tests.emulator.scene import PATH, PROVISION, Scene, build, code, forward

pytestmark = pytest.mark.wire


@pytest.fixture
def scene(aws: Emulated) -> Scene:
    return build(aws)


def balancer(scene: Scene, **asked: Any) -> dict[str, Any]:
    return dict(scene.elb.describe_load_balancers(**asked)["LoadBalancers"][0])


def test_a_balancer_is_provisioned_for_a_while(scene: Scene) -> None:
    arn = scene.balancer(Tags=[{"Key": "a", "Value": "b"}])
    assert balancer(scene)["State"] == {"Code": "provisioning"}
    scene.wait(PROVISION)
    assert balancer(scene, LoadBalancerArns=[arn])["State"] == {"Code": "active"}
    assert scene.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"] == [
        {"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "b"}]}
    ]


KINDS = [
    ("application", "internet-facing", r"web-\d+\.eu-west-1\.elb\.amazonaws\.com", "Z32O12XQLNTSW2", "app"),
    ("application", "internal", r"internal-web-\d+\.eu-west-1\.elb\.amazonaws\.com", "Z32O12XQLNTSW2", "app"),
    (
        "network",
        "internet-facing",
        r"web-[0-9a-f]{16}\.elb\.eu-west-1\.amazonaws\.com",
        "Z2IFOLAFXWLO4F",
        "net",
    ),
]


@pytest.mark.parametrize(("kind", "scheme", "name", "zone", "word"), KINDS)
def test_names_and_zones_are_those_of(
    scene: Scene, kind: str, scheme: str, name: str, zone: str, word: str
) -> None:
    arn = scene.balancer(Type=kind, Scheme=scheme)
    made = balancer(scene)
    assert re.fullmatch(name, made["DNSName"])
    assert made["CanonicalHostedZoneId"] == zone
    assert f":loadbalancer/{word}/web/" in arn


def test_a_repeated_create_gives_what_is_there_and_another_with_that_name_is_refused(scene: Scene) -> None:
    arn = scene.balancer()
    assert scene.balancer(Subnets=list(reversed(scene.subnets))) == arn
    with pytest.raises(ClientError) as raised:
        scene.balancer(Scheme="internal")
    assert code(raised.value) == "DuplicateLoadBalancerName"
    group = scene.target_group()
    assert scene.target_group(Tags=[{"Key": "a", "Value": "b"}]) == group
    with pytest.raises(ClientError) as raised:
        scene.target_group(Port=81)
    assert code(raised.value) == "DuplicateTargetGroupName"
    listener = scene.listener(arn, group)
    assert scene.listener(arn, group) == listener
    with pytest.raises(ClientError) as raised:
        scene.listener(arn, scene.target_group("other"))
    assert code(raised.value) == "DuplicateListener"


Do = Callable[[Scene], object]
LONG = "x" * 33
NOBODY = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/none/0123456789abcdef"


def behind(scene: Scene, group: str = "") -> str:
    return scene.listener(scene.balancer(), group or scene.target_group("default"))


def second_balancer(scene: Scene) -> None:
    arn = scene.target_group()
    scene.listener(scene.balancer(), arn)
    scene.listener(scene.balancer("second"), arn)


def priority_twice(scene: Scene) -> None:
    listener = behind(scene)
    for name in ("a", "b"):
        scene.rule(listener, 7, scene.target_group(name))


def heavy(scene: Scene) -> None:
    listener = behind(scene)
    arn = scene.target_group("a")
    scene.elb.create_rule(
        ListenerArn=listener, Priority=1, Conditions=PATH, Actions=forward(arn, weight=1000)
    )


def default_rule(scene: Scene) -> str:
    rules = scene.elb.describe_rules(ListenerArn=behind(scene))["Rules"]
    return next(str(r["RuleArn"]) for r in rules if r["IsDefault"])


def protected(scene: Scene) -> None:
    arn = scene.balancer()
    attributes = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    scene.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)
    scene.elb.delete_load_balancer(LoadBalancerArn=arn)


def in_use(scene: Scene) -> None:
    arn = scene.target_group("a")
    scene.rule(behind(scene), 1, arn)
    scene.elb.delete_target_group(TargetGroupArn=arn)


def many_tags(scene: Scene) -> None:
    arn = scene.target_group()
    tags = [{"Key": f"k{n}", "Value": ""} for n in range(51)]
    scene.elb.add_tags(ResourceArns=[arn], Tags=tags)


REFUSED: list[tuple[str, Do, str]] = [
    ("a balancer name of internal-", lambda s: s.balancer("internal-web"), "ValidationError"),
    ("a balancer name of 33 characters", lambda s: s.balancer(LONG), "ValidationError"),
    ("an application balancer in one subnet", lambda s: s.balancer(Subnets=[s.subnets[0]]), "ValidationError"),
    ("a subnet that is none", lambda s: s.balancer(Subnets=["subnet-1", "subnet-2"]), "SubnetNotFound"),
    ("a security group that is none", lambda s: s.balancer(SecurityGroups=["sg-1"]), "InvalidConfigurationRequest"),
    ("a target group name of 33 characters", lambda s: s.target_group(LONG), "ValidationError"),
    ("a target group in no VPC", lambda s: s.target_group(VpcId="vpc-1"), "ValidationError"),
    ("a check that outlasts its interval", lambda s: s.target_group(HealthCheckTimeoutSeconds=30), "ValidationError"),
    ("a listener to a target group that is none", lambda s: behind(s, NOBODY), "TargetGroupNotFound"),
    ("HTTPS without a certificate", lambda s: s.listener(s.balancer(), s.target_group(), 443, Protocol="HTTPS"), "CertificateNotFound"),
    ("TCP on an application balancer", lambda s: s.listener(s.balancer(), s.target_group(), Protocol="TCP"), "ValidationError"),
    ("a target group of another protocol", lambda s: behind(s, s.target_group(Protocol="TCP")), "InvalidConfigurationRequest"),
    ("a target group behind a second balancer", second_balancer, "TargetGroupAssociationLimit"),
    ("a priority that is taken", priority_twice, "PriorityInUse"),
    ("a weight of 1000", heavy, "ValidationError"),
    ("six target groups", lambda s: s.rule(behind(s), 1, *(s.target_group(f"g{n}") for n in range(6))), "TooManyTargetGroups"),
    ("a rule to a target group that is none", lambda s: s.rule(behind(s), 1, NOBODY), "TargetGroupNotFound"),
    ("deleting a default rule", lambda s: s.elb.delete_rule(RuleArn=default_rule(s)), "OperationNotPermitted"),
    ("deleting a protected balancer", protected, "OperationNotPermitted"),
    ("deleting a target group that a rule names", in_use, "ResourceInUse"),
    ("an attribute that is none", lambda s: s.elb.modify_target_group_attributes(TargetGroupArn=s.target_group(), Attributes=[{"Key": "x", "Value": "y"}]), "ValidationError"),
    ("a delay of two hours", lambda s: s.elb.modify_target_group_attributes(TargetGroupArn=s.target_group(), Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "7200"}]), "ValidationError"),
    ("tags of 21 things", lambda s: s.elb.describe_tags(ResourceArns=[s.target_group()] * 21), "ValidationError"),
    ("51 tags", many_tags, "TooManyTags"),
    ("a page of 401", lambda s: s.elb.describe_target_groups(PageSize=401), "ValidationError"),
    ("a marker that is none", lambda s: s.elb.describe_target_groups(Marker="x"), "ValidationError"),
    ("a balancer name that is none", lambda s: s.elb.describe_load_balancers(Names=["x"]), "LoadBalancerNotFound"),
    ("one ARN that is none among others", lambda s: s.elb.describe_target_groups(TargetGroupArns=[s.target_group(), NOBODY]), "TargetGroupNotFound"),
    ("tags of what does not exist", lambda s: s.elb.describe_tags(ResourceArns=[NOBODY]), "TargetGroupNotFound"),
    ("security groups of a bare network balancer", lambda s: s.elb.set_security_groups(LoadBalancerArn=s.balancer(Type="network"), SecurityGroups=[s.security_group]), "InvalidConfigurationRequest"),
]  # fmt: skip


@pytest.mark.parametrize(("do", "error"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_it_refuses(scene: Scene, do: Do, error: str) -> None:
    with pytest.raises(ClientError) as raised:
        do(scene)
    assert code(raised.value) == error


def test_deleting_what_is_gone_is_no_error(scene: Scene) -> None:
    arn, group = scene.balancer(), scene.target_group()
    for _ in range(2):
        scene.elb.delete_load_balancer(LoadBalancerArn=arn)
        scene.elb.delete_target_group(TargetGroupArn=group)


def test_everything_is_paged(scene: Scene) -> None:
    for n in range(3):
        group = scene.target_group(f"g{n}")
        scene.listener(scene.balancer(f"b{n}"), group)
    listener = scene.elb.describe_listeners(LoadBalancerArn=scene.balancer("b0"))["Listeners"][0][
        "ListenerArn"
    ]
    for n in range(2):
        scene.rule(listener, n + 1, scene.target_group("g0"))
    cases: list[tuple[str, str, dict[str, Any], int]] = [
        ("describe_load_balancers", "LoadBalancers", {}, 3),
        ("describe_target_groups", "TargetGroups", {}, 3),
        ("describe_listeners", "Listeners", {"LoadBalancerArn": scene.balancer("b0")}, 1),
        ("describe_rules", "Rules", {"ListenerArn": listener}, 3),
    ]
    for operation, key, params, count in cases:
        pages = list(scene.elb.get_paginator(operation).paginate(**params, PaginationConfig={"PageSize": 2}))
        sizes = [len(p[key]) for p in pages]
        assert sizes == [n for n in (min(count, 2), count - 2) if n > 0]
        assert len({str(x) for p in pages for x in p[key]}) == count


def test_rules_stand_by_priority_and_a_change_replaces_the_whole_action(scene: Scene) -> None:
    first, second, default = (scene.target_group(n) for n in ("first", "second", "default"))
    listener = behind(scene, default)
    scene.rule(listener, 20, first)
    rule = scene.rule(listener, 3, first)

    def rules() -> list[dict[str, Any]]:
        return list(scene.elb.describe_rules(ListenerArn=listener)["Rules"])

    assert [r["Priority"] for r in rules()] == ["3", "20", "default"]
    scene.elb.modify_rule(RuleArn=rule, Actions=forward(second, weight=0))
    assert rules()[0]["Actions"] == [
        {
            "Type": "forward",
            "TargetGroupArn": second,
            "ForwardConfig": {
                "TargetGroups": [{"TargetGroupArn": second, "Weight": 0}],
                "TargetGroupStickinessConfig": {"Enabled": False},
            },
        }
    ]
    assert rules()[0]["Conditions"] == [{"Values": ["/a/*"], **PATH[0]}]
    scene.elb.set_rule_priorities(
        RulePriorities=[
            {"RuleArn": rules()[0]["RuleArn"], "Priority": 20},
            {"RuleArn": rules()[1]["RuleArn"], "Priority": 3},
        ]
    )
    assert rules()[1]["RuleArn"] == rule


def test_the_short_form_of_an_action_is_described_in_full(scene: Scene) -> None:
    group = scene.target_group()
    arn = scene.balancer()
    scene.listener(arn, group)
    (listener,) = scene.elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    (action,) = listener["DefaultActions"]
    assert action["ForwardConfig"]["TargetGroups"] == [{"TargetGroupArn": group, "Weight": 1}]


def test_a_target_group_knows_its_balancers_until_nothing_names_it(scene: Scene) -> None:
    group, arn = scene.target_group(), scene.balancer()

    def known() -> list[str]:
        return list(scene.elb.describe_target_groups(Names=["web"])["TargetGroups"][0]["LoadBalancerArns"])

    assert known() == []
    listener = scene.listener(arn, group)
    assert known() == [arn]
    assert scene.elb.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"][0]["TargetGroupArn"] == group
    scene.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert known() == []
    with pytest.raises(ClientError) as raised:
        scene.elb.describe_listeners(ListenerArns=[listener])
    assert code(raised.value) == "ListenerNotFound"
    scene.elb.delete_target_group(TargetGroupArn=group)


def test_attributes_have_their_defaults_and_can_be_set(scene: Scene) -> None:
    arn, group = scene.balancer(), scene.target_group()

    def have(answer: dict[str, Any]) -> dict[str, str]:
        return {a["Key"]: a["Value"] for a in answer["Attributes"]}

    one = have(scene.elb.describe_load_balancer_attributes(LoadBalancerArn=arn))
    assert (one["idle_timeout.timeout_seconds"], one["deletion_protection.enabled"]) == ("60", "false")
    two = have(scene.elb.describe_target_group_attributes(TargetGroupArn=group))
    assert two["deregistration_delay.timeout_seconds"] == "300"
    scene.elb.modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[{"Key": "slow_start.duration_seconds", "Value": "30"}]
    )
    after = have(scene.elb.describe_target_group_attributes(TargetGroupArn=group))
    assert after == {**two, "slow_start.duration_seconds": "30"}


def test_certificates_beside_the_default_one_are_kept_when_that_changes(scene: Scene) -> None:
    first, second, third = (f"arn:aws:acm:eu-west-1:123456789012:certificate/{n}" for n in "123")
    arn = scene.balancer()
    listener = scene.listener(
        arn, scene.target_group(), 443, Protocol="HTTPS", Certificates=[{"CertificateArn": first}]
    )
    scene.elb.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": second}])
    scene.elb.modify_listener(ListenerArn=listener, Certificates=[{"CertificateArn": third}])

    def certificates() -> list[tuple[str, bool]]:
        told = scene.elb.describe_listener_certificates(ListenerArn=listener)["Certificates"]
        return [(c["CertificateArn"], c["IsDefault"]) for c in told]

    assert certificates() == [(third, True), (second, False)]
    scene.elb.remove_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": second}])
    assert certificates() == [(third, True)]
    (told,) = scene.elb.describe_listeners(ListenerArns=[listener])["Listeners"]
    assert (told["Certificates"], told["SslPolicy"]) == (
        [{"CertificateArn": third}],
        "ELBSecurityPolicy-2016-08",
    )


def test_tags_and_security_groups_are_set(scene: Scene) -> None:
    arn = scene.balancer()
    scene.elb.add_tags(ResourceArns=[arn], Tags=[{"Key": k, "Value": k} for k in "ab"])
    scene.elb.remove_tags(ResourceArns=[arn], TagKeys=["a"])
    (told,) = scene.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    assert told["Tags"] == [{"Key": "b", "Value": "b"}]
    scene.elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[scene.security_group])
    assert balancer(scene)["SecurityGroups"] == [scene.security_group]


def test_a_network_balancer_forwards_tcp(scene: Scene) -> None:
    group = scene.target_group(Protocol="TCP")
    arn = scene.balancer(Type="network", Subnets=[scene.subnets[0]])
    scene.listener(arn, group, Protocol="TCP")
    (told,) = scene.elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    assert (told["HealthCheckProtocol"], told["LoadBalancerArns"]) == ("TCP", [arn])
