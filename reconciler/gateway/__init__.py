"""The gateway: allow-listed connections to AWS, with pacing, retries, clock and redaction."""
