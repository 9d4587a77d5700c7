"""A declarative GitOps reconciler for immutable EC2 fleets."""
