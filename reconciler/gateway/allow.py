"""The allow-list: every operation that may reach AWS, what it may carry, and what it implies in IAM.

The one table. The gateway refuses what is not in it, `iam-policy` is generated from it, and the
checks of recorded calls in the tests read it. Names of operations and members are AWS's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of one service."""

    service: str  # as botocore names it
    name: str
    writes: bool
    params: frozenset[str]  # the top-level members that a request may carry
    actions: tuple[str, ...]  # IAM actions that it implies, its own first


_PREFIX: Final = {"elbv2": "elasticloadbalancing", "elb": "elasticloadbalancing"}


def _entry(service: str, name: str, params: str, *, writes: bool, implied: tuple[str, ...]) -> Operation:
    own = f"{_PREFIX.get(service, service)}:{name}"
    return Operation(
        service=service,
        name=name,
        writes=writes,
        params=frozenset(params.split()),
        actions=(own, *implied),
    )


def _read(service: str, name: str, params: str = "", *implied: str) -> Operation:
    return _entry(service, name, params, writes=False, implied=implied)


def _write(service: str, name: str, params: str, *implied: str) -> Operation:
    return _entry(service, name, params, writes=True, implied=implied)


# Members of a group that change no instance. Never: a template, a mixed policy, subnets, zones, a
# placement group: those make another revision. `DeletionProtection` is settable so that a group that
# git no longer protects can be retired.
_GROUP: Final = (
    "AutoScalingGroupName MinSize MaxSize DesiredCapacity DefaultCooldown HealthCheckType"
    " HealthCheckGracePeriod TerminationPolicies NewInstancesProtectedFromScaleIn CapacityRebalance"
    " MaxInstanceLifetime Context DesiredCapacityType DefaultInstanceWarmup InstanceMaintenancePolicy"
    " AvailabilityZoneDistribution AvailabilityZoneImpairmentPolicy SkipZonalShiftValidation"
    " CapacityReservationSpecification InstanceLifecyclePolicy DeletionProtection"
)
_PAGES: Final = "NextToken MaxRecords"
_EC2_PAGES: Final = "Filters NextToken MaxResults"
_LINKED_ROLE: Final = "iam:CreateServiceLinkedRole"
_ADD_TAGS: Final = "elasticloadbalancing:AddTags"

_STS: Final = (
    _read("sts", "GetCallerIdentity"),
    _read("sts", "AssumeRole", "RoleArn RoleSessionName ExternalId DurationSeconds"),
)

