"""Launch templates: one for each revision, always version 1."""
