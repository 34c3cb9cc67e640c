"""How a model does in production: the figures of the last night and its alerts."""
