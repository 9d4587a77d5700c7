"""The planner: `(Desired, World) -> Plan`, limits, preview and simulate. Pure."""
