"""The change batches of a zone: what belongs together, within Route 53's limits, in an order that holds."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from reconciler.kinds.record.live import LiveZone
from reconciler.kinds.record.steps import Action, Change, ChangeRecords
from reconciler.kinds.record.want import RecordSet

MOST_RECORDS = 1000  # ResourceRecord elements of one batch (Route 53 Developer Guide, Quotas)
MOST_CHARACTERS = 32_000  # of all values of one batch


class TooLargeError(ValueError):
    """All that changes at one name is more than one batch takes."""


def batches(
    live: LiveZone, pairs: Sequence[tuple[RecordSet | None, RecordSet | None]]
) -> tuple[ChangeRecords, ...]:
    """Return the batches that turn the first of each pair into the second.

    What changes at one name changes at once: policies are converted, TTLs of a set change and types
    give way in one batch, deletions first. An alias comes after what it points at in its zone.
    Raises: TooLargeError where one name's changes fit in no batch.
    """
    by_name: dict[str, list[Change]] = defaultdict(list)
    for now, want in pairs:
        if now is not None:
            by_name[now.name].append(Change(action=Action.DELETE, record=now))
        if want is not None:
            by_name[want.name].append(Change(action=Action.CREATE, record=want))
    depths = _depths(live, by_name)
    made: list[tuple[int, list[Change]]] = []
    for name in sorted(by_name, key=lambda n: (depths[n], n)):
        whole = sorted(by_name[name], key=lambda c: (c.action is not Action.DELETE, c.record.key))
        if not _fits(whole):
            raise TooLargeError(
                f"what changes at {name} is more than the {MOST_CHARACTERS} characters of a batch"
            )
        if made and made[-1][0] == depths[name] and _fits([*made[-1][1], *whole]):
            made[-1][1].extend(whole)
        else:
            made.append((depths[name], whole))
    because = "the declared records differ"
    return tuple(
        ChangeRecords(zone=live.zone, zone_id=live.id, changes=tuple(c), because=because) for _, c in made
    )


def _fits(changes: Sequence[Change]) -> bool:
    """Each value counts; an alias counts as one."""
    records = sum(max(1, len(c.record.values)) for c in changes)
    return records <= MOST_RECORDS and sum(map(len, _texts(changes))) <= MOST_CHARACTERS


def _texts(changes: Sequence[Change]) -> Iterable[str]:
    return (v for c in changes for v in c.record.values)


LAST = 1_000  # names that only lose records: an alias to them has gone, or has moved, by then


def _depths(live: LiveZone, by_name: dict[str, list[Change]]) -> dict[str, int]:
    """Return how many aliases of the same plan stand between a name and an answer."""
    points: dict[str, set[str]] = defaultdict(set)
    for name, changes in by_name.items():
        for change in changes:
            alias = change.record.alias
            if change.action is Action.CREATE and alias and alias.zone == live.id and alias.name in by_name:
                points[name].add(alias.name)
    depths = {
        n: 0 if any(c.action is Action.CREATE for c in changes) else LAST for n, changes in by_name.items()
    }
    for _ in points:  # a chain is at most as long as there are aliases; a ring ends here too
        for name, others in points.items():
            depths[name] = 1 + max((depths[o] for o in others if o != name and depths[o] < LAST), default=0)
    return depths
