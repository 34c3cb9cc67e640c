"""The first page: what to do now, and figures with their change."""
