"""Files scored line by line."""
