"""Load balancers, target groups, listeners, and our rules in listeners that exist."""
