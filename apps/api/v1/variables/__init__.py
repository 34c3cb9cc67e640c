"""The variable dictionary of the institution: read, declared, changed."""
