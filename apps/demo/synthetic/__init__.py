"""Synthetic credit portfolio: numpy and pandas only; no borrower is real; same seed, same rows."""
