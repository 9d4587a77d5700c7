"""What AWS means where a request to Elastic Load Balancing leaves a thing out, and its hosted zones."""

from typing import Any, Final

from emulator.region import Body

_ZONES: Final = """
us-east-1 Z35SXDOTRQ7X7K Z26RNL4JYFTOTI
us-east-2 Z3AADJGX6KTTL2 ZLMOA37VPKANP
us-west-1 Z368ELLRRE2KJ0 Z24FKFUX50B4VW
us-west-2 Z1H1FL5HABSF5 Z18D5FSROUN65G
ca-central-1 ZQSVJUPU6J1EY Z2EPGBW3API2WT
sa-east-1 Z2P70J7HTTTPLU ZTK26PT1VY4CU
eu-central-1 Z215JYRZR1TBD5 Z3F0SRJ5LGBH90
eu-west-1 Z32O12XQLNTSW2 Z2IFOLAFXWLO4F
eu-west-2 ZHURV8PSTC4K8 ZD4D7Y8KGAS4G
eu-west-3 Z3Q77PNBQS71R4 Z1CMS0P5QUZ6D5
eu-north-1 Z23TAZ6LKFMNIO Z1UDT6IFJ4EJM
ap-south-1 ZP97RAFLXTNZK ZVDDRBQ08TROA
ap-northeast-1 Z14GRHDCWA56QT Z31USIVHYNEOWT
ap-northeast-2 ZWKZPGTI48KDX ZIBE1TIR4HY56
ap-southeast-1 Z1LMS91P8CMLE5 ZKVM4W9LS7TM
ap-southeast-2 Z1GM3OXH4ZPM65 ZCT6FZBF4DROD
"""
ZONES: Final = {
    region: {"application": first, "network": second}
    for region, first, second in (line.split() for line in _ZONES.strip().splitlines())
}
"""The hosted zones of balancers' names, by region and type, as the AWS General Reference lists them."""

APPLICATION: Final = {
    "access_logs.s3.bucket": "",
    "access_logs.s3.enabled": "false",
    "access_logs.s3.prefix": "",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}
NETWORK: Final = {
    "access_logs.s3.bucket": "",
    "access_logs.s3.enabled": "false",
    "access_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "dns_record.client_routing_policy": "any_availability_zone",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "false",
    "secondary_ips.auto_assigned.per_subnet": "0",
    "zonal_shift.config.enabled": "false",
}
_BOTH: Final = {
    "deregistration_delay.timeout_seconds": "300",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "stickiness.enabled": "false",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
_HTTP: Final = {
    **_BOTH,
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.algorithm.type": "round_robin",
    "slow_start.duration_seconds": "0",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.type": "lb_cookie",
}
_TCP: Final = {
    **_BOTH,
    "deregistration_delay.connection_termination.enabled": "false",
    "preserve_client_ip.enabled": "true",
    "proxy_protocol_v2.enabled": "false",
    "stickiness.type": "source_ip",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
}
LISTENER: Final = {"routing.http.response.server.enabled": "true"}

RANGES: Final = {
    "client_keep_alive.seconds": (60, 604800),
    "deregistration_delay.timeout_seconds": (0, 3600),
    "idle_timeout.timeout_seconds": (1, 4000),
    "slow_start.duration_seconds": (0, 900),
    "stickiness.lb_cookie.duration_seconds": (1, 604800),
}


def is_http(protocol: str) -> bool:
    """Return whether a protocol is one of application balancers."""
    return protocol in {"HTTP", "HTTPS"}


def target_group_attributes(protocol: str) -> dict[str, str]:
    """Return the attributes of a new target group."""
    return dict(_HTTP if is_http(protocol) else _TCP)


def target_group(params: dict[str, Any]) -> Body:
    """Return a target group's settings with all that the request left out."""
    protocol = params.get("Protocol", "HTTP")
    http = is_http(protocol)
    check = params.get("HealthCheckProtocol", "HTTP" if http else "TCP")
    body: Body = {
        "Protocol": protocol,
        "TargetType": "instance",
        "IpAddressType": "ipv4",
        "HealthCheckEnabled": True,
        "HealthCheckProtocol": check,
        "HealthCheckPort": "traffic-port",
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": (5 if http else 6) if is_http(check) else 10,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
    }
    if http:
        body["ProtocolVersion"] = "HTTP1"
    if is_http(check):
        grpc = params.get("ProtocolVersion") == "GRPC"
        body["HealthCheckPath"] = "/AWS.ALB/healthcheck" if grpc else "/"
        body["Matcher"] = {"GrpcCode": "12"} if grpc else {"HttpCode": "200" if http else "200-399"}
    given = {k: v for k, v in params.items() if k not in {"Name", "Tags"}}
    return {**body, **given}
