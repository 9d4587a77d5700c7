"""Looks at a fleet once more, right before a write that hurts if it is another one than was planned on."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Final

from reconciler.apply.executor import Sure, goes_back
from reconciler.core.errors import ChangedError
from reconciler.core.facts import Keeper
from reconciler.core.ids import FleetName
from reconciler.daemon.lenders import Lenders
from reconciler.gateway.errors import foreseen
from reconciler.gateway.session import Aws
from reconciler.kinds.balancer import aws as balancer_aws
from reconciler.kinds.balancer.steps import SetRule
from reconciler.kinds.group import aws as group_aws
from reconciler.kinds.group.steps import Detach, TagGroup
from reconciler.kinds.record import aws as record_aws
from reconciler.kinds.record.live import LiveZone
from reconciler.kinds.record.steps import ChangeRecords
from reconciler.kinds.register import Step, World
from reconciler.kinds.template import aws as template_aws
from reconciler.plan.again import Ground, looks, with_template
from reconciler.plan.fleet import Index, small
from reconciler.plan.model import Item
from reconciler.strategies.slice import Live, fleets_of

TRAFFIC: Final = (ChangeRecords, SetRule, Detach, TagGroup)
"""What sends traffic back, and says so; what takes something away does not go unlooked."""


def looks_again(aws: Aws, world: World, keeper: Keeper, lent: Lenders) -> Sure:
    """Return what asks whether a fleet is still as it was in a world that was planned on.

    Source: autoscaling:DescribeAutoScalingGroups, by its tags. Before capacity goes also the weights
    (route53:ListResourceRecordSets, elasticloadbalancing:DescribeRules); batches and rules are compared
    with what was planned on by their writers. Before what is made around a group, its template instead
    (ec2:DescribeLaunchTemplates).
    """

    @cache
    def read() -> tuple[dict[FleetName, tuple[Live, ...]], Index]:
        return fleets_of(world, keeper), Index.of(world)

    @cache
    def ground(fleet: FleetName) -> Ground:
        fleets, index = read()
        return Ground(fleet=fleet, keeper=keeper, world=small(world, fleets.get(fleet, ()), None, index))

    def sure(item: Item, step: Step, done: Sequence[Step]) -> None:
        what = looks(step)
        if item.kind != "Fleet" or not any(what):
            return
        then = ground(FleetName(item.name))
        now = then.after(done)
        try:
            if what.groups:
                now = replace(now, groups=group_aws.find_all(aws, keeper.owner, item.name))
            if what.weights:
                now = _weighed(aws, now, lent)
            if what.template:
                now = with_template(now, step.name, template_aws.find(aws, step.name))
        except Exception as error:
            if not (goes_back(item) and isinstance(step, TRAFFIC) and foreseen(error)):
                raise
            return  # traffic on its way back never stands behind a call that fails
        if why := then.moved(done, replace(now, as_of=aws.newest() or now.as_of)):
            raise ChangedError(why)

    return sure


def _weighed(aws: Aws, world: World, lent: Lenders) -> World:
    """Read the weights of a fleet's records and rules again."""
    zones = []
    for zone in world.zones:
        if isinstance(zone, LiveZone) and zone.records:
            place = lent.get(zone.zone)
            reader = aws.open_beside(place) if place else aws
            names = {r.name for r in zone.records}
            zones.append(replace(zone, records=record_aws.find_all(reader, zone.id, names)))
    rules = world.rules if isinstance(world.rules, tuple) else ()
    found = (balancer_aws.find_rule(aws, rule.arn) for rule in rules)
    return replace(world, zones=tuple(zones), rules=tuple(r for r in found if r))
