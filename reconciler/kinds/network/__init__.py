"""Subnets and security groups: what selectors choose; read only."""
