"""Deciding a file, answering an override or a client's request, and who may decide what."""
