"""Read models and renderers of reports (PDF, XLSX, CSV)."""
