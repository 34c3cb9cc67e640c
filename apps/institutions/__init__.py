"""Institutions, their agencies and their dated settings."""
