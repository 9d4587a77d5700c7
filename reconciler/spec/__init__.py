"""The documents of the desired state as pydantic models, and what they mean together. Pure."""
