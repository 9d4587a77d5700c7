"""The figures as people read them."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, fields

from benchmarks.bounds import Figure, Measured, typical
from benchmarks.floor import floor


def machine() -> str:
    """Return what the figures were measured on."""
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}"


def render(worlds: Sequence[Measured], found: Sequence[Figure], *, command: str) -> str:
    """Return calls by operation, costs in seconds, and every figure with its bound."""
    lines = [f"{command}", f"on {machine()}", "", *_calls(worlds), "", *_seconds(worlds), "", *_judged(found)]
    return "\n".join(lines)


def as_json(worlds: Sequence[Measured], found: Sequence[Figure]) -> str:
    """Return every measurement and every figure, for a program to read."""
    told = {
        "machine": machine(),
        "worlds": [{f.name: getattr(w, f.name) for f in fields(w)} for w in worlds],
        "figures": [{**asdict(f), "over": f.over} for f in found],
    }
    return json.dumps(told, indent=2, default=asdict)


def _rows(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths, strict=True))
        )
        for r in rows
    ]


def _calls(worlds: Sequence[Measured]) -> list[str]:
    """Calls of a cold and a warm pass and the floor of each, by operation."""
    heads = [f"{w.fleets} {what}" for w in worlds for what in ("cold", "floor", "warm", "floor")]
    names = sorted({n for w in worlds for n in (*w.cold, *w.warm, *floor(w.things, cold=True))})
    rows = [["calls by operation, fleets", *heads]]
    for name in names:
        cells = []
        for w in worlds:
            cells += [str(x.get(name, 0)) for x in (w.cold, floor(w.things, cold=True))]
            cells += [str(x.get(name, 0)) for x in (w.warm, floor(w.things, cold=False))]
        rows.append([name, *cells])
    totals = []
    for w in worlds:
        for cold, calls in ((True, w.cold), (False, w.warm)):
            totals += [str(calls.total()), str(sum(floor(w.things, cold=cold).values()))]
    return _rows([*rows, ["all", *totals]])


def _seconds(worlds: Sequence[Measured]) -> list[str]:
    """Medians of what was paired, in seconds of CPU and of wall time."""
    rows = [["median seconds", "fleets", "CPU", "reader", "wall", "reader"]]
    for w in worlds:
        costs = [(f"warm pass, {ms} ms a call", pairs) for ms, pairs in w.pairs.items()]
        for what, pairs in [*costs, ("`reconciler plan`, a process", w.cli)]:
            ours, bare = [p.product for p in pairs], [p.reader for p in pairs]
            cells = [typical(ours, "cpu"), typical(bare, "cpu"), typical(ours, "wall"), typical(bare, "wall")]
            rows.append([what, str(w.fleets), *(f"{c:.3f}" for c in cells)])
    return _rows(rows)


def _judged(found: Sequence[Figure]) -> list[str]:
    rows = [["figure", "is", "at most", "", ""]]
    for f in found:
        value = f"{f.value:.0f}" if f.unit in ("", "MB") else f"{f.value:.2f}"
        rows.append(
            [f.what, value, "-" if f.most is None else f"{f.most:g}", f.unit, "OVER" if f.over else ""]
        )
    return _rows(rows)
