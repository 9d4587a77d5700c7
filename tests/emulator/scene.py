"""A small network with a template, and short ways to groups and target groups in it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from tests.emulated import Emulated

BOOT, HEALTHY, TERMINATE, DELETE, PROVISION = (timedelta(seconds=n) for n in (90, 30, 60, 30, 120))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Ids of what is there."""

    aws: Emulated
    vpc: str
    subnets: tuple[str, ...]
    security_group: str
    image: str
    template: str

    @property
    def groups(self) -> Any:
        return self.aws.client("autoscaling")

    @property
    def elb(self) -> Any:
        return self.aws.client("elbv2")

    @property
    def ec2(self) -> Any:
        return self.aws.client("ec2")

    def wait(self, span: timedelta) -> None:
        self.aws.control.advance(span)

    def create(self, name: str = "web", desired: int = 2, **more: Any) -> None:
        request = {
            "AutoScalingGroupName": name,
            "MinSize": 0,
            "MaxSize": 10,
            "DesiredCapacity": desired,
            "VPCZoneIdentifier": ",".join(self.subnets),
            "LaunchTemplate": {"LaunchTemplateId": self.template, "Version": "1"},
        } | more
        self.groups.create_auto_scaling_group(**{k: v for k, v in request.items() if v is not None})

    def resize(self, desired: int, name: str = "web") -> None:
        self.groups.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=desired)

    def group(self, name: str = "web") -> dict[str, Any] | None:
        raws = self.groups.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        return dict(raws[0]) if raws else None

    def instances(self, name: str = "web") -> list[dict[str, Any]]:
        return list((self.group(name) or {}).get("Instances", []))

    def states(self, name: str = "web") -> list[str]:
        return sorted(i["LifecycleState"] for i in self.instances(name))

    def ids(self, name: str = "web") -> list[str]:
        return [i["InstanceId"] for i in self.instances(name)]

    def activities(self, name: str = "web", **more: Any) -> list[dict[str, Any]]:
        return list(self.groups.describe_scaling_activities(AutoScalingGroupName=name, **more)["Activities"])

    def target_group(self, name: str = "web", **more: Any) -> str:
        request = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": self.vpc} | more
        return str(self.elb.create_target_group(**request)["TargetGroups"][0]["TargetGroupArn"])

    def balancer(self, name: str = "web", **more: Any) -> str:
        request = {"Name": name, "Subnets": list(self.subnets)} | more
        return str(self.elb.create_load_balancer(**request)["LoadBalancers"][0]["LoadBalancerArn"])

    def listener(self, balancer: str, target_group: str, port: int = 80, **more: Any) -> str:
        request = {
            "LoadBalancerArn": balancer,
            "Port": port,
            "Protocol": "HTTP",
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": target_group}],
        } | more
        return str(self.elb.create_listener(**request)["Listeners"][0]["ListenerArn"])

    def rule(self, listener: str, priority: int, *target_groups: str) -> str:
        made = self.elb.create_rule(
            ListenerArn=listener, Priority=priority, Conditions=PATH, Actions=forward(*target_groups)
        )
        return str(made["Rules"][0]["RuleArn"])

    def health(self, target_group: str) -> dict[str, str]:
        raws = self.elb.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
        return {r["Target"]["Id"]: r["TargetHealth"]["State"] for r in raws}


PATH = [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a/*"]}}]


def forward(*target_groups: str, weight: int = 1) -> list[dict[str, Any]]:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn in target_groups]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


def build(aws: Emulated) -> Scene:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = tuple(
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"eu-west-1{zone}")[
            "Subnet"
        ]["SubnetId"]
        for n, zone in enumerate("abc")
    )
    image = ec2.register_image(Name="web-1", Architecture="x86_64", RootDeviceName="/dev/xvda")["ImageId"]
    data = {"ImageId": image, "InstanceType": "t3.micro"}
    made = ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)
    return Scene(
        aws=aws,
        vpc=vpc,
        subnets=subnets,
        security_group=ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"],
        image=image,
        template=made["LaunchTemplate"]["LaunchTemplateId"],
    )


def code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
