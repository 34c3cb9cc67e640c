"""Clients: the list, the file, and what is written in it."""
