"""Models: what was trained, which version is in production, and loading it safely."""
