"""`reconciler iam-policy`: prints the least IAM policy, from the gateway's own allow-list."""

import json

from reconciler.gateway.policy import iam_policy


def iam_policy_json(*, read_only: bool) -> str:
    """Return the policy document as JSON, as it stands in `docs/`."""
    return json.dumps(iam_policy(read_only=read_only), indent=2) + "\n"
