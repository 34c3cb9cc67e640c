"""Reads of clients and their files, one module per subject."""
