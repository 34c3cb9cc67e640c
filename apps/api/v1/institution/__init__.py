"""The institution's own: agencies and people."""
