"""Launch templates, repaired: pages, tags apart from the body, names and tokens as on AWS, errors."""

import json
import re
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.responses.launch_templates import LaunchTemplates
from moto.ec2.utils import convert_tag_spec, generic_filter, parse_user_data

from emulator.paging import paged
from emulator.patch import operations, patch
from emulator.tags import check
from emulator.wire import Refused

PAGE: Final = 200  # of both describes, at most
_NAME: Final = re.compile(r"[a-zA-Z0-9().\-/_]{3,128}")
_ID: Final = re.compile(r"lt-[0-9a-f]{8,17}")
_KEEP: Final = "emulated_tokens"  # client tokens, on moto's backend, so that its reset empties them
_LISTED: Final = frozenset({"$Default", "$Latest"})


class Templates:
    """The operations, as methods of moto's response class."""

    def create_launch_template(self: Any) -> ActionResult:
        """Create a template with its first version; a client token counts once."""
        self.error_on_dryrun()
        name, token = self._get_param("LaunchTemplateName"), self._get_param("ClientToken")
        if not _NAME.fullmatch(name or ""):
            raise Refused(
                "InvalidLaunchTemplateName.MalformedException",
                "A launch template name must be between 3 and 128 characters, and may contain letters,"
                " numbers, and the following characters: - ( ) . / _.",
            )
        tokens = self.ec2_backend.__dict__.setdefault(_KEEP, {})
        asked = json.dumps(self._get_params(), sort_keys=True, default=str)
        if token in tokens and tokens[token][1] in self.ec2_backend.launch_templates:
            if tokens[token][0] != asked:
                raise Refused(
                    "IdempotentParameterMismatch",
                    "The client token you have provided is associated with other parameters.",
                )
            return ActionResult({"LaunchTemplate": _shown(self, _find(self, tokens[token][1]))})
        template = self.ec2_backend.create_launch_template(
            name,
            self._get_param("VersionDescription"),
            _body(self._get_param("LaunchTemplateData") or {}),
            {"launch-template": _own_tags(self)},
        )
        if token:
            tokens[token] = (asked, template.id)
        return ActionResult({"LaunchTemplate": _shown(self, template)})

    def create_launch_template_version(self: Any) -> ActionResult:
        """Add a version, on the base of another one where the request names it."""
        template = _asked(self)
        self.error_on_dryrun()
        data = _body(self._get_param("LaunchTemplateData") or {})
        if source := self._get_param("SourceVersion"):
            data = {**template.get_version(source).data, **data}
        version = template.create_version(data, self._get_param("VersionDescription"))
        return ActionResult({"LaunchTemplateVersion": _version(self, template, version)})

    def delete_launch_template(self: Any) -> ActionResult:
        """Delete a template with all versions."""
        template = _asked(self)
        self.error_on_dryrun()
        self.ec2_backend.delete_launch_template(None, template.id)
        shown = _shown(self, template)
        self.ec2_backend.tags.pop(template.id, None)
        return ActionResult({"LaunchTemplate": shown})

    def describe_launch_templates(self: Any) -> ActionResult:
        """Return a page of the templates that are named, or of all, by id."""
        self.error_on_dryrun()
        identifiers, names = self._get_param("LaunchTemplateIds"), self._get_param("LaunchTemplateNames")
        if identifiers:
            found = [_find(self, i) for i in identifiers]
        elif names:
            found = [_named(self, n) for n in names]
        else:
            found = list(self.ec2_backend.launch_templates.values())
        found = generic_filter(self._filters_from_querystring(), found)
        page, token = paged(self, [(t.id, _shown(self, t)) for t in found], least=1, most=PAGE)
        return ActionResult({"LaunchTemplates": page} | ({"NextToken": token} if token else {}))

    def describe_launch_template_versions(self: Any) -> ActionResult:
        """Return a page of versions: of one template the newest first, or `$Default` and `$Latest` of all."""
        self.error_on_dryrun()
        asked = self._get_param("Versions") or []
        if self._get_param("Filters"):
            raise NotImplementedError("Filters of launch template versions")
        if self._get_param("LaunchTemplateId") or self._get_param("LaunchTemplateName"):
            template = _asked(self)
            found = [(template, v) for v in _chosen(self, template, asked)]
        elif asked and set(asked) <= _LISTED:
            found = [
                (t, t.get_version(word)) for t in self.ec2_backend.launch_templates.values() for word in asked
            ]
        else:
            raise Refused(
                "InvalidParameterValue" if asked else "MissingParameter",
                "To describe the launch template data for all your launch templates, for '--versions'"
                " specify '$Latest', '$Default', or both, and omit '--launch-template-id',"
                " '--launch-template-name', and version numbers.",
            )
        items = {f"{t.id} {10**9 - v.number:010}": _version(self, t, v) for t, v in found}
        page, token = paged(self, items.items(), least=1, most=PAGE)
        return ActionResult({"LaunchTemplateVersions": page} | ({"NextToken": token} if token else {}))


