"""Ids, durations, digests, problems and base models: what every room may use."""
