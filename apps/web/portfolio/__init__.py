"""The portfolio in figures, alike files decided differently, clients to contact."""
