"""Finding a file again: by typing, or among the last ones opened."""
