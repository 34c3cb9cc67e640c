"""Log-in."""
