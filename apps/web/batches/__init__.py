"""Files scored line by line, for people."""
