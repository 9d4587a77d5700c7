"""Log events, metrics, and renderings of a plan as text, JSON and markdown."""