_AUTOSCALING: Final = (
    _read(
        "autoscaling",
        "DescribeAutoScalingGroups",
        f"AutoScalingGroupNames IncludeInstances Filters {_PAGES}",
    ),
    _read("autoscaling", "DescribePolicies", f"AutoScalingGroupName PolicyNames PolicyTypes {_PAGES}"),
    _read(
        "autoscaling",
        "DescribeScheduledActions",
        f"AutoScalingGroupName ScheduledActionNames StartTime EndTime {_PAGES}",
    ),
    _read("autoscaling", "DescribeLifecycleHooks", "AutoScalingGroupName LifecycleHookNames"),
    _read(
        "autoscaling",
        "DescribeScalingActivities",
        f"ActivityIds AutoScalingGroupName IncludeDeletedGroups Filters {_PAGES}",
    ),
    _write(
        "autoscaling",
        "CreateAutoScalingGroup",
        f"{_GROUP} LaunchTemplate MixedInstancesPolicy VPCZoneIdentifier AvailabilityZones"
        " AvailabilityZoneIds PlacementGroup LoadBalancerNames TargetGroupARNs TrafficSources"
        " LifecycleHookSpecificationList ServiceLinkedRoleARN Tags",
        "autoscaling:CreateOrUpdateTags",
        "ec2:RunInstances",
        "ec2:CreateTags",
        "iam:PassRole",
        _LINKED_ROLE,
    ),
    _write("autoscaling", "UpdateAutoScalingGroup", _GROUP),
    _write("autoscaling", "DeleteAutoScalingGroup", "AutoScalingGroupName"),
    _write("autoscaling", "CreateOrUpdateTags", "Tags"),
    _write("autoscaling", "DeleteTags", "Tags"),
    _write(
        "autoscaling",
        "PutScalingPolicy",
        "AutoScalingGroupName PolicyName PolicyType EstimatedInstanceWarmup"
        " TargetTrackingConfiguration Enabled",
    ),
    _write("autoscaling", "DeletePolicy", "AutoScalingGroupName PolicyName"),
    _write(
        "autoscaling",
        "PutScheduledUpdateGroupAction",
        "AutoScalingGroupName ScheduledActionName Recurrence TimeZone StartTime EndTime"
        " MinSize MaxSize DesiredCapacity",
    ),
    _write("autoscaling", "DeleteScheduledAction", "AutoScalingGroupName ScheduledActionName"),
    _write("autoscaling", "ResumeProcesses", "AutoScalingGroupName ScalingProcesses"),
    _write("autoscaling", "AttachLoadBalancerTargetGroups", "AutoScalingGroupName TargetGroupARNs"),
    _write("autoscaling", "DetachLoadBalancerTargetGroups", "AutoScalingGroupName TargetGroupARNs"),
    _write("autoscaling", "AttachLoadBalancers", "AutoScalingGroupName LoadBalancerNames"),
    _write("autoscaling", "DetachLoadBalancers", "AutoScalingGroupName LoadBalancerNames"),
    _write(
        "autoscaling",
        "PutLifecycleHook",
        "LifecycleHookName AutoScalingGroupName LifecycleTransition HeartbeatTimeout DefaultResult",
    ),
    _write("autoscaling", "DeleteLifecycleHook", "LifecycleHookName AutoScalingGroupName"),
    _write(
        "autoscaling",
        "TerminateInstanceInAutoScalingGroup",
        "InstanceId ShouldDecrementDesiredCapacity",
    ),
)

_EC2: Final = (
    _read("ec2", "DescribeLaunchTemplates", f"LaunchTemplateIds LaunchTemplateNames {_EC2_PAGES}"),
    _read(
        "ec2",
        "DescribeLaunchTemplateVersions",
        f"LaunchTemplateId LaunchTemplateName Versions MinVersion MaxVersion {_EC2_PAGES}",
    ),
    _read("ec2", "DescribeImages", f"ImageIds Owners IncludeDeprecated IncludeDisabled {_EC2_PAGES}"),
    _read("ec2", "DescribeSubnets", f"SubnetIds {_EC2_PAGES}"),
    _read("ec2", "DescribeSecurityGroups", f"GroupIds {_EC2_PAGES}"),
    _read("ec2", "DescribeInstances", f"InstanceIds {_EC2_PAGES}"),
    _write(
        "ec2",
        "CreateLaunchTemplate",
        "ClientToken LaunchTemplateName VersionDescription LaunchTemplateData TagSpecifications",
        "ec2:CreateTags",
    ),
    _write("ec2", "DeleteLaunchTemplate", "LaunchTemplateId"),
    _write("ec2", "CreateTags", "Resources Tags"),
    _write("ec2", "DeleteTags", "Resources Tags"),
)

