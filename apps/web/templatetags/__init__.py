"""Tags and filters of the analysts' pages."""
