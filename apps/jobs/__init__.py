"""One row per background work: the truth about it."""
