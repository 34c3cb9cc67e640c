"""Writes of clients and applications."""
