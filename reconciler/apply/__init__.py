"""A plan and the writers handed in -> what came of it, for each fleet and zone."""
