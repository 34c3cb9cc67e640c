"""Writes of monitoring: what a night reads, finds, stores and tells."""
