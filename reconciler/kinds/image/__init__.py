"""AMIs: what the documents name, resolved to ids."""
