"""From git, or from a folder, to the desired state: files, documents, problems with file:line:column."""
