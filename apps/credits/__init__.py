"""Clients, credit applications and what they owe; where rows become numbers."""
