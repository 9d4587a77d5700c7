"""Listeners of balancers, with their certificates."""

from typing import Final

from emulator import elb_defaults
from emulator.actions import actions
from emulator.balancing import Balancer, Listener, Rule, balancer, listener, pages, recount, rules_of
from emulator.elb_settings import tag
from emulator.region import Body, Region, new_mark
from emulator.wire import Operation, Params, Refused, invalid

_PROTOCOLS: Final = {
    "application": {"HTTP", "HTTPS"},
    "network": {"TCP", "UDP", "TCP_UDP", "TLS"},
    "gateway": {"GENEVE"},
}
_SECURE: Final = {"HTTPS", "TLS"}
_POLICY: Final = "ELBSecurityPolicy-2016-08"  # what a request through the API gets that names none


def _described(region: Region, arn: str) -> Body:
    body = listener(region, arn).body
    default = next(r for r in rules_of(region, arn) if r.body["IsDefault"])
    return {**body, "DefaultActions": default.body["Actions"]}


def create_listener(region: Region, params: Params) -> Body:
    """elbv2:CreateListener. A repeat with the same settings gives the one that is there."""
    owner = balancer(region, params["LoadBalancerArn"])
    wanted = actions(region, owner, params["DefaultActions"])
    port, protocol = _port(owner, params)
    certificates = _certificates(params, protocol)
    for arn, there in region.listeners.items():
        if there.balancer != params["LoadBalancerArn"] or there.body["Port"] != port:
            continue
        described = _described(region, arn)
        if described["Protocol"] == protocol and described["DefaultActions"] == wanted:
            return {"Listeners": [described]}
        raise Refused("DuplicateListener", f"A listener already exists on port {port} of this load balancer")
    stem = params["LoadBalancerArn"].replace(":loadbalancer/", ":listener/")
    arn = f"{stem}/{new_mark()}"
    made = Listener(
        body={
            "ListenerArn": arn,
            "LoadBalancerArn": params["LoadBalancerArn"],
            "Port": port,
            "Protocol": protocol,
        },
        attributes=dict(elb_defaults.LISTENER) if owner.body["Type"] == "application" else {},
    )
    _secure(made, certificates, params.get("SslPolicy", _POLICY))
    region.listeners[arn] = made
    rule_arn = f"{arn.replace(':listener/', ':listener-rule/')}/{new_mark()}"
    region.rules[rule_arn] = Rule(
        body={
            "RuleArn": rule_arn,
            "Priority": "default",
            "Conditions": [],
            "Actions": wanted,
            "IsDefault": True,
        },
        listener=arn,
    )
    tag(region, [arn], params.get("Tags", []))
    recount(region)
    return {"Listeners": [_described(region, arn)]}


def _port(owner: Balancer, params: Params) -> tuple[int, str]:
    if "Port" not in params:
        raise invalid("A listener port must be specified")
    if "Protocol" not in params:
        raise invalid("A listener protocol must be specified")
    if not 1 <= params["Port"] <= 65535:
        raise invalid(f"Listener port '{params['Port']}' must be between 1 and 65535")
    _check_protocol(owner, params["Protocol"])
    return params["Port"], params["Protocol"]


def _check_protocol(owner: Balancer, protocol: str) -> None:
    allowed = _PROTOCOLS[owner.body["Type"]]
    if protocol not in allowed:
        raise invalid(f"Listener protocol '{protocol}' must be one of '{', '.join(sorted(allowed))}'")


def _certificates(params: Params, protocol: str) -> list[str]:
    arns = [c["CertificateArn"] for c in params.get("Certificates", [])]
    if protocol not in _SECURE:
        if arns:
            raise invalid(f"A certificate cannot be specified for {protocol} listeners")
        return []
    if len(arns) != 1:
        raise Refused(
            "CertificateNotFound" if not arns else "TooManyCertificates",
            f"Exactly one certificate must be specified for {protocol} listeners",
        )
    return arns


def _secure(one: Listener, certificates: list[str], policy: str) -> None:
    """Set the default certificate, and keep those beside it."""
    if certificates:
        one.certificates = [*certificates, *(c for c in one.certificates[1:] if c not in certificates)]
        one.body["Certificates"] = [{"CertificateArn": certificates[0]}]
        one.body["SslPolicy"] = policy
    else:
        one.certificates = []
        one.body.pop("Certificates", None)
        one.body.pop("SslPolicy", None)