def _body(data: dict[str, Any]) -> dict[str, Any]:
    """Return a version's data, with the user data as moto's launches expect it."""
    user_data = data.get("UserData")
    return {**data, "UserData": parse_user_data(user_data)} if user_data is not None else dict(data)


def _own_tags(response: Any) -> dict[str, str]:
    specifications = response._get_param("TagSpecifications") or []
    for one in specifications:
        if one.get("ResourceType") != "launch-template":
            raise Refused(
                "InvalidParameterValue",
                f"'{one.get('ResourceType')}' is not a valid taggable resource type for this operation.",
            )
    tags: dict[str, str] = convert_tag_spec(specifications).get("launch-template", {})
    check(tags, {})
    return tags


def _find(response: Any, identifier: str) -> LaunchTemplate:
    if not _ID.fullmatch(identifier):
        raise Refused(
            "InvalidLaunchTemplateId.Malformed",
            f"The specified launch template ID, {identifier}, is not valid.",
        )
    template: LaunchTemplate = response.ec2_backend.get_launch_template(identifier)
    return template


def _named(response: Any, name: str) -> LaunchTemplate:
    template: LaunchTemplate = response.ec2_backend.get_launch_template_by_name(name)
    return template


def _asked(response: Any) -> LaunchTemplate:
    identifier, name = response._get_param("LaunchTemplateId"), response._get_param("LaunchTemplateName")
    if bool(identifier) == bool(name):
        raise Refused(
            "InvalidParameterCombination" if identifier else "MissingParameter",
            "Specify either the launch template ID or the launch template name, and not both.",
        )
    return _find(response, identifier) if identifier else _named(response, name)


def _chosen(response: Any, template: LaunchTemplate, asked: list[str]) -> list[LaunchTemplateVersion]:
    if asked:
        return [template.get_version(v) for v in asked]
    least = response._get_int_param("MinVersion") or 1
    most = response._get_int_param("MaxVersion") or template.latest_version_number
    return [v for v in template.versions if least <= v.number <= most]


def _creator(response: Any) -> str:
    return f"arn:{response.partition}:iam::{response.current_account}:root"


def _shown(response: Any, template: LaunchTemplate) -> dict[str, Any]:
    return {
        "CreateTime": template.create_time,
        "CreatedBy": _creator(response),
        "DefaultVersionNumber": template.default_version_number,
        "LatestVersionNumber": template.latest_version_number,
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "Tags": template.get_tags(),
    }


def _version(response: Any, template: LaunchTemplate, version: LaunchTemplateVersion) -> dict[str, Any]:
    return {
        "CreateTime": version.create_time,
        "CreatedBy": _creator(response),
        "DefaultVersion": template.is_default(version),
        "LaunchTemplateData": version.data,
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "VersionDescription": version.description,
        "VersionNumber": version.number,
    }


def install() -> None:
    """Put these operations in the place of moto's."""
    patch(LaunchTemplates, **operations(Templates))
