"""What reports tell: figures and lists of what the asker may see, nothing written."""
