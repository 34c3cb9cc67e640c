"""The quality of data: of an institution, of its agencies."""
