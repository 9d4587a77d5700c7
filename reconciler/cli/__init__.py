"""The command line: parses, calls, prints; owns no logic."""
