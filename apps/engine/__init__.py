"""The scoring mathematics: a plain library that knows nothing of the web or the database."""
