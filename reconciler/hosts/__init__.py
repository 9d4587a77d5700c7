"""Git hosts: pull requests, one comment, one status. Thin adapters behind one protocol."""
