"""What an instance is: the part of a Fleet that makes its revision."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from reconciler.core.base import INSTANCE_TYPE, Arn, Duration, Spec, StringMap, TagMap, said
from reconciler.core.problem import RefusedError
from reconciler.spec.aws_model import check_members


class Selector(Spec):
    """A thing that exists, by id, by name or by tags."""

    id: str | None = None
    name: str | None = None
    tag: StringMap = ()


def _group(value: object) -> object:
    if isinstance(value, str):
        if not value.startswith("sg-"):
            raise RefusedError(
                f"{value!r} is not a security group id",
                "ids begin with sg-",
                "write {name: web} to choose by name",
            )
        return {"id": value}
    if isinstance(value, dict) and set(value) == {"name"}:
        return value
    raise RefusedError(
        f"{said(value)} chooses no security group", "an id or a name does", "write sg-0abc or {name: web}"
    )


def _subnet(value: object) -> object:
    if isinstance(value, str):
        if not value.startswith("subnet-"):
            raise RefusedError(
                f"{value!r} is not a subnet id",
                "ids begin with subnet-",
                "write {tag: {Name: app}} to choose by tag",
            )
        return {"id": value}
    if isinstance(value, dict) and set(value) == {"tag"} and value["tag"]:
        return value
    raise RefusedError(
        f"{said(value)} chooses no subnet", "an id or tags do", "write subnet-0abc or {tag: {tier: app}}"
    )


SecurityGroup = Annotated[
    Selector,
    BeforeValidator(_group),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "string", "pattern": "^sg-"},
                {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
            ]
        }
    ),
]
Subnet = Annotated[
    Selector,
    BeforeValidator(_subnet),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "string", "pattern": "^subnet-"},
                {"type": "object", "properties": {"tag": {"type": "object"}}, "required": ["tag"]},
            ]
        }
    ),
]


class Purchase(Spec):
    """The mix of on-demand and spot instances."""

    onDemandBase: int = Field(0, ge=0, description="Instances that are always on demand.")
    onDemandPercent: int = Field(100, ge=0, le=100, description="Share on demand above the base.")
    spotAllocation: Literal[
        "price-capacity-optimized",
        "capacity-optimized",
        "capacity-optimized-prioritized",
        "diversified",
        "lowest-price",
    ] = Field("price-capacity-optimized", description="How AWS chooses among spot pools.")


class UserData(Spec):
    """What an instance runs at its first boot. Exactly one of the three."""

    file: str | None = Field(
        None, description="Relative to this file; with a leading / to the root of the path."
    )
    text: str | None = Field(None, description="The script itself.")
    base64: str | None = Field(None, description="Any bytes, in base64.")

    @model_validator(mode="after")
    def _one(self) -> "UserData":
        given = [n for n in ("file", "text", "base64") if getattr(self, n) is not None]
        if len(given) != 1:
            raise RefusedError(
                f"userData has {len(given)} of file, text and base64",
                "exactly one is needed",
                "write {file: boot.sh}",
            )
        return self


class MetadataOptions(Spec):
    """The instance metadata service."""

    enabled: bool = Field(default=True, description="Whether instances can reach it at all.")
    tokens: Literal["required", "optional"] = Field("required", description="required is IMDSv2 alone.")
    hopLimit: int = Field(1, ge=1, le=64, description="2 lets containers reach it.")
    tags: bool = Field(default=False, description="Whether instance tags can be read there.")


class Volume(Spec):
    """An EBS volume."""

    device: str = Field(pattern=r"^(/dev/)?[a-z0-9/]+$", description="Device name: /dev/xvda.")
    sizeGiB: int = Field(ge=1, le=65536, description="Size in GiB.")
    type: Literal["gp2", "gp3", "io1", "io2", "st1", "sc1", "standard"] = Field(
        "gp3", description="Volume type."
    )
    iops: int | None = Field(None, ge=100, le=256000, description="gp3, io1 and io2 only.")
    throughput: int | None = Field(None, ge=125, le=2000, description="MiB/s; gp3 only.")
    encrypted: bool = Field(default=True, description="Encrypted at rest.")
    kmsKey: Arn | None = Field(None, description="Key, where not the account's default.")

    @model_validator(mode="after")
    def _fits(self) -> "Volume":
        if self.iops is not None and self.type not in ("gp3", "io1", "io2"):
            raise RefusedError(
                f"a {self.type} volume takes no iops", "its speed follows its size", "leave iops out"
            )
        if self.iops is None and self.type in ("io1", "io2"):
            raise RefusedError(
                f"an {self.type} volume needs iops", "AWS has no default for it", "write iops: 3000"
            )
        if self.throughput is not None and self.type != "gp3":
            raise RefusedError(
                f"a {self.type} volume takes no throughput", "only gp3 does", "leave throughput out"
            )
        if self.kmsKey and not self.encrypted:
            raise RefusedError(
                "kmsKey on a volume that is not encrypted", "a key encrypts", "write encrypted: true"
            )
        return self


TYPED_LAUNCH = {
    "ImageId": "spec.image",
    "InstanceType": "launch.instanceTypes",
    "SecurityGroupIds": "launch.securityGroups",
    "SecurityGroups": "launch.securityGroups",
    "IamInstanceProfile": "launch.instanceProfile",
    "KeyName": "launch.keyPair",
    "UserData": "launch.userData",
    "MetadataOptions": "launch.metadata",
    "BlockDeviceMappings": "launch.volumes",
    "EnclaveOptions": "launch.enclave",
    "Monitoring": "launch.monitoring",
    "NetworkInterfaces": "launch.publicIp and launch.securityGroups",
    "TagSpecifications": "launch.tags",
    "InstanceMarketOptions": "launch.purchase",
    "InstanceRequirements": "launch.instanceTypes",
}


def _extra_launch(value: object) -> str:
    return check_members("RequestLaunchTemplateData", value, TYPED_LAUNCH)


ExtraLaunch = Annotated[str, BeforeValidator(_extra_launch), WithJsonSchema({"type": "object"})]
"""Members of an AWS request as canonical JSON: hashable, and equal where they mean the same."""


class Launch(Spec):
    """What an instance would be. All of this is part of the revision."""

    generation: str = Field("1", description="Any string; changing it rolls the fleet.")
    instanceTypes: tuple[Annotated[str, Field(pattern=INSTANCE_TYPE)], ...] = Field(
        min_length=1, max_length=40, description="In order of preference; several need `purchase`."
    )
    purchase: Purchase | None = Field(None, description="Absent: all on demand.")
    securityGroups: tuple[SecurityGroup, ...] = Field((), max_length=16, description="Ids, or {name}.")
    instanceProfile: str | None = Field(None, description="Name of the instance profile.")
    keyPair: str | None = Field(None, description="Name of the key pair.")
    userData: UserData | None = Field(
        None, description="At most 16,384 bytes before base64; #! or #cloud-config."
    )
    metadata: MetadataOptions = Field(
        MetadataOptions(), description="What instances can ask about themselves."
    )
    volumes: tuple[Volume, ...] = Field((), description="EBS volumes.")
    enclave: bool = Field(default=False, description="Nitro Enclaves.")
    monitoring: bool = Field(default=False, description="Detailed monitoring.")
    publicIp: bool = Field(default=False, description="A public IPv4 address for each instance.")
    tags: TagMap = Field((), description="On instances and their volumes.")
    extra: ExtraLaunch = Field("{}", description="Any other member of RequestLaunchTemplateData.")

    @model_validator(mode="after")
    def _distinct(self) -> "Launch":
        devices = [v.device for v in self.volumes]
        if len(set(devices)) != len(devices):
            raise RefusedError("two volumes have one device", "a device holds one volume", "rename one")
        if len(set(self.instanceTypes)) != len(self.instanceTypes):
            raise RefusedError("an instance type stands twice", "each counts once", "take one out")
        return self


class Hook(Spec):
    """A lifecycle hook, part of the revision."""

    name: str = Field(pattern=r"^[A-Za-z0-9_/-]{1,255}$", description="Unique in the fleet.")
    on: Literal["launch", "terminate"] = Field(description="When instances wait.")
    timeout: Duration = Field(description="How long they wait: 30s to 2h.")
    result: Literal["continue", "abandon"] = Field("continue", description="What happens at the timeout.")

    @model_validator(mode="after")
    def _bounds(self) -> "Hook":
        if not 30 <= self.timeout.total_seconds() <= 7200:
            raise RefusedError(
                "the hook's timeout is out of range", "AWS takes 30s to 2h", "write 30s to 2h", "timeout"
            )
        return self


TYPED_GROUP = {
    "DefaultInstanceWarmup": "group.warmup",
    "CapacityRebalance": "group.capacityRebalance",
    "MaxInstanceLifetime": "group.maxInstanceLifetime",
    "HealthCheckType": "health.check",
    "HealthCheckGracePeriod": "health.grace",
    "MinSize": "capacity.min",
    "MaxSize": "capacity.max",
    "DesiredCapacity": "capacity.desired",
    "VPCZoneIdentifier": "placement.subnets",
    "AvailabilityZones": "placement.subnets",
    "LaunchTemplate": "launch",
    "MixedInstancesPolicy": "launch.purchase",
    "LifecycleHookSpecificationList": "hooks",
    "Tags": "Target.tags",
    "TargetGroupARNs": "traffic.attach",
    "LoadBalancerNames": "traffic.attach",
    "TrafficSources": "traffic",
    "AutoScalingGroupName": "the fleet's name",
    "LaunchConfigurationName": "launch",
    "InstanceId": "launch",
}


IN_PLACE = (
    "AvailabilityZoneDistribution",
    "DefaultCooldown",
    "InstanceMaintenancePolicy",
    "NewInstancesProtectedFromScaleIn",
    "TerminationPolicies",
)
"""Members that can be changed beside the revision: UpdateAutoScalingGroup takes them, no instance notices."""


def _extra_group(value: object) -> str:
    checked = check_members("CreateAutoScalingGroup", value, TYPED_GROUP)
    odd = sorted(set(value) - set(IN_PLACE)) if isinstance(value, dict) else []
    if odd:
        raise RefusedError(
            f"extra names {odd[0]}",
            "it can't be changed beside the revision",
            f"members are {', '.join(IN_PLACE)}",
        )
    return checked


class GroupSettings(Spec):
    """Settings of the group that no instance notices."""

    warmup: Duration | None = Field(None, description="Default instance warm-up.")
    capacityRebalance: bool = Field(
        default=False, description="Replace spot instances before they are taken."
    )
    maxInstanceLifetime: Duration | None = Field(
        None, description="At least 24h; the group replaces older instances."
    )
    extra: Annotated[str, BeforeValidator(_extra_group), WithJsonSchema({"type": "object"})] = Field(
        "{}", description="Other members of CreateAutoScalingGroup."
    )

    @model_validator(mode="after")
    def _bounds(self) -> "GroupSettings":
        if self.maxInstanceLifetime and not 86400 <= self.maxInstanceLifetime.total_seconds() <= 31536000:
            raise RefusedError(
                "maxInstanceLifetime is out of range",
                "AWS takes 24h to 8760h",
                "write 168h",
                "maxInstanceLifetime",
            )
        return self


class Capacity(Spec):
    """Sizes of the group, in instances."""

    min: int = Field(ge=0, le=10000, description="Never fewer.")
    max: int = Field(ge=0, le=10000, description="Never more.")
    desired: int | None = Field(
        None, ge=0, le=10000, description="Default: min. With `scaling`, at the first birth only."
    )

    @model_validator(mode="after")
    def _ordered(self) -> "Capacity":
        if self.min > self.max:
            raise RefusedError(
                f"capacity.min is {self.min}, above capacity.max {self.max}",
                "a group's sizes are ordered",
                "lower min or raise max",
                "min",
            )
        if self.desired is not None and not self.min <= self.desired <= self.max:
            raise RefusedError(
                f"capacity.desired is {self.desired}, outside of {self.min} to {self.max}",
                "AWS rejects a group whose desired size is outside min..max",
                f"write {self.min} to {self.max}",
                "desired",
            )
        return self


class Placement(Spec):
    """Where instances run. Part of the revision."""

    subnets: tuple[Subnet, ...] = Field(min_length=1, description="Ids, or {tag}; all in one VPC.")


class Health(Spec):
    """What the group replaces an instance for."""

    check: Literal["ec2", "elb"] = Field("ec2", description="elb also asks the balancer.")
    grace: Duration = Field(default=timedelta(minutes=5), description="From launch to the first check.")
