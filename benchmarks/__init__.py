"""What a pass costs: calls, CPU, wall time and memory, for worlds of growing size that are in sync."""
