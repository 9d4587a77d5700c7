"""Instances: read on the audit only, never written."""
