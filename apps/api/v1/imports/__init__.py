"""Imports, for partners: a file is sent, settled, checked, confirmed, undone."""
