"""Scores: predict, read, replay, and the dictionary."""
