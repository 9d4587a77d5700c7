"""What is to be asked."""

from dataclasses import dataclass

from reconciler.core.ids import ResourceName


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Probe:
    """One GET, some times in a row, to the balancer of one revision."""

    name: ResourceName  # of the revision
    host: str  # DNS name of the balancer
    port: int
    secure: bool  # https
    header: str  # Host that clients ask for, and the name that the certificate must be for
    path: str
    status: int
    times: int
