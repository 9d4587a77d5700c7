"""Launches that failed: looked at while a rollout is short of instances, never written."""
