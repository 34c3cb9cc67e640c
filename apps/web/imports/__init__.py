"""Files of rows imported, checked first and undone if need be, for people."""
