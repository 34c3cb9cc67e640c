"""Deciding a file, and the decisions that were taken on it."""
