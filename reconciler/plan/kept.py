"""What one commit gives again at every plan: equal questions, equal answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from reconciler.core.ids import AmiId
from reconciler.kinds.network.live import SecurityGroup, Subnet
from reconciler.kinds.register import Blocked
from reconciler.plan.prepare import Prepared, prepare
from reconciler.plan.resolve import Network, Place, resolve
from reconciler.spec.desired import DesiredFleet
from reconciler.strategies.wanted import Wanted

Key = tuple[str, str]
"""Fleet and target."""


@dataclass(slots=True)
class Kept:
    """A memory for the plans of one commit in one target. It changes what a plan costs, and nothing else."""

    _prepared: dict[Key, Prepared] = field(default_factory=dict)
    _wanted: dict[Key, tuple[AmiId, Network, Wanted | Blocked]] = field(default_factory=dict)
    _network: tuple[Sequence[Subnet], Sequence[SecurityGroup], Network] | None = None

    def network(self, subnets: Sequence[Subnet], groups: Sequence[SecurityGroup]) -> Network:
        """Return the index of what was read; the same object while the same is read."""
        if self._network is None or self._network[:2] != (subnets, groups):
            self._network = (subnets, groups, Network.of(subnets, groups))
        return self._network[2]

    def wanted(self, fleet: DesiredFleet, ami: AmiId, place: Place) -> Wanted | Blocked:
        """Return what is wanted of a fleet; worked out anew where its AMI or the network is another."""
        key = (fleet.name, fleet.target)
        if key not in self._prepared:
            self._prepared[key] = prepare(fleet)
        known = self._wanted.get(key)
        if known is None or known[0] != ami or known[1] is not place.network:
            known = self._wanted[key] = (ami, place.network, resolve(fleet, self._prepared[key], ami, place))
        return known[2]