_ELBV2: Final = (
    _read("elbv2", "DescribeLoadBalancers", "LoadBalancerArns Names Marker PageSize"),
    _read("elbv2", "DescribeTargetGroups", "LoadBalancerArn TargetGroupArns Names Marker PageSize"),
    _read("elbv2", "DescribeListeners", "LoadBalancerArn ListenerArns Marker PageSize"),
    _read("elbv2", "DescribeListenerCertificates", "ListenerArn Marker PageSize"),
    _read("elbv2", "DescribeRules", "ListenerArn RuleArns Marker PageSize"),
    _read("elbv2", "DescribeTags", "ResourceArns"),
    _read("elbv2", "DescribeTargetHealth", "TargetGroupArn Targets"),
    _read("elbv2", "DescribeLoadBalancerAttributes", "LoadBalancerArn"),
    _read("elbv2", "DescribeTargetGroupAttributes", "TargetGroupArn"),
    _write(
        "elbv2",
        "CreateLoadBalancer",
        "Name Type Scheme IpAddressType Subnets SecurityGroups Tags",
        _ADD_TAGS,
        _LINKED_ROLE,
        "ec2:DescribeAccountAttributes",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    ),
    _write(
        "elbv2",
        "CreateTargetGroup",
        "Name Protocol ProtocolVersion Port VpcId TargetType IpAddressType HealthCheckEnabled"
        " HealthCheckProtocol HealthCheckPort HealthCheckPath HealthCheckIntervalSeconds"
        " HealthCheckTimeoutSeconds HealthyThresholdCount UnhealthyThresholdCount Matcher Tags",
        _ADD_TAGS,
        "ec2:DescribeVpcs",
    ),
    _write(
        "elbv2",
        "CreateListener",
        "LoadBalancerArn Protocol Port SslPolicy Certificates DefaultActions Tags",
        _ADD_TAGS,
    ),
    _write("elbv2", "CreateRule", "ListenerArn Conditions Priority Actions Tags", _ADD_TAGS),
    _write("elbv2", "ModifyRule", "RuleArn Conditions Actions"),
    _write("elbv2", "ModifyListener", "ListenerArn Certificates SslPolicy"),
    _write("elbv2", "ModifyLoadBalancerAttributes", "LoadBalancerArn Attributes"),
    _write("elbv2", "ModifyTargetGroupAttributes", "TargetGroupArn Attributes"),
    _write("elbv2", "SetSecurityGroups", "LoadBalancerArn SecurityGroups"),
    _write("elbv2", "AddTags", "ResourceArns Tags"),
    _write("elbv2", "RemoveTags", "ResourceArns TagKeys"),
    _write("elbv2", "AddListenerCertificates", "ListenerArn Certificates"),
    _write("elbv2", "RemoveListenerCertificates", "ListenerArn Certificates"),
    _write("elbv2", "DeleteRule", "RuleArn"),
    _write("elbv2", "DeleteListener", "ListenerArn"),
    _write("elbv2", "DeleteLoadBalancer", "LoadBalancerArn"),
    _write("elbv2", "DeleteTargetGroup", "TargetGroupArn"),
)

_OTHERS: Final = (
    _read("elb", "DescribeLoadBalancers", "LoadBalancerNames Marker PageSize"),
    _read("elb", "DescribeInstanceHealth", "LoadBalancerName Instances"),
    _read("route53", "ListHostedZones", "Marker MaxItems HostedZoneType"),
    _read("route53", "GetHostedZone", "Id"),
    _read("route53", "ListTagsForResources", "ResourceType ResourceIds"),
    _read(
        "route53",
        "ListResourceRecordSets",
        "HostedZoneId StartRecordName StartRecordType StartRecordIdentifier MaxItems",
    ),
    _read("route53", "GetChange", "Id"),
    _write("route53", "ChangeResourceRecordSets", "HostedZoneId ChangeBatch"),
    _write("route53", "ChangeTagsForResource", "ResourceType ResourceId AddTags RemoveTagKeys"),
    _read("cloudwatch", "DescribeAlarms", "AlarmNames AlarmTypes MaxRecords NextToken"),
    _read("cloudwatch", "GetMetricData", "MetricDataQueries StartTime EndTime NextToken"),
    # never WithDecryption: an AMI id is no secret, and we want to be unable to read one
    _read("ssm", "GetParameter", "Name"),
    _read("ssm", "GetParameters", "Names"),
    _read(
        "wafv2",
        "GetWebACLForResource",
        "ResourceArn",
        "wafv2:GetWebACL",
        "elasticloadbalancing:GetLoadBalancerWebACL",
    ),
    _write(
        "wafv2",
        "AssociateWebACL",
        "WebACLArn ResourceArn",
        "elasticloadbalancing:CreateWebACLAssociation",
    ),
    _write(
        "wafv2",
        "DisassociateWebACL",
        "ResourceArn",
        "elasticloadbalancing:DeleteWebACLAssociation",
    ),
)

OPERATIONS: Final[tuple[Operation, ...]] = (*_STS, *_AUTOSCALING, *_EC2, *_ELBV2, *_OTHERS)

ALLOWED: Final[Mapping[tuple[str, str], Operation]] = {(o.service, o.name): o for o in OPERATIONS}

SERVICES: Final = frozenset(o.service for o in OPERATIONS)
