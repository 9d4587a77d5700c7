"""The zones' part of simulate: a batch is applied whole, or refused as Route 53 refuses it."""

from dataclasses import replace
from typing import assert_never

from reconciler.core.facts import retagged
from reconciler.kinds.record.live import LiveZone
from reconciler.kinds.record.steps import Action, ChangeRecords, RecordStep, TagZone
from reconciler.kinds.record.want import Key, RecordSet


class BatchRefusedError(ValueError):
    """Route 53 would refuse this batch (InvalidChangeBatch)."""


def after(step: RecordStep, zone: LiveZone) -> LiveZone:
    """Return the zone once `step` took effect.

    Raises: BatchRefusedError where Route 53 answers InvalidChangeBatch.
    """
    match step:
        case ChangeRecords():
            return replace(zone, records=_applied(zone.records, step))
        case TagZone():
            return replace(zone, tags=retagged(zone.tags, dict(step.put), step.drop))
        case _:
            assert_never(step)


def _applied(live: tuple[RecordSet, ...], step: ChangeRecords) -> tuple[RecordSet, ...]:
    records: dict[Key, RecordSet] = {r.key: r for r in live}
    for change in step.changes:
        key, record = change.record.key, change.record
        match change.action:
            case Action.DELETE:
                if records.get(key) != record:
                    raise BatchRefusedError(f"DELETE of {key}: not there, or other values")
                del records[key]
            case Action.CREATE:
                if key in records:
                    raise BatchRefusedError(f"CREATE of {key}: it exists")
                records[key] = record
            case Action.UPSERT:
                records[key] = record
            case _:
                assert_never(change.action)
    return tuple(sorted(records.values(), key=lambda r: r.key))
