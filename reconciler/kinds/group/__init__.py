"""Auto Scaling groups with their policies, schedules, hooks and instances."""
