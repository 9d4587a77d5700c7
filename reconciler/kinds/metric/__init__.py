"""CloudWatch metrics of a revision: measured while a rollout asks for them."""
