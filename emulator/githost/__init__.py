"""A git host in miniature: pull requests, comments and statuses over HTTP, as GitHub serves them.

`forge.Forge` is what it holds and what people do there; `github.GitHub` answers GitHub's API from it,
`page` shows a pull request to people, `wire.Site` serves both on a port of the loopback address, with
a call log and faults. Where the forge is given a bare git repository, heads and merges are real.
"""
