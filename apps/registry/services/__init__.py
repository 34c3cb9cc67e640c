"""Writes of models: versions and their life, training."""
