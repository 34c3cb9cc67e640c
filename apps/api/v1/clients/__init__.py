"""Clients' files and what they owe elsewhere."""
