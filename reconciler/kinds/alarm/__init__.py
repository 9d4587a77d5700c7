"""CloudWatch alarms: looked at while a rollout asks for them, never written."""
