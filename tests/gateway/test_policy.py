"""The IAM policy: complete, least, well formed, and as it stands in the docs."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import botocore.session
import pytest

from reconciler.cli.iam_policy import iam_policy_json
from reconciler.gateway.allow import OPERATIONS
from reconciler.gateway.policy import MANAGED_LIMIT, iam_policy, implied, is_read, size
from tests.gateway.test_rules import FORBIDDEN

DOCS = Path(__file__).parent.parent.parent / "docs"
WHOLE = iam_policy(read_only=False)
READ_ONLY = iam_policy(read_only=True)
BOTH = pytest.mark.parametrize("policy", [WHOLE, READ_ONLY], ids=["whole", "read-only"])
LOADED = botocore.session.get_session()


def listed(value):
    return [value] if isinstance(value, str) else value


def of(policy, effect):
    return [s for s in policy["Statement"] if s["Effect"] == effect]


def allowing(policy, action):
    return [s for s in of(policy, "Allow") if action in listed(s["Action"])]


def denied(policy, action):
    """IAM compares actions without regard to case."""
    patterns = [a for s in of(policy, "Deny") if "Condition" not in s for a in listed(s["Action"])]
    return any(fnmatchcase(action.lower(), p.lower()) for p in patterns)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: f"{o.service}:{o.name}")
def test_all_that_an_operation_implies_is_allowed_and_not_denied(operation):
    for action in operation.actions:
        if action == "sts:AssumeRole":  # needed by who assumes the role
            assert allowing(WHOLE, action) == []
            continue
        assert allowing(WHOLE, action)
        assert not denied(WHOLE, action)
        assert bool(allowing(READ_ONLY, action)) is (action in implied(read_only=True))


@BOTH
def test_nothing_is_allowed_that_no_operation_implies(policy):
    every = {a for o in OPERATIONS for a in o.actions}
    assert {a for s in of(policy, "Allow") for a in listed(s["Action"])} <= every


def test_who_only_reads_may_only_read():
    assert all(is_read(a) for s in of(READ_ONLY, "Allow") for a in listed(s["Action"]))
    assert [s["Sid"] for s in of(READ_ONLY, "Allow")] == ["Look"]


@pytest.mark.parametrize(("service", "name"), FORBIDDEN, ids=[f"{s}:{n}" for s, n in FORBIDDEN])
def test_a_forbidden_operation_is_never_allowed(service, name):
    assert allowing(WHOLE, f"{service}:{name}") == [] or (service, name) == ("ec2", "RunInstances")


# what a build of an image needs in a later release is not granted, but not denied either
LATER = {
    ("ec2", "CreateImage"),
    ("ec2", "TerminateInstances"),
    ("ec2", "RunInstances"),
    ("ec2", "ModifyImageAttribute"),
    ("ec2", "CreateLaunchTemplateVersion"),
}


@pytest.mark.parametrize(("service", "name"), FORBIDDEN, ids=[f"{s}:{n}" for s, n in FORBIDDEN])
def test_a_forbidden_operation_is_denied_even_if_another_policy_allows_it(service, name):
    for policy in (WHOLE, READ_ONLY):
        assert denied(policy, f"{service}:{name}") is ((service, name) not in LATER)


@pytest.mark.parametrize("service", ["ec2", "autoscaling"])
def test_no_deny_reaches_what_only_looks(service):
    names = LOADED.get_service_model(service).operation_names
    assert [n for n in names if n.startswith("Describe") and denied(WHOLE, f"{service}:{n}")] == []


def test_a_forced_deletion_is_denied():
    (statement,) = [s for s in of(WHOLE, "Deny") if s["Action"] == "autoscaling:DeleteAutoScalingGroup"]
    assert statement["Condition"] == {"Bool": {"autoscaling:ForceDelete": "true"}}


@BOTH
def test_a_policy_follows_iams_grammar(policy):
    assert set(policy) == {"Version", "Statement"}
    assert policy["Version"] == "2012-10-17"
    sids = [s["Sid"] for s in policy["Statement"]]
    assert len(set(sids)) == len(sids)
    for statement in policy["Statement"]:
        assert {"Sid", "Effect", "Action", "Resource"} <= set(statement)
        assert set(statement) <= {"Sid", "Effect", "Action", "Resource", "Condition"}
        assert re.fullmatch("[A-Za-z0-9]+", statement["Sid"])
        assert statement["Effect"] in {"Allow", "Deny"}
        actions = listed(statement["Action"])
        assert actions
        assert len(set(actions)) == len(actions)
        assert all(re.fullmatch(r"[a-z0-9-]+:[A-Za-z0-9*]+", a) for a in actions)
        for resource in listed(statement["Resource"]):
            assert resource == "*" or re.fullmatch(r"arn:aws:[a-z0-9]+:[*]?:[*]?:[A-Za-z0-9*/:.-]+", resource)
        for operator, keys in statement.get("Condition", {}).items():
            assert operator in {"StringEquals", "StringLike", "Bool"}
            assert all(
                re.fullmatch(r"[a-z0-9]+:[A-Za-z]+(/reconciler:owner)?", k) and v for k, v in keys.items()
            )


@BOTH
def test_a_policy_fits_into_one_managed_policy(policy):
    assert size(policy) <= MANAGED_LIMIT


def test_no_allowed_action_is_a_pattern():
    assert [a for s in of(WHOLE, "Allow") for a in listed(s["Action"]) if "*" in a] == []


def test_no_write_is_for_everything_but_the_one_that_has_no_resource():
    wide = [a for s in of(WHOLE, "Allow") if "*" in listed(s["Resource"]) for a in listed(s["Action"])]
    assert [a for a in wide if not is_read(a)] == ["wafv2:DisassociateWebACL"]


OURS = {"StringLike": {"aws:ResourceTag/reconciler:owner": "*"}}
MADE_OURS = {"StringLike": {"aws:RequestTag/reconciler:owner": "*"}}


@pytest.mark.parametrize(
    ("action", "conditions"),
    [
        ("autoscaling:DeleteAutoScalingGroup", [OURS]),
        ("autoscaling:TerminateInstanceInAutoScalingGroup", [OURS]),
        ("autoscaling:CreateAutoScalingGroup", [MADE_OURS]),
        ("autoscaling:CreateOrUpdateTags", [MADE_OURS, OURS]),
        ("ec2:CreateLaunchTemplate", [MADE_OURS]),
        ("ec2:DeleteLaunchTemplate", [OURS]),
        (
            "ec2:CreateTags",
            [{"StringEquals": {"ec2:CreateAction": ["CreateLaunchTemplate", "RunInstances"]}}, OURS],
        ),
        ("elasticloadbalancing:DeleteLoadBalancer", [OURS]),
        ("elasticloadbalancing:ModifyRule", [OURS]),
        ("elasticloadbalancing:CreateRule", [MADE_OURS]),
        (
            "elasticloadbalancing:AddTags",
            [{"StringLike": {"elasticloadbalancing:CreateAction": "Create*"}}, OURS],
        ),
        ("iam:PassRole", [{"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}]),
    ],
)
def test_a_write_is_bound_to_what_is_ours(action, conditions):
    assert [s.get("Condition") for s in allowing(WHOLE, action)] == conditions


def test_instances_start_only_from_templates_of_ours():
    from_templates = [
        s for s in allowing(WHOLE, "ec2:RunInstances") if "launch-template" in json.dumps(s["Resource"])
    ]
    assert [s["Condition"] for s in from_templates] == [OURS]


def test_service_roles_are_made_for_three_services_alone():
    (statement,) = allowing(WHOLE, "iam:CreateServiceLinkedRole")
    assert [r.rpartition("/aws-service-role/")[2] for r in statement["Resource"]] == [
        "autoscaling.amazonaws.com/*",
        "elasticloadbalancing.amazonaws.com/*",
        "spot.amazonaws.com/*",
    ]


def test_owner_zones_and_partition_narrow_the_policy():
    policy = iam_policy(read_only=False, owner="payments", zones=["Z1", "Z2"], partition="aws-cn")
    (statement,) = allowing(policy, "autoscaling:DeletePolicy")
    assert statement["Condition"] == {"StringLike": {"aws:ResourceTag/reconciler:owner": "payments"}}
    (records,) = allowing(policy, "route53:ChangeResourceRecordSets")
    assert records["Resource"] == ["arn:aws-cn:route53:::hostedzone/Z1", "arn:aws-cn:route53:::hostedzone/Z2"]


@pytest.mark.parametrize(
    ("name", "read_only"), [("iam-policy.json", False), ("iam-policy-read-only.json", True)]
)
def test_the_docs_show_the_policy_as_it_is(name, read_only):
    """Written by `reconciler iam-policy > docs/iam-policy.json`, and with `--read-only`."""
    assert (DOCS / name).read_text() == iam_policy_json(read_only=read_only)
