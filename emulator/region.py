"""The state of Auto Scaling and Elastic Load Balancing in one account and region, and what is due in it."""

import heapq
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends
from moto.moto_api._internal import mock_random

from emulator import clock

Body = dict[str, Any]
"""A thing as AWS describes it, with the names of the API model."""

_ATTRIBUTE: Final = "emulated"  # on moto's backend, so that its reset empties ours
_ORDER: Final = itertools.count()


@dataclass(eq=False, slots=True, kw_only=True)
class Member:
    """One instance of a group: what Auto Scaling says of it, and EC2's instance behind it."""

    body: Body
    instance: Any  # moto's
    launched_at: datetime
    spot: bool
    weight: int = 1
    dead: bool = False  # stopped or terminated by somebody else
    in_service_at: datetime | None = None
    activity: Body | None = None  # the one that is in progress
    waiting: int = 0  # counts transitions: what was due for an earlier one is void
    why: str = ""  # it is unhealthy, as a cause says it

    @property
    def id(self) -> str:
        """The instance id."""
        return str(self.body["InstanceId"])

    @property
    def state(self) -> str:
        """The lifecycle state, in AWS's words."""
        return str(self.body["LifecycleState"])

    def enter(self, state: str) -> int:
        """Change the state; return the mark by which what is due later knows that nothing came between."""
        self.body["LifecycleState"] = state
        self.waiting += 1
        return self.waiting

    @property
    def leaving(self) -> bool:
        """Whether it is on its way out."""
        return self.state.startswith(("Terminat", "Detach"))


@dataclass(eq=False, slots=True, kw_only=True)
class Group:
    """One Auto Scaling group. `body` lacks what is described from the other fields."""

    body: Body
    tags: dict[str, Body] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    hooks: dict[str, Body] = field(default_factory=dict)
    policies: dict[str, Body] = field(default_factory=dict)
    schedules: dict[str, Body] = field(default_factory=dict)
    suspended: dict[str, str] = field(default_factory=dict)  # process: reason
    target_groups: dict[str, str] = field(default_factory=dict)  # ARN: state
    classic: dict[str, str] = field(default_factory=dict)  # name: state
    activities: list[Body] = field(default_factory=list)  # oldest first
    failures: int = 0  # launches that failed in a row
    retrying: bool = False

    @property
    def name(self) -> str:
        """The name, unique in its region."""
        return str(self.body["AutoScalingGroupName"])

    @property
    def deleting(self) -> bool:
        """Whether its deletion is under way."""
        return "Status" in self.body

    def runs(self, process: str) -> bool:
        """Return whether a scaling process is not suspended."""
        return process not in self.suspended


@dataclass(eq=False, slots=True, kw_only=True)
class Region:
    """All of it. `at` is the time of the request or of the event that is being handled."""

    account: str
    name: str
    at: datetime
    groups: dict[str, Group] = field(default_factory=dict)
    past: list[Body] = field(default_factory=list)  # activities of groups that are gone
    homes: dict[str, Group] = field(default_factory=dict)  # instance id: its group
    balancers: dict[str, Any] = field(default_factory=dict)  # by ARN, as the next three
    target_groups: dict[str, Any] = field(default_factory=dict)
    listeners: dict[str, Any] = field(default_factory=dict)
    rules: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)  # of those four
    classic: dict[str, Any] = field(default_factory=dict)
    passed: int = 0  # events that fell due
    _due: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)

    def lost(self, instances: Sequence[str]) -> None:
        """Tell what rests on instances that somebody terminated or stopped them."""
        for listener in LOST:
            listener(self, instances)

    def inspect_all(self) -> None:
        """Let every group look at the health of its targets now."""
        for group in list(self.groups.values()):
            for inspect in INSPECT:
                inspect(self, group)

    @property
    def ec2(self) -> Any:
        """EC2 (moto's) of this account and region."""
        return ec2_backends[self.account][self.name]

    def subnets(self) -> dict[str, Any]:
        """Return moto's subnets by id."""
        return {i: s for zone in self.ec2.subnets.values() for i, s in zone.items()}

    def arn(self, service: str, rest: str) -> str:
        """Return an ARN of this account and region."""
        return f"arn:aws:{service}:{self.name}:{self.account}:{rest}"

    def later(self, delay: timedelta, do: Callable[[], None]) -> None:
        """Do something once the clock has passed the delay."""
        heapq.heappush(self._due, (self.at + delay, next(_ORDER), do))

    def run_due(self, now: datetime) -> None:
        """Do what is due, in its order, each with `at` as the time at which it was due."""
        while self._due and self._due[0][0] <= now:
            self.at, _, do = heapq.heappop(self._due)
            self.passed += 1
            do()
        self.at = now


LOST: Final[list[Callable[[Region, Sequence[str]], None]]] = []
INSPECT: Final[list[Callable[[Region, Group], None]]] = []
"""What follows in the rooms above, which fill these in when they are installed."""


def regions() -> Iterator[Region]:
    """Yield every region that was used since the last reset."""
    for account in list(autoscaling_backends.values()):
        for backend in list(account.values()):
            if region := getattr(backend, _ATTRIBUTE, None):
                yield region


def region_of(account: str, name: str) -> Region:
    """Return the state of an account and region, empty at first."""
    backend = autoscaling_backends[account][name]
    region: Region | None = getattr(backend, _ATTRIBUTE, None)
    if region is None:
        region = Region(account=account, name=name, at=clock.now())
        setattr(backend, _ATTRIBUTE, region)
    return region


def new_id() -> str:
    """Return a random id as AWS makes them for ARNs."""
    return str(mock_random.uuid4())


def new_mark() -> str:
    """Return 16 random hexadecimal digits, as ARNs of balancers end."""
    return mock_random.get_random_hex(16)
