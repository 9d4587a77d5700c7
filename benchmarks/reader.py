"""The bare reader that passes are measured against: boto3, the same pages, as many threads, nothing else.

`python -m benchmarks.reader` reads everything once, bodies of templates too, as a cold pass does.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.documents import AMI, OWNER, REGION

THREADS: Final = 8  # as the product has readers
_OURS: Final = [{"Name": "tag:reconciler:owner", "Values": [OWNER]}]

Pages = tuple[str, str, dict[str, Any], int]
"""Service, operation, parameters, and entries of a page."""

BULK: Final[tuple[Pages, ...]] = (
    ("autoscaling", "describe_auto_scaling_groups", {"Filters": _OURS}, 100),
    ("autoscaling", "describe_policies", {}, 100),
    ("autoscaling", "describe_scheduled_actions", {}, 100),
    ("ec2", "describe_launch_templates", {"Filters": _OURS}, 200),
    ("ec2", "describe_subnets", {}, 1000),
    ("ec2", "describe_security_groups", {}, 1000),
    (
        "ec2",
        "describe_images",
        {"Filters": [{"Name": "image-id", "Values": [AMI]}], "IncludeDeprecated": True},
        1000,
    ),
    ("elbv2", "describe_load_balancers", {}, 400),
    ("elbv2", "describe_target_groups", {}, 400),
)
BODIES: Final[Pages] = ("ec2", "describe_launch_template_versions", {"Versions": ["$Default"]}, 200)


@dataclass(slots=True)
class Reader:
    """Clients and threads, kept from read to read as the product keeps its own."""

    _clients: dict[str, Any] = field(default_factory=dict)
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS))

    def __post_init__(self) -> None:
        import boto3  # noqa: TID251  # what the gateway is measured against
        from botocore.config import Config

        session = boto3.Session(region_name=REGION)
        line = Config(max_pool_connections=THREADS + 2, retries={"total_max_attempts": 1})
        for service in ("autoscaling", "ec2", "elbv2", "route53"):
            self._clients[service] = session.client(service, config=line)

    def read(self, *, bodies: bool = False) -> int:
        """Read every page once, side by side. Return how many entries there were."""
        wanted = (*BULK, BODIES) if bodies else BULK
        found = [self._threads.submit(self._pages, *pages) for pages in wanted]
        found.append(self._threads.submit(self._zones))
        return sum(f.result() for f in found)

    def _pages(self, service: str, operation: str, params: dict[str, Any], size: int) -> int:
        paginator = self._clients[service].get_paginator(operation)
        pages = paginator.paginate(**params, PaginationConfig={"PageSize": size})
        return sum(_entries(page) for page in pages)

    def _zones(self) -> int:
        client = self._clients["route53"]
        pages = client.get_paginator("list_hosted_zones").paginate(PaginationConfig={"PageSize": 100})
        ids = [z["Id"].rpartition("/")[2] for page in pages for z in page["HostedZones"]]
        tags = client.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=ids)
        return _entries(tags) + sum(
            self._pages("route53", "list_resource_record_sets", {"HostedZoneId": z}, 300) for z in ids
        )


def _entries(page: dict[str, Any]) -> int:
    lists: Sequence[Any] = [v for v in page.values() if isinstance(v, list)]
    return sum(map(len, lists))


if __name__ == "__main__":
    print(Reader().read(bodies=True))
