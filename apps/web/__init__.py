"""The analysts' pages: forms, views and what their templates need."""
