"""The whole story on an embedded AWS: a real daemon, a real git repository, each step verified."""
