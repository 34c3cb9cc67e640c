"""Demonstration: a synthetic portfolio of fictional people, and the command that loads it."""
