"""Launch templates on AWS. The only impure file of this kind."""

import json
from collections.abc import Iterable
from typing import Any, assert_never

from botocore.exceptions import ClientError

from reconciler.core.digest import canonical, sha
from reconciler.core.errors import ChangedError, ConflictError, InvalidError
from reconciler.core.facts import BORN, OWNER, Keeper, identity, tag, to_tags
from reconciler.core.ids import AmiId, ResourceName
from reconciler.gateway.errors import Failure, classify
from reconciler.gateway.session import Aws
from reconciler.kinds.receipt import ALREADY, DONE, Receipt
from reconciler.kinds.template.live import LiveTemplate
from reconciler.kinds.template.steps import CreateTemplate, DeleteTemplate, TagTemplate, TemplateStep

PAGE = 200  # of both operations, at most
Known = dict[str, tuple[AmiId, str]]
"""Bodies by template id: version 1 never changes, so a warm pass reads no body twice."""


def read(aws: Aws, owner: str, known: Known) -> tuple[LiveTemplate, ...]:
    """Return every launch template that carries our owner tag, by name.

    Source: ec2:DescribeLaunchTemplates (200 a page); ec2:DescribeLaunchTemplateVersions for `$Default`
    without an id, which gives every template's body, only when one is not known yet.
    """
    ec2 = aws.client("ec2")
    filters = [{"Name": f"tag:{OWNER}", "Values": [owner]}]
    raws = _pages(ec2.describe_launch_templates, "LaunchTemplates", Filters=filters)
    missing = [r["LaunchTemplateId"] for r in raws if r["LaunchTemplateId"] not in known]
    if missing:
        bodies = _pages(
            ec2.describe_launch_template_versions, "LaunchTemplateVersions", Versions=["$Default"]
        )
        wanted = set(missing)
        known.update({b["LaunchTemplateId"]: to_body(b) for b in bodies if b["LaunchTemplateId"] in wanted})
    changed = [r for r in raws if r["DefaultVersionNumber"] != 1]
    odd = {r["LaunchTemplateId"]: _default_body(ec2, r["LaunchTemplateId"]) for r in changed}
    empty = (AmiId(""), "{}")
    made = [
        to_template(r, odd.get(r["LaunchTemplateId"]) or known.get(r["LaunchTemplateId"], empty))
        for r in raws
    ]
    return tuple(sorted(made, key=lambda t: t.name))


def _pages(call: Any, key: str, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    token: str | None = None
    while True:
        page = call(MaxResults=PAGE, **params, **({"NextToken": token} if token else {}))
        found += page[key]
        token = page.get("NextToken")
        if not token:
            return found


def _default_body(ec2: Any, template: str) -> tuple[AmiId, str]:
    page = ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Default"])
    return to_body(page["LaunchTemplateVersions"][0])


def to_body(raw: dict[str, Any]) -> tuple[AmiId, str]:
    """Return the image and the canonical body of a template version."""
    data = raw.get("LaunchTemplateData", {})
    return AmiId(data.get("ImageId", "")), canonical(data)


def to_template(raw: dict[str, Any], body: tuple[AmiId, str]) -> LiveTemplate:
    """Return the fact behind one answer of DescribeLaunchTemplates."""
    return LiveTemplate(
        id=raw["LaunchTemplateId"],
        name=ResourceName(raw["LaunchTemplateName"]),
        default_version=int(raw["DefaultVersionNumber"]),
        latest_version=int(raw["LatestVersionNumber"]),
        image=body[0],
        body=body[1],
        tags=to_tags(_tags(raw)),
    )


def _tags(raw: dict[str, Any]) -> Iterable[tuple[str, str]]:
    return ((t["Key"], t.get("Value", "")) for t in raw.get("Tags", []))


def do(aws: Aws, step: TemplateStep, keeper: Keeper) -> Receipt:
    """Perform one step.

    Raises: ConflictError where the name is another's; ChangedError where the revision has failed
    meanwhile; InvalidError where AWS warns of the body.
    """
    match step:
        case CreateTemplate():
            return _create(aws, step, keeper)
        case TagTemplate():
            return _tag(aws, step)
        case DeleteTemplate():
            return _delete(aws, step, keeper)
        case _:
            assert_never(step)


def _create(aws: Aws, step: CreateTemplate, keeper: Keeper) -> Receipt:
    want = step.template
    tags = [{"Key": k, "Value": v} for k, v in want.tags]
    try:
        made = aws.client("ec2").create_launch_template(
            LaunchTemplateName=want.name,
            LaunchTemplateData=json.loads(want.body),
            ClientToken=sha([want.name, tag(want.tags, BORN)], 32),
            TagSpecifications=[{"ResourceType": "launch-template", "Tags": tags}],
        )
    except ClientError as error:
        if classify(error) is not Failure.ALREADY_EXISTS:
            raise
        there = find(aws, want.name)
        if there is None or identity(there.tags, there.name, keeper) is None:
            raise ConflictError(f"launch template {want.name} exists and is not ours") from error
        if there.failed:  # by another process: it was made, and failed, since this one looked
            raise ChangedError(f"revision {want.name} has failed since it was planned") from error
        return ALREADY
    if warnings := made.get("Warning", {}).get("Errors"):
        raise InvalidError(
            f"launch template {want.name}: {'; '.join(w.get('Message', '') for w in warnings)}"
        )
    return Receipt(arn=made["LaunchTemplate"]["LaunchTemplateId"])


def find(aws: Aws, name: str) -> LiveTemplate | None:
    """Return one template by name, without its body; None if there is none."""
    filters = [{"Name": "launch-template-name", "Values": [name]}]
    raws = aws.client("ec2").describe_launch_templates(Filters=filters, MaxResults=PAGE)["LaunchTemplates"]
    found = [r for r in raws if r["LaunchTemplateName"] == name]
    return to_template(found[0], (AmiId(""), "{}")) if found else None


def _tag(aws: Aws, step: TagTemplate) -> Receipt:
    ec2 = aws.client("ec2")
    if step.put:
        ec2.create_tags(Resources=[step.id], Tags=[{"Key": k, "Value": v} for k, v in step.put])
    if step.drop:
        ec2.delete_tags(Resources=[step.id], Tags=[{"Key": k} for k in step.drop])
    return DONE


def _delete(aws: Aws, step: DeleteTemplate, keeper: Keeper) -> Receipt:
    there = find(aws, step.name)
    if there is None or there.id != step.id:
        return ALREADY
    if identity(there.tags, there.name, keeper) is None:
        raise ConflictError(f"launch template {step.name} is not ours any more")
    if tag(there.tags, BORN) != step.born:
        raise ChangedError(f"launch template {step.name} was taken up again since this was planned")
    aws.client("ec2").delete_launch_template(LaunchTemplateId=step.id)
    return DONE
