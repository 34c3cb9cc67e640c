"""Writes of decisions: what a person decides, against which advice, within which limit."""
