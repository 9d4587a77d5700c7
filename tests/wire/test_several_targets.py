"""One fleet in two accounts and regions, its names in one zone: waves, a failure between them, a command for one."""

from dataclasses import dataclass
from typing import Any

import pytest

from reconciler.apply.executor import Done
from reconciler.daemon.passes import apply
from reconciler.daemon.session import Look
from reconciler.kinds.group.steps import CreateGroup
from reconciler.plan.standing import Standing, together
from tests.emulated import Emulated, client
from tests.product import BRIEF, ENOUGH, Product, wait
from tests.wire.company import BALANCER, NEW_AMI, OLD_AMI, fleet, zone

pytestmark = pytest.mark.wire

OTHER = "210987654321"
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{OTHER}:role/reconciler"
AMIS = {OLD_AMI: "ami-0c1000000000001", NEW_AMI: "ami-0c1000000000002"}
TARGETS = f"""
apiVersion: reconciler/v1
kind: Target
metadata: {{name: prod}}
spec: {{account: "123456789012", region: eu-west-1, owner: shop-fleets, limits: {{failures: 1}}}}
---
apiVersion: reconciler/v1
kind: Target
metadata: {{name: away}}
spec: {{account: "{OTHER}", region: {REGION}, owner: shop-fleets, assumeRole: "{ROLE}"}}
"""
NAMED = "  overrides: {away: {traffic: {dns: {name: web-away}}}}\n"


def image(ami: str) -> str:
    return f"""
apiVersion: reconciler/v1
kind: Image
metadata: {{name: base}}
spec: {{targets: [prod, away], architecture: arm64, ami: {{prod: {ami}, away: {AMIS[ami]}}}}}
"""


def web(name: str = "web", traffic: str = BALANCER, more: str = NAMED, launch: str = "") -> str:
    made = fleet(traffic, name=name, more=more, launch=launch, rollout="keepOld: 1m")
    return made.replace("targets: [prod]", "targets: [prod, away]")


@dataclass
class Company:
    """The product, and what lives in the other account."""

    product: Product
    ec2: Any
    groups: Any

    def look(self) -> tuple[Look, ...]:
        with self.product.session() as session:
            return session.look(BRIEF)

    def converge(self) -> list[tuple[str, str]]:
        """Pass after pass over both until nothing moves; return where which group was made, in order."""
        made: list[tuple[str, str]] = []
        with self.product.session() as session:
            for _ in range(ENOUGH):
                looks, wrote = session.look(BRIEF), False
                for look in looks:
                    assert look.seen, look.error
                    for done in apply(session.runtime(look.target), look.seen, session.adopted.commit):
                        assert isinstance(done, Done), done
                        wrote = True
                        if isinstance(done.step, CreateGroup):
                            made.append((look.target.name, done.step.group.name.partition("-")[0]))
                if together(x.plan for x in looks) not in (Standing.MOVING, Standing.UNREAD):
                    return made
                for look in looks if not wrote else ():
                    wait(look.plan, self.product.aws)
        raise AssertionError([(i.wait, i.blocked) for x in looks for i in x.plan.items])


@pytest.fixture
def company(product: Product) -> Company:
    aws: Emulated = product.aws
    keys = aws.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="story")["Credentials"]
    lent = {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
    ec2 = client(aws.url, "ec2", REGION, **lent)
    vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    for n, letter in enumerate("ab"):
        subnet = ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.40.{n}.0/24", AvailabilityZone=f"{REGION}{letter}"
        )["Subnet"]["SubnetId"]
        ec2.create_tags(Resources=[subnet], Tags=[{"Key": "tier", "Value": "app"}])
    for name in ("web", "lb"):
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)
    for ami in AMIS.values():
        aws.control.knob("add_ami", region=REGION, id=ami, name=ami, owner=OTHER, account=OTHER)
    product.commit(
        {"targets.yaml": TARGETS, "image.yaml": image(OLD_AMI), "zone.yaml": zone(), "web.yaml": web()}
    )
    return Company(product, ec2, client(aws.url, "autoscaling", REGION, **lent))


def records(aws: Emulated) -> dict[str, int]:
    """Set identifiers of the zone's weighted records, with their weights."""
    route53 = aws.client("route53")
    (hosted,) = route53.list_hosted_zones()["HostedZones"]
    sets = route53.list_resource_record_sets(HostedZoneId=hosted["Id"])["ResourceRecordSets"]
    return {s["SetIdentifier"].partition("-")[0]: s["Weight"] for s in sets if "Weight" in s}


def test_a_rollout_goes_from_account_to_account_and_each_has_its_name_in_the_one_zone(
    company: Company,
) -> None:
    aws = company.product.aws
    assert sorted(company.converge()) == [("away", "web"), ("prod", "web")], "first births wait for nobody"
    assert records(aws) == {"prod.web": 255, "away.web": 255}
    changed = [c for c in aws.control.calls() if c["operation"] == "ChangeResourceRecordSets"]
    assert {c["account"] for c in changed} == {"123456789012"}, "a zone is written as its own target"
    company.product.commit({"image.yaml": image(NEW_AMI)})
    assert company.converge() == [("prod", "web"), ("away", "web")]
    assert records(aws) == {"prod.web": 255, "away.web": 255}
    (group,) = company.groups.describe_auto_scaling_groups()["AutoScalingGroups"]
    (template,) = company.ec2.describe_launch_template_versions(
        LaunchTemplateId=group["LaunchTemplate"]["LaunchTemplateId"]
    )["LaunchTemplateVersions"]
    assert template["LaunchTemplateData"]["ImageId"] == AMIS[NEW_AMI]
    company.product.commit({"other.yaml": web("other", "", "")})
    company.converge()
    company.product.commit({"web.yaml": None})
    company.converge()
    assert records(aws) == {}


def test_a_failed_wave_holds_the_next_one_and_the_breaker_holds_other_fleets(company: Company) -> None:
    product = company.product
    product.commit({"web.yaml": web("web", "", ""), "more.yaml": web("more", "", "")})
    company.converge()
    product.aws.control.physics(boot=100_000)  # seconds: nothing comes into service in time
    slow = {
        name: web(name, "", "", launch='generation: "2"').replace(
            "1m", f"1m, readyWithin: 5m, order: {order}"
        )
        for order, name in enumerate(("more", "web"))
    }
    product.commit(
        {
            "targets.yaml": TARGETS.replace("failures: 1", "failures: 1, rollouts: 1"),
            **{f"{name}.yaml": text for name, text in slow.items()},
        }
    )
    assert company.converge() == [("prod", "more")]
    plan = product.cli("plan")
    assert "limits.failures is 1" in plan.out
    assert "wave: more in prod is blocked (failed)" in plan.out
    told = product.cli("explain", "web", "--target", "away")
    assert "blocked (wave): wave: web in prod is blocked (breaker)" in told.out
    assert "web in prod, seen" not in told.out, "what comes before is looked at, and not shown"
    assert product.cli("apply").code == 3
    assert "web is in 2 targets" in product.cli("retry", "web").err
    assert "name a fleet, or with --target" in product.cli("retry").err
    product.aws.control.physics(boot=60)
    done = product.cli("retry", "--target", "prod")
    assert (done.code, done.out.count("is tried again")) == (0, 1)
    assert product.cli("retry", "--target", "prod").out == "prod  no revision failed there\n"
    made = company.converge()
    assert len(made) == 4
    assert all(made.index(("prod", n)) < made.index(("away", n)) for n in ("more", "web"))
