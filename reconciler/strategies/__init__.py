"""Rollout strategies: what one fleet may safely do next. Pure; one file each over one machine."""
