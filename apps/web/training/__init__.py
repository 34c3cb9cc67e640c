"""Training, for people: what the history allows, runs asked and followed, candidates compared."""
