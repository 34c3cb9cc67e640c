"""Scores: the policy, the prediction and its immutable snapshot."""
