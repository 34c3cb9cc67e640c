"""Fit, evaluate and describe the default model; nothing here is needed to score."""
