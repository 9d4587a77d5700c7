"""The control API under `/_emulator/`: clock, calls, faults, delays, knobs, seed, reset."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

from emulator import clock, knobs, physics
from emulator.errors import Reply

if TYPE_CHECKING:
    from emulator.server import Emulator

Route = Callable[["Emulator", dict[str, Any], Mapping[str, str]], Any]


def control(app: "Emulator", environ: Mapping[str, Any], body: bytes) -> Reply:
    """Answer a request of the control API: JSON in, JSON out; what is wrong as `{"error": ...}`."""
    name = str(environ["PATH_INFO"]).rstrip("/").rpartition("/")[2]
    route = _ROUTES.get((environ["REQUEST_METHOD"], name))
    if route is None:
        return _json(HTTPStatus.NOT_FOUND, {"error": f"there is no {environ['REQUEST_METHOD']} {name}"})
    try:
        fields = json.loads(body) if body else {}
        if not isinstance(fields, dict):
            raise TypeError("the body is a JSON object")  # noqa: TRY301  # answered below, as any bad body
        asked = {k: v[0] for k, v in parse_qs(environ.get("QUERY_STRING", "")).items()}
        return _json(HTTPStatus.OK, route(app, fields, asked))
    except (ValueError, TypeError) as error:
        return _json(HTTPStatus.BAD_REQUEST, {"error": str(error)})
    except Exception as error:  # noqa: BLE001  # the caller is a test or a demo: tell it all
        return _json(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": f"{type(error).__name__}: {error}"})


def _json(status: HTTPStatus, value: Any) -> Reply:
    body = json.dumps(value, default=str).encode()
    return Reply(status=status, headers=(("Content-Type", "application/json"),), body=body)


def _healthy(app: "Emulator", fields: dict[str, Any], asked: Mapping[str, str]) -> Any:
    return {"healthy": True, "plain": app.plain}


def _clock(app: "Emulator", fields: dict[str, Any], asked: Mapping[str, str]) -> Any:
    if unknown := sorted(set(fields) - {"speed", "advance"}):
        raise ValueError(f"{', '.join(unknown)}: the clock takes speed and advance (seconds)")
    with app.lock:
        if "speed" in fields:
            clock.set_speed(float(fields["speed"]))
        if "advance" in fields:
            clock.advance(timedelta(seconds=float(fields["advance"])))
    return {"now": clock.now().isoformat(), "speed": clock.speed()}


def _calls(app: "Emulator", fields: dict[str, Any], asked: Mapping[str, str]) -> Any:
    return {"calls": [c.as_json() for c in app.calls.since(int(asked.get("since", "0")))]}


def _clear_calls(app: "Emulator", fields: dict[str, Any], asked: Mapping[str, str]) -> Any:
    app.calls.clear()
    return {"calls": []}


def _faults(app: "Emulator", fields: dict[str, Any], asked: Mapping[str, str]) -> Any:
    return {"faults": [asdict(r) for r in app.faults.rules()]}


def _add_fault(app: "Emulator", fields: dict[str, Any], asked: Mapping[str, str]) -> Any:
    return asdict(app.faults.add(fields))


def _clear_faults(app: "Emulator", fields: dict[str, Any], asked: Mapping[str, str]) -> Any:
    app.faults.clear()
    return {"faults": []}


def _physics(app: "Emulator", fields: dict[str, Any], asked: Mapping[str, str]) -> Any:
    with app.lock:
        app.answers.forget()
        return physics.as_seconds(physics.change(fields))


def _knobs(app: "Emulator", fields: dict[str, Any], asked: Mapping[str, str]) -> Any:
    return {"knobs": knobs.describe()}


def _turn(app: "Emulator", fields: dict[str, Any], asked: Mapping[str, str]) -> Any:
    name, arguments = fields.get("name"), fields.get("with", {})
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise TypeError('a knob is {"name": ..., "with": {...}}')
    with app.lock:
        app.tick()
        app.answers.forget()
        return {"result": knobs.turn(name, arguments)}


def _seed(app: "Emulator", fields: dict[str, Any], asked: Mapping[str, str]) -> Any:
    from emulator import seed

    if fields != {"company": True}:
        raise ValueError('the one seed that there is: {"company": true}')
    with app.lock:
        app.answers.forget()
        return seed.company(balancers=not app.plain)


def _reset(app: "Emulator", fields: dict[str, Any], asked: Mapping[str, str]) -> Any:
    app.reset()
    return {"reset": True}


_ROUTES: Final[Mapping[tuple[str, str], Route]] = {
    ("GET", "healthy"): _healthy,
    ("GET", "clock"): _clock,
    ("POST", "clock"): _clock,
    ("GET", "calls"): _calls,
    ("DELETE", "calls"): _clear_calls,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "physics"): _physics,
    ("POST", "physics"): _physics,
    ("GET", "knobs"): _knobs,
    ("POST", "knobs"): _turn,
    ("POST", "seed"): _seed,
    ("POST", "reset"): _reset,
}
