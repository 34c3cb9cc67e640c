"""Reports: ask, list, detail, download."""
