"""Reads of scores, files that were scored and policies, one file a subject."""
