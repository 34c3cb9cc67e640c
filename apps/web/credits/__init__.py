"""The entry of credit applications."""
