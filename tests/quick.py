"""What botocore works out anew for every call, though it comes to the same: worked out once in tests.

A tenth of what a call costs its client is to look at each letter of the words of the user agent.
"""

from functools import lru_cache

from botocore import useragent

_clean = useragent.sanitize_user_agent_string_component


def install() -> None:
    """Keep what was worked out, in this process and in those that it forks."""
    if useragent.sanitize_user_agent_string_component is _clean:
        useragent.sanitize_user_agent_string_component = lru_cache(4096)(_clean)
