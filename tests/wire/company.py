"""Documents of a small company whose AWS world is the emulator's `company` seed."""

from typing import Final

LISTENER: Final = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shared/50dc6c495c0c9188/f2f7dc8efc522ab2"
SHARED: Final = (
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/search-legacy/73e2d6bc24d8a067"
)
OLD_AMI: Final = "ami-0a1000000000001"
NEW_AMI: Final = "ami-0a1000000000002"

BALANCER: Final = """
  traffic:
    balancer:
      type: application
      scheme: internal
      securityGroups: [{name: lb}]
      listeners: [{port: 80, protocol: HTTP}]
      targetGroup: {port: 8080, protocol: HTTP, health: {path: /healthz, interval: 10s}, drain: 30s}
    dns: {zone: example-com, name: web}
"""
BEHIND: Final = f"""
  traffic:
    listener: {{arn: "{LISTENER}", priority: 10, hosts: [web.example.com], paths: [/*]}}
    targetGroup: {{port: 8080, protocol: HTTP, health: {{path: /healthz, interval: 10s}}, drain: 30s}}
"""
ATTACH: Final = f"""
  traffic: {{attach: {{targetGroups: ["{SHARED}"]}}}}
"""
TRAFFIC: Final = {"balancer": BALANCER, "listener": BEHIND, "attach": ATTACH, "none": ""}
"""Every kind of traffic."""


def base(ami: str = OLD_AMI, *, target: str = "", account: str = "123456789012") -> str:
    """Return Target and Image. `target` is more of the Target's spec, in flow style."""
    return f"""
apiVersion: reconciler/v1
kind: Target
metadata: {{name: prod}}
spec: {{account: "{account}", region: eu-west-1, owner: shop-fleets{target and ", " + target}}}
---
apiVersion: reconciler/v1
kind: Image
metadata: {{name: base}}
spec: {{targets: [prod], architecture: arm64, ami: {ami}}}
"""


def zone(records: str = "[]", more: str = "") -> str:
    """Return the Zone with records in flow or block style."""
    return f"""
apiVersion: reconciler/v1
kind: Zone
metadata: {{name: example-com}}
spec:
  target: prod
  domain: example.com
  {more}
  records: {records}
"""


def fleet(
    traffic: str = "",
    *,
    name: str = "web",
    capacity: str = "{min: 2, max: 4, desired: 2}",
    launch: str = "",
    more: str = "",
    rollout: str = "keepOld: 5m",
) -> str:
    """Return a Fleet. `launch` is more of it in flow style, `more` are lines of the spec."""
    return f"""
apiVersion: reconciler/v1
kind: Fleet
metadata: {{name: {name}}}
spec:
  targets: [prod]
  image: base
  launch: {{instanceTypes: [t4g.small], securityGroups: [{{name: web}}]{launch and ", " + launch}}}
  placement: {{subnets: [{{tag: {{tier: app}}}}]}}
  capacity: {capacity}
  rollout: {{{rollout}}}
{more}
{traffic}
"""


def files(traffic: str, ami: str = OLD_AMI) -> dict[str, str | None]:
    """Return a whole repository with one fleet."""
    return {"target.yaml": base(ami), "zone.yaml": zone(), "fleets/web.yaml": fleet(traffic)}
