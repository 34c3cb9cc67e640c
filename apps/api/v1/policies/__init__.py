"""Scoring policies: proposed by one person, approved by another."""
