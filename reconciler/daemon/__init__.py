"""Wiring: settings, passes, the schedule, health endpoints. The only place where things are put together."""