def modify_listener(region: Region, params: Params) -> Body:
    """elbv2:ModifyListener: what is named is replaced, whole."""
    arn = params["ListenerArn"]
    there = listener(region, arn)
    owner = balancer(region, there.balancer)
    port = int({**there.body, **params}["Port"])
    protocol = str(params.get("Protocol", there.body["Protocol"]))
    _check_protocol(owner, protocol)
    others = [x for a, x in region.listeners.items() if a != arn and x.balancer == there.balancer]
    if any(x.body["Port"] == port for x in others):
        raise Refused("DuplicateListener", f"A listener already exists on port {port} of this load balancer")
    if "Certificates" in params or protocol not in _SECURE:
        certificates = _certificates(params, protocol)
    else:
        certificates = _certificates(
            {"Certificates": [{"CertificateArn": c} for c in there.certificates[:1]]}, protocol
        )
    wanted = actions(region, owner, params["DefaultActions"]) if "DefaultActions" in params else None
    there.body |= {"Port": port, "Protocol": protocol}
    policy = str(params.get("SslPolicy", there.body.get("SslPolicy", _POLICY)))
    _secure(there, certificates, policy)
    if wanted is not None:
        next(r for r in rules_of(region, arn) if r.body["IsDefault"]).body["Actions"] = wanted
        recount(region)
    return {"Listeners": [_described(region, arn)]}


def describe_listeners(region: Region, params: Params) -> Body:
    """elbv2:DescribeListeners."""
    wanted, owner = params.get("ListenerArns"), params.get("LoadBalancerArn")
    if wanted:
        arns = [arn for arn in wanted if listener(region, arn)]
    elif owner:
        balancer(region, owner)
        arns = [a for a, x in region.listeners.items() if x.balancer == owner]
    else:
        raise invalid("You must specify either listener ARNs or a load balancer ARN")
    return pages([(arn, _described(region, arn)) for arn in arns], params, "Listeners")


def delete_listener(region: Region, params: Params) -> None:
    """elbv2:DeleteListener: its rules go with it. Raises: ListenerNotFound."""
    listener(region, params["ListenerArn"])
    drop_listener(region, params["ListenerArn"])
    recount(region)


def drop_listener(region: Region, arn: str) -> None:
    """Remove a listener and its rules."""
    for one in rules_of(region, arn):
        del region.rules[one.body["RuleArn"]]
        region.tags.pop(one.body["RuleArn"], None)
    del region.listeners[arn]
    region.tags.pop(arn, None)


def describe_listener_certificates(region: Region, params: Params) -> Body:
    """elbv2:DescribeListenerCertificates."""
    there = listener(region, params["ListenerArn"])
    described = [
        (f"{n:04}", {"CertificateArn": c, "IsDefault": n == 0}) for n, c in enumerate(there.certificates)
    ]
    return pages(described, params, "Certificates")


def add_listener_certificates(region: Region, params: Params) -> Body:
    """elbv2:AddListenerCertificates."""
    there = listener(region, params["ListenerArn"])
    if there.body["Protocol"] not in _SECURE:
        raise invalid(f"A certificate cannot be specified for {there.body['Protocol']} listeners")
    for one in params["Certificates"]:
        if one["CertificateArn"] not in there.certificates:
            there.certificates.append(one["CertificateArn"])
    return {"Certificates": [{"CertificateArn": c["CertificateArn"]} for c in params["Certificates"]]}


def remove_listener_certificates(region: Region, params: Params) -> None:
    """elbv2:RemoveListenerCertificates. Raises: OperationNotPermitted for the default one."""
    there = listener(region, params["ListenerArn"])
    gone = {c["CertificateArn"] for c in params["Certificates"]}
    if there.certificates and there.certificates[0] in gone:
        raise Refused("OperationNotPermitted", "The default certificate of a listener cannot be removed")
    there.certificates = [c for c in there.certificates if c not in gone]


OPERATIONS: Final[dict[str, Operation]] = {
    "AddListenerCertificates": add_listener_certificates,
    "CreateListener": create_listener,
    "DeleteListener": delete_listener,
    "DescribeListenerCertificates": describe_listener_certificates,
    "DescribeListeners": describe_listeners,
    "ModifyListener": modify_listener,
    "RemoveListenerCertificates": remove_listener_certificates,
}
