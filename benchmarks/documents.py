"""The desired state of a company with many fleets: half of them workers, half behind a balancer with DNS."""

from typing import Final

TARGET: Final = "prod"
OWNER: Final = "bench-fleets"
REGION: Final = "eu-west-1"
ACCOUNT: Final = "123456789012"
DOMAIN: Final = "example.com"
AMI: Final = "ami-0a1000000000001"
NEWER_AMI: Final = "ami-0a1000000000002"
INSTANCES: Final = 2  # of each fleet
AUDITED: Final = 9  # fleets of 500 that one pass of sixty an hour looks at in full

_HEAD: Final = (
    "apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {{name: {name}, labels: {{team: {team}}}}}\nspec:\n"
)

_COMPANY: Final = f"""\
apiVersion: reconciler/v1
kind: Target
metadata: {{name: {TARGET}}}
spec: {{account: "{ACCOUNT}", region: {REGION}, owner: {OWNER}, tags: {{env: prod}}}}
---
apiVersion: reconciler/v1
kind: Image
metadata: {{name: base}}
spec: {{targets: [{TARGET}], architecture: arm64, ami: {AMI}}}
---
apiVersion: reconciler/v1
kind: Zone
metadata: {{name: example-com}}
spec:
  target: {TARGET}
  domain: {DOMAIN}
  records:
    - {{name: "@", type: MX, ttl: 300, values: ["10 mail.example.com."]}}
    - {{name: status, type: CNAME, ttl: 60, values: [status.example.net.]}}
---
apiVersion: reconciler/v1
kind: Profile
metadata: {{name: common}}
spec:
  image: base
  launch: {{securityGroups: [{{name: app}}], monitoring: true}}
  placement: {{subnets: [{{tag: {{tier: bench}}}}]}}
  health: {{grace: 2m}}
"""

_FLEET: Final = """\
  profiles: [common]
  targets: [{target}]
  launch:
    instanceTypes: [t4g.small]
    userData:
      text: |
        #!/bin/sh
        exec /opt/{name}/start --listen 8080
    tags: {{service: {name}}}
  capacity: {{min: {least}, max: {most}, desired: {least}}}
  scaling:
    - {{metric: cpu, target: 60}}
"""

_SCHEDULE: Final = """\
    - {{cron: "0 7 * * 1-5", timezone: Europe/Dublin, min: {least}, max: {most}}}
"""

_TRAFFIC: Final = """\
  traffic:
    balancer:
      type: application
      scheme: internal
      securityGroups: [{{name: balancer}}]
      listeners: [{{port: 80, protocol: HTTP}}]
      targetGroup: {{port: 8080, protocol: HTTP, health: {{path: /healthz, interval: 10s}}, drain: 30s}}
    dns: {{zone: example-com, name: {name}}}
"""


def fleet(number: int, *, most: int = 4 * INSTANCES) -> tuple[str, str]:
    """Return the file name and the document of one fleet: even numbers are workers. `most` instances."""
    balanced = number % 2 == 1
    name = f"{'web' if balanced else 'worker'}-{number:03d}"
    words = {"name": name, "target": TARGET, "least": INSTANCES, "most": most}
    text = _HEAD.format(kind="Fleet", name=name, team=f"team-{number % 7}")
    text += (_FLEET + (_TRAFFIC if balanced else _SCHEDULE)).format(**words)
    return f"fleets/{name}.yaml", text


def history(fleets: int) -> list[dict[str, str | None]]:
    """Return the commits by which the company grew: fleets in four steps, then one small change.

    Live things so carry several commits in their tags, and the newest commit has a parent that differs.
    """
    step = max(1, -(-fleets // 4))
    commits: list[dict[str, str | None]] = [
        dict(fleet(n) for n in range(first, min(first + step, fleets))) for first in range(0, fleets, step)
    ]
    commits[0]["company.yaml"] = _COMPANY
    commits.append(dict([fleet(0, most=5 * INSTANCES)]))
    return commits
