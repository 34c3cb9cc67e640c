"""Training runs: list, request, detail, cancel, and a candidate kept."""
