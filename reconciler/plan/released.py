"""What a commit lets go of: Targets and Zones that left git. Nothing there is touched, so it is said."""

from reconciler.spec.desired import Desired, DesiredTarget, DesiredZone


def released(before: Desired, now: Desired) -> tuple[str, ...]:
    """Return one sentence for each Target and Zone that `before` has and `now` has not.

    They are in no plan any more. A Target under a new name is another one, even in the same account
    and region: what was made there carries the old name. A hosted zone is one by any document's name.
    """
    targets, zones = {t.name for t in now.targets}, {_hosted(z) for z in now.zones}
    gone = [_target(before, t) for t in before.targets if t.name not in targets]
    return (*gone, *(_zone(z) for z in before.zones if _hosted(z) not in zones))


def _target(before: Desired, target: DesiredTarget) -> str:
    fleets = sum(f.target == target.name for f in before.fleets)
    place = f"account {target.spec.account}, region {target.spec.region}"
    what = f"target {target.name} ({place}) is released: nothing there is touched"
    return f"{what}, and its {fleets} fleets go on without this repository"


def _zone(zone: DesiredZone) -> str:
    count = len(zone.spec.records)
    return f"zone {zone.name} ({zone.spec.domain}) is released: its {count} records stay as they are"


def _hosted(zone: DesiredZone) -> tuple[str, str]:
    private = zone.spec.private
    return zone.spec.domain.lower().rstrip("."), private.vpc if private else ""
