"""Log-in, log-out, language and home."""
